"""The captcha network as an Estimator: to be trained, or restored from what was trained."""

import os

import keras
from absl import logging

from model.description import ModelDescription, description_beside, load_description
from model.estimator import (
    Estimator,
    RunConfig,
    ScaledSchedule,
    WarmStartSettings,
    checkpoint_values,
    fitting_variables,
    latest_checkpoint,
)
from model.estimator.warm_start import checkpoint_of
from model.heads import is_of_head
from model.joining import join
from model.known_characters import has_same_classes, take_heads_over
from model.model_fn import model_fn
from model.networks import NetworkConfig, build_network
from model.optimizer import make_optimizer
from model.params import ModelParams
from model.schedule import make_schedule


def captcha_estimator(
    params: ModelParams,
    model_dir: str | os.PathLike,
    config: RunConfig | None = None,
    warm_start_from: str | None = None,
    description: ModelDescription | None = None,
) -> Estimator:
    """An Estimator over `model_fn` that trains under a warm-up and a schedule.

    Args:
      params: Network, optimizer, augmentation.
      model_dir: Folder of the checkpoints.
      config: Cadence, seed, distribution.
      warm_start_from: A model_dir, checkpoint or SavedModel that a new run takes those weights
        from that have the same name and shape here. Several with commas between them: it begins
        as all of them side by side, see `model.joining`. Nothing is read there once `model_dir` has
        a checkpoint of its own.
      description: What is read: heads of one that read another alphabet are then taken over by
        character, see `model.known_characters`.

    Raises:
      ValueError: If the learning rate or its warm-up is out of range, or what is to be begun with
        does not fit.
    """
    learning_rate = make_schedule(
        params.schedule, params.learning_rate, params.warmup_steps, params.total_steps
    )

    def optimizer_fn(params: ModelParams) -> keras.optimizers.Optimizer:
        is_scaled = params.schedule == "plateau"
        return make_optimizer(params, ScaledSchedule(learning_rate) if is_scaled else learning_rate)

    is_new = latest_checkpoint(model_dir) is None
    places = warm_start_from.split(",") if warm_start_from and is_new else []
    warm_start = theirs = None
    other_classes = False
    if len(places) == 1:
        variables = {weight.path: weight.value for weight in build_network(params.network).weights}
        fitting = fitting_variables(variables, warm_start_from)
        theirs = description and description_beside(checkpoint_of(warm_start_from))
        if theirs and theirs.net != description.net:
            logging.warning(
                "warm  | %s is %s and this run trains %s: it takes what has the same name and "
                "shape there. --net=%s takes all",
                warm_start_from,
                theirs.net,
                description.net,
                theirs.net,
            )
        other_classes = theirs is not None and not has_same_classes(theirs, description)
        if other_classes:
            fitting = tuple(name for name in fitting if not is_of_head(name))
        warm_start = WarmStartSettings(warm_start_from, vars_to_warm_start=fitting)

    def net_fn(params: ModelParams) -> keras.Model:
        network = build_network(params.network)
        if len(places) > 1:
            join(network, places)
        elif other_classes:
            take_heads_over(network, checkpoint_values(warm_start_from), theirs, description)
        return network

    return Estimator(
        model_fn,
        model_dir,
        net_fn=net_fn,
        optimizer_fn=optimizer_fn,
        config=config or RunConfig(),
        params=params,
        warm_start_from=warm_start,
    )


def load_estimator(model_dir: str | os.PathLike) -> tuple[Estimator, ModelDescription]:
    """What was trained in `model_dir`, to predict and to export; float32.

    Raises:
      ValueError: If nothing was trained there.
    """
    description = load_description(model_dir)
    params = ModelParams(network=network_config(description))
    estimator = Estimator(
        model_fn, model_dir, net_fn=lambda params: build_network(params.network), params=params
    )
    return estimator, description


def network_config(description: ModelDescription, **options) -> NetworkConfig:
    """The network that `description` names; `options` are further fields of `NetworkConfig`."""
    return NetworkConfig(
        name=description.net,
        image_shape=description.image_shape,
        num_positions=description.num_positions,
        num_classes=description.num_classes,
        has_blank=description.has_blank,
        activation=description.activation,
        **options,
    )

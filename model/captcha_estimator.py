"""The captcha network as an Estimator: to be trained, or restored from what was trained."""

import os

import keras

from model.description import ModelDescription, load_description
from model.estimator import Estimator, RunConfig
from model.model_fn import model_fn
from model.networks import NetworkConfig, build_network
from model.params import ModelParams
from model.schedule import WarmupCosine


def captcha_estimator(
    params: ModelParams, model_dir: str | os.PathLike, config: RunConfig | None = None
) -> Estimator:
    """An Estimator over `model_fn` that trains with Adam under warm-up and cosine decay.

    Raises:
      ValueError: If the learning rate or its warm-up is out of range.
    """
    learning_rate = WarmupCosine(params.learning_rate, params.warmup_steps, params.total_steps)
    return Estimator(
        model_fn,
        model_dir,
        net_fn=lambda params: build_network(params.network),
        optimizer_fn=lambda _: keras.optimizers.Adam(learning_rate, name="adam"),
        config=config or RunConfig(),
        params=params,
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
        **options,
    )

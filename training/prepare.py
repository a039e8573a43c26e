"""From a config to the Estimator: whatever can be wrong is refused here, before the first step."""

import dataclasses
import os
import pathlib

from absl import logging

from data_gen.live import LiveData
from model.captcha_estimator import captcha_estimator, network_config
from model.description import (
    ModelDescription,
    check_same,
    has_description,
    load_description,
    save_description,
)
from model.estimator import Estimator, RunConfig, make_strategy
from model.networks import NETWORKS
from model.params import ModelParams
from model.precision import dtype_policy
from model.trained_on import TrainedOn, check_trained_on, save_trained_on
from records.description import DatasetDescription
from training.config import TrainConfig
from training.cpu_parts import cpu_parts

_FLAGS = "flags.txt"
_NUMBERS_OF_STEPS = ("max_steps", "label_smoothing_until_step")


def prepare(config: TrainConfig, dataset: DatasetDescription | LiveData) -> Estimator:
    """The Estimator for this data, which `load_data` gave, and model_dir.

    Raises:
      ValueError: If the data is not what `model_dir` was trained with, or an option is out of
        range.
    """
    num_parts = cpu_parts(config)  # These two before anything else of TensorFlow.
    strategy = make_strategy(config.strategy)
    description = describe(config, dataset)
    if has_description(config.model_dir) or config.mode == "evaluate":
        check_same(load_description(config.model_dir), description, config.model_dir)
    data = trained_on(config, dataset)
    if config.mode != "evaluate":
        check_trained_on(data, config.model_dir)
    params = model_params(config, description)
    estimator = captcha_estimator(
        params,
        config.model_dir,
        run_config(config, strategy, num_parts),
        config.warm_start_from,
        description,
    )
    num_parameters = estimator.net.count_params()
    if config.mode != "evaluate" and estimator.is_chief:
        os.makedirs(config.model_dir, exist_ok=True)
        save_description(description, config.model_dir)
        save_trained_on(data, config.model_dir)
        _save_flags(config)
    logging.info(
        "config | %s | %d parameters | %s | %s captchas to train on, %d to test on%s",
        config.net,
        num_parameters,
        params.network.dtype_policy,
        dataset.num_examples("train") or "new",
        dataset.num_examples("test"),
        _later(config),
    )
    return estimator


def _later(config: TrainConfig) -> str:
    """What changes at a step, as the time left, in the log, is that of the steps so far."""
    if config.candidates == 1 or config.candidates_from_step == 0:
        return ""
    return (
        f" | from step {config.candidates_from_step} on the least sure of {config.candidates}: "
        "a step takes longer, and so does the time left"
    )


def describe(config: TrainConfig, dataset) -> ModelDescription:
    """What the network will read, and its shape; a name that no network has is refused later."""
    architecture = NETWORKS.get(config.net, NETWORKS["book"])
    return ModelDescription(
        net=config.net,
        image_shape=dataset.image_shape,
        alphabet=dataset.alphabet,
        num_positions=dataset.num_positions,
        has_blank=dataset.has_blank,
        activation=architecture.activation,
    )


def trained_on(config: TrainConfig, dataset) -> TrainedOn:
    """Which data it is."""
    return TrainedOn(
        data_dir=config.data_dir, generator=dataset.generator, identity=dataset.identity
    )


def model_params(config: TrainConfig, description: ModelDescription) -> ModelParams:
    """Network, optimizer and augmentation."""
    return ModelParams(
        network=network_config(
            description,
            dropout=config.dropout,
            dtype_policy=dtype_policy(config.precision),
            seed=config.seed,
        ),
        optimizer=config.optimizer,
        learning_rate=config.learning_rate,
        warmup_steps=min(config.warmup_steps, config.max_steps - 1),
        total_steps=config.max_steps,
        schedule=config.schedule,
        gradient_clip=config.gradient_clip,
        weight_decay=config.weight_decay,
        label_smoothing=config.label_smoothing,
        label_smoothing_until_step=config.label_smoothing_until_step,
        candidates=config.candidates,
        candidates_from_step=config.candidates_from_step,
        dropout_from_step=config.dropout_from_step,
        doubt_from_step=config.doubt_from_step,
        shift_rows=config.shift_rows,
        shift_columns=config.shift_columns,
        cutmix=config.cutmix,
        seed=config.seed,
    )


def run_config(config: TrainConfig, strategy, parts_side_by_side: int = 1) -> RunConfig:
    """Cadence, seed and distribution."""
    return RunConfig(
        save_checkpoints_steps=config.save_checkpoints_steps,
        log_step_count_steps=config.log_steps,
        save_summary_steps=config.log_steps,
        tf_random_seed=config.seed,
        train_distribute=strategy,
        accumulate_gradients=config.accumulate_gradients,
        parts_side_by_side=parts_side_by_side,
        steps_per_loop=config.steps_per_loop,
        ema_decay=config.ema_decay,
    )


def saved_steps(model_dir: str) -> dict[str, int]:
    """What `flags.txt` in model_dir says of how many steps there are; nothing if there is none."""
    path = pathlib.Path(model_dir) / _FLAGS
    lines = path.read_text().splitlines() if path.exists() else []
    # A person may have written a comment into it, which has no value.
    flags = dict(line.removeprefix("--").split("=", 1) for line in lines if "=" in line)
    return {name: int(flags[name]) for name in _NUMBERS_OF_STEPS if name in flags}


def _save_flags(config: TrainConfig) -> None:
    """Writes `flags.txt`, a flagfile that repeats this run, on whatever machine."""
    config = dataclasses.replace(config, budget_minutes=0.0)
    lines = [
        f"--{name}={value}"
        for name, value in dataclasses.asdict(config).items()
        if value is not None
    ]
    path = pathlib.Path(config.model_dir) / _FLAGS
    partial = path.with_suffix(".partial")
    partial.write_text("\n".join(lines) + "\n")
    os.replace(partial, path)

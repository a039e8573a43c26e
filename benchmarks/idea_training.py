"""Trains one idea of `benchmarks/idea_table.py` by the Estimator and measures what it reads."""

import dataclasses
from collections.abc import Sequence

import keras
import tensorflow as tf

from benchmarks.idea_table import Idea
from model.estimator import Estimator, ModeKeys, RunConfig, history
from model.metrics import wilson_interval
from model.model_fn import model_fn
from model.muon import ConvolutionMuon
from model.networks import NetworkConfig, build_network
from model.optimizer import make_optimizer
from model.params import ModelParams
from model.schedule import make_schedule
from training.config import TrainConfig
from training.data import input_fns, load_data
from training.prepare import describe, model_params

# No captcha comes twice, so that nothing has to keep the network from learning them by heart.
_LIVE_BASE = {
    "net": "small",  # The default when most of the ideas were tried.
    "dropout": 0.0,
    "candidates": 1,
    "shift_rows": 0,
    "shift_columns": 0,
    "warmup_steps": 100,
    "verify_hashes": False,
}
# configs/captcha.flags without smoothed labels, for 15,000 captchas and 2,100 steps, not for 50,000
# and 6,200.
_DATASET_BASE = {
    **_LIVE_BASE,
    "dropout": 0.3,
    "dropout_from_step": 300,
    "candidates": 8,
    "candidates_from_step": 800,
    "weight_decay": 1.0,
    "shift_rows": 2,
    "shift_columns": 4,
}


def idea_config(idea: Idea, data_dir: str, model_dir: str, steps: int) -> TrainConfig:
    """The training, whose base has so many steps."""
    return TrainConfig(
        **{
            **(_LIVE_BASE if data_dir.startswith("live:") else _DATASET_BASE),
            "data_dir": data_dir,
            "model_dir": model_dir,
            "max_steps": round(steps * idea.steps_factor),
            **idea.flags,
        }
    )


def train_and_read(idea: Idea, data_dir: str, read: str, model_dir: str, steps: int) -> dict:
    """Trains from nothing.

    Args:
      idea: What is changed.
      data_dir: What to train on, as train.py takes it.
      read: Live data whose test set is read.
      model_dir: Empty folder.
      steps: Of the base.

    Returns:
      Figures for the ledger.
    """
    config = idea_config(idea, data_dir, model_dir, steps)
    params = model_params(config, describe(config, load_data(config)))
    estimator = _estimator(idea, params, config)
    estimator.train(input_fns(config)[0], max_steps=config.max_steps)
    test_input_fn = input_fns(dataclasses.replace(config, data_dir=read))[1]
    metrics = estimator.evaluate(test_input_fn)
    rates = [row["examples_per_sec"] for row in history.rows(model_dir, "train")]
    n = int(metrics["n"])
    low, high = wilson_interval(metrics["sequence_accuracy"], n)
    return {
        "whole captchas": f"{metrics['sequence_accuracy']:.2%}",
        "95 % interval": f"{low:.2%} to {high:.2%}",
        "characters": f"{metrics['character_accuracy']:.2%}",
        "n": n,
        "steps": config.max_steps,
        "captchas trained on": config.max_steps * config.batch_size,
        "parameters": estimator.net.count_params(),
        "a second, median": round(sorted(rates)[len(rates) // 2]) if rates else "",
        "trained on": data_dir,
    }


def _estimator(idea: Idea, params: ModelParams, config: TrainConfig) -> Estimator:
    rate = make_schedule(
        params.schedule, params.learning_rate, params.warmup_steps, params.total_steps
    )

    def optimizer_fn(params):
        if idea.kernel_ratio is None:
            return make_optimizer(params, rate)
        return ConvolutionMuon(rate, kernel_ratio=idea.kernel_ratio)

    return Estimator(
        _model_fn(idea),
        config.model_dir,
        net_fn=lambda params: _network(idea, params.network),
        optimizer_fn=optimizer_fn,
        config=RunConfig(
            save_checkpoints_steps=config.max_steps,
            log_step_count_steps=50,
            save_summary_steps=50,
            tf_random_seed=config.seed,
            ema_decay=config.ema_decay,
        ),
        params=params,
    )


def _network(idea: Idea, config: NetworkConfig) -> keras.Model:
    if idea.network is not None:
        return idea.network(config)
    activation = idea.activation or config.activation
    net = build_network(dataclasses.replace(config, activation=activation), idea.architecture)
    for position in range(config.num_positions):
        kernel = net.get_layer(f"position_{position}").kernel
        kernel.assign(idea.head_factor * kernel)
    return net


def _model_fn(idea: Idea):
    """The project's own, with what the idea changes in training."""

    def changed(features, labels, net, mode, params, step, rows=None):
        if mode != ModeKeys.TRAIN:
            reader = mean_of_shifted(net, idea.read_shifts) if idea.read_shifts else net
            return model_fn(features, labels, reader, mode, params, step, rows)

        def changing(image, training=False):
            # Candidates are read as they are, and the chosen ones alone are changed.
            if idea.augment is not None and training is not False:
                seed = tf.stack([tf.constant(params.seed, tf.int64), tf.cast(step, tf.int64)])
                of_batch = tf.range(tf.shape(image, tf.int64)[0]) if rows is None else rows
                image = tf.cast(tf.round(idea.augment(image, seed, of_batch)), tf.uint8)
            return net(image, training=training)

        return model_fn(features, labels, changing, mode, params, step, rows)

    return changed


def mean_of_shifted(net: keras.Model, shifts: Sequence[tuple[int, int]]):
    """Reads each picture so shifted, what leaves it coming in again; logits are mean ln p."""

    def read(image: tf.Tensor, training: bool = False) -> tf.Tensor:
        readings = [net(tf.roll(image, shift, [1, 2]), training=training) for shift in shifts]
        return tf.reduce_mean(tf.nn.log_softmax(tf.stack(readings)), axis=0)

    return read

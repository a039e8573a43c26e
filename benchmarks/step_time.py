"""What one training step of 64 captchas costs, and what ways not taken would cost.

  python benchmarks/step_time.py          # one minute; pixels are random, as only time is measured

CPU milliseconds of the whole process (all threads), so that other programs on the machine matter
little; wall milliseconds too. Each figure is the median of rounds taken in turn.
"""

import pathlib
import sys
import time

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import numpy as np

import command_line
import tensorflow_start

_BATCH_SIZE = 64
_ROUNDS = 7
_CALLS_A_ROUND = 15
_SHAPE = (30, 100, 3)


def main(_: list[str]) -> None:
    """Builds the steps, times them in turn, keeps the figures."""
    tensorflow_start.import_quietly()
    from benchmarks import ledger

    calls = {
        "small_bfloat16": _step("small", "mixed_bfloat16"),
        "small_float32": _step("small", "float32"),
        "small_bfloat16_relu": _step("small", "mixed_bfloat16", activation="relu"),
        "small_bfloat16_leaky_relu_of_tensorflow": _step(
            "small", "mixed_bfloat16", activation="leaky_relu"
        ),
        "small_bfloat16_dropout_under_tf_cond": _step("small", "mixed_bfloat16", under_cond=True),
        "wide_bfloat16": _step("wide", "mixed_bfloat16"),
        "book_bfloat16": _step("book", "mixed_bfloat16"),
        "shifts": _shifts(),
        "shifts_by_padding": _padding(),
    }
    figures = {}
    for name, (cpu, wall) in _medians(calls).items():
        figures[f"{name}_cpu_ms"] = 1000 * cpu
        figures[f"{name}_wall_ms"] = 1000 * wall
    ledger.record("step_time", f"One training step of {_BATCH_SIZE} captchas, 100x30", figures)


def _medians(calls) -> dict[str, tuple[float, float]]:
    times = {name: [] for name in calls}
    for round_number in range(_ROUNDS + 1):
        for name, call in calls.items():
            cpu, wall = time.process_time(), time.monotonic()
            for _ in range(_CALLS_A_ROUND):
                call()
            spent = (time.process_time() - cpu, time.monotonic() - wall)
            if round_number:  # The first one is warm-up: tracing, allocation.
                times[name].append(np.array(spent) / _CALLS_A_ROUND)
    return {name: tuple(np.median(spent, axis=0)) for name, spent in times.items()}


def _step(name: str, dtype_policy: str, under_cond: bool = False, activation: str | None = None):
    """One update by Adam, as the Estimator makes it.

    Args:
      name: Of the network.
      dtype_policy: Its arithmetic.
      under_cond: The network twice under tf.cond.
      activation: One of `tf.nn` in place of our leaky ReLU.
    """
    import keras
    import tensorflow as tf

    from model.leaky_relu import leaky_relu
    from model.model_fn import model_fn
    from model.networks import NetworkConfig, build_network
    from model.params import ModelParams

    network = NetworkConfig(
        name=name, image_shape=_SHAPE, num_positions=4, num_classes=10, dtype_policy=dtype_policy
    )
    params = ModelParams(network=network, dropout_from_step=1, shift_rows=2, shift_columns=4)
    net = build_network(network)
    for layer in net.layers:
        if activation and getattr(layer, "activation", None) is leaky_relu:
            layer.activation = getattr(tf.nn, activation)
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(net.trainable_variables)
    image, labels = _batch()
    step = tf.Variable(5, dtype=tf.int64)

    def switched(image, training):
        return tf.cond(
            training, lambda: net(image, training=True), lambda: net(image, training=False)
        )

    @tf.function(autograph=False)
    def update(image, labels, step):
        with tf.GradientTape() as tape:
            chosen = switched if under_cond else net
            loss = model_fn({"image": image}, labels, chosen, "train", params, step).loss
        gradients = tape.gradient(loss, [v.value for v in net.trainable_variables])
        optimizer.apply(gradients, net.trainable_variables)
        return loss

    return lambda: update(image, labels, step.value()).numpy()


def _shifts():
    import tensorflow as tf

    from model.augment import random_shift

    image, _ = _batch()
    shift = tf.function(
        lambda image: random_shift(image, max_rows=2, max_columns=4, seed=tf.constant([0, 1]))
    )
    return lambda: shift(image).numpy()


def _padding():
    import tensorflow as tf

    image, _ = _batch()
    pad = tf.function(lambda image: tf.pad(image, [[0, 0], [2, 2], [4, 4], [0, 0]], "SYMMETRIC"))
    return lambda: pad(image).numpy()


def _batch():
    import tensorflow as tf

    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (_BATCH_SIZE, *_SHAPE), np.uint8)
    return tf.constant(image), tf.constant(rng.integers(0, 10, (_BATCH_SIZE, 4)))


if __name__ == "__main__":
    command_line.run(main)

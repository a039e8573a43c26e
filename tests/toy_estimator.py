"""Two tasks small enough to be trained in a blink, and Estimators over them.

The line: one weight w, from 0, under squared error; its updates can be done in the head. The
classifier: which half of 16 features is brighter, with a convolution and dropout.
"""

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from model.estimator import Estimator, EstimatorSpec, ModeKeys, RunConfig

FEATURES = np.random.default_rng((5, 0)).normal(size=[100, 16]).astype(np.float32)
LABELS = (FEATURES[:, :8].sum(axis=1) > FEATURES[:, 8:].sum(axis=1)).astype(np.int64)


class Line(tf.Module):
    """w * x; remembers the last x it was trained on."""

    def __init__(self):
        super().__init__(name="line")
        self.w = tf.Variable(0.0, name="w")
        self.seen = tf.Variable(-1.0, name="seen", trainable=False)

    def __call__(self, x):
        return self.w * x


def line_model_fn(features, labels, net, mode):
    predicted = net(features)
    if mode == ModeKeys.PREDICT:
        return EstimatorSpec(mode, predictions={"y": predicted})
    if mode == ModeKeys.TRAIN:
        net.seen.assign(features[-1])
    error = tf.abs(predicted - labels)
    return EstimatorSpec(
        mode,
        loss=tf.reduce_mean(error**2),
        eval_metric_ops={"error": error},
        train_metric_ops={"error": error},
    )


def line_estimator(model_dir, rate=0.01, **options):
    return Estimator(
        options.pop("model_fn", line_model_fn),
        model_dir,
        net_fn=lambda params: Line(),
        optimizer_fn=lambda params: keras.optimizers.SGD(rate),
        config=RunConfig(**options),
    )


def line_input_fn(x=(1.0, 2.0), slope=2.0, batch_size=2, repeat=True):
    """Batches of `x` in order, with y = slope * x."""
    x = np.asarray(x, np.float32)

    def input_fn():
        dataset = tf.data.Dataset.from_tensor_slices((x, slope * x))
        return (dataset.repeat() if repeat else dataset).batch(batch_size)

    return input_fn


def classifier_net(dropout=0.5, units=8, extra_layer=False):
    """Layers without names on purpose: Keras numbers them over the whole process."""
    return keras.Sequential(
        [
            keras.Input([16]),
            keras.layers.Reshape([4, 4, 1]),
            keras.layers.Conv2D(4, 3, padding="same", activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation="relu"),
            *([keras.layers.Dense(units)] if extra_layer else []),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(2),
        ]
    )


def classifier_model_fn(features, labels, net, mode):
    logits = net(features["x"], training=mode == ModeKeys.TRAIN)
    if mode == ModeKeys.PREDICT:
        return EstimatorSpec(mode, predictions={"probabilities": tf.nn.softmax(logits)})
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    metrics = {"accuracy": tf.equal(tf.argmax(logits, axis=-1), labels)}
    return EstimatorSpec(
        mode, loss=tf.reduce_mean(losses), eval_metric_ops=metrics, train_metric_ops=metrics
    )


def classifier_estimator(model_dir, net_fn=classifier_net, optimizer=None, **options):
    return Estimator(
        classifier_model_fn,
        model_dir,
        net_fn=lambda params: net_fn(),
        optimizer_fn=lambda params: (optimizer or keras.optimizers.Adam)(0.01),
        config=RunConfig(**options),
    )


def classifier_input_fn():
    """Shuffled without a seed of its own: the Estimator's decides."""
    dataset = tf.data.Dataset.from_tensor_slices(({"x": FEATURES}, LABELS))
    return dataset.shuffle(40).repeat().batch(8)


def classifier_eval_input_fn():
    return tf.data.Dataset.from_tensor_slices(({"x": FEATURES}, LABELS)).batch(32)


def weights(estimator):
    """All variables of the network, seeds of dropout included."""
    return [np.asarray(variable) for variable in estimator.net.variables]


def assert_equal_weights(first, second):
    for one, other in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(one, other)


def collect_log(monkeypatch):
    """The list that absl's info and warning lines will be added to."""
    lines = []

    def add(text, *values):
        lines.append(text % values)

    monkeypatch.setattr(logging, "info", add)
    monkeypatch.setattr(logging, "warning", add)
    return lines

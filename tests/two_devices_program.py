"""Trains toy networks on two devices of one process, and compares their variables."""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import tensorflow_start

tensorflow_start.import_quietly()

import keras
import numpy as np
import tensorflow as tf
from toy_estimator import classifier_estimator, classifier_eval_input_fn, classifier_input_fn

from model.muon import ConvolutionMuon


def main():
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    compare_with_one_device(strategy)
    compare_devices(strategy)
    print("equal on both")


def compare_with_one_device(strategy):
    """By optimizers that show how long gradients are, which Adam does not, or shrink weights."""

    def net_fn():
        return keras.Sequential(
            [
                keras.Input([16]),
                keras.layers.Dense(8, activation="relu"),
                keras.layers.Dense(2),
            ]
        )

    optimizers = [
        lambda _: keras.optimizers.SGD(0.1, 0.9),
        lambda _: keras.optimizers.SGD(0.1, 0.9, global_clipnorm=0.1),
        lambda _: ConvolutionMuon(1e-3),
        lambda _: ConvolutionMuon(1e-3, weight_decay=50.0),
    ]
    values = []
    for optimizer in optimizers:
        one, two = (
            [
                variable.value.numpy()
                for variable in classifier_estimator(
                    tempfile.mkdtemp(),
                    net_fn=net_fn,
                    optimizer=optimizer,
                    train_distribute=distribute,
                )
                .train(classifier_input_fn, steps=10)
                .net.variables
            ]
            for distribute in (None, strategy)
        )
        for first, second in zip(one, two, strict=True):
            np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-6)
        values.append(one)
    for one, other in (values[:2], values[2:]):
        assert any((first != second).any() for first, second in zip(one, other, strict=True))


def compare_devices(strategy):
    """Batch normalisation and dropout, whose variables replicas change; in loops and in parts."""
    estimator = classifier_estimator(
        tempfile.mkdtemp(),
        train_distribute=strategy,
        accumulate_gradients=2,
        steps_per_loop=3,
        ema_decay=0.9,
    )
    before = [variable.value.numpy() for variable in estimator.net.variables]
    estimator.train(classifier_input_fn, steps=10)
    estimator.train(classifier_input_fn, steps=10)
    for variable, old in zip(estimator.net.variables, before, strict=True):
        replicas = strategy.experimental_local_results(variable.value)
        first, second = [one.numpy() for one in replicas]
        np.testing.assert_array_equal(first, second, err_msg=variable.path)
        assert (first != old).any(), variable.path
    assert np.isfinite(estimator.evaluate(classifier_eval_input_fn)["loss"])


if __name__ == "__main__":
    main()

"""Gives a network that was built with leaky ReLUs another activation, to compare the two."""

from collections.abc import Callable

import keras


def replace_leaky_relu(net: keras.Model, activation: Callable) -> None:
    """Replaces each in `net`, which must not have been called in a tf.function yet.

    Raises:
      ValueError: If there is none.
    """
    from model.leaky_relu import leaky_relu

    layers = [layer for layer in net.layers if getattr(layer, "activation", None) is leaky_relu]
    if not layers:
        raise ValueError(
            f"a layer of `net` must have a leaky ReLU, received {net.name} without. Use "
            "--net=small or wide."
        )
    for layer in layers:
        layer.activation = activation

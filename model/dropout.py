"""Dropout that a tensor can switch, so that it can begin at a step."""

import keras
import tensorflow as tf

from model.row_random import layer_uniform


class SwitchedDropout(keras.layers.Layer):
    """Inverted dropout whose `training` may be a bool scalar tensor.

    `keras.layers.Dropout` wants a Python bool. Two calls of the network under `tf.cond` would do
    instead, and take 1.6 times the CPU time a step: TensorFlow fuses no convolution with its bias
    and ReLU across the branches (BUILD_NOTES.md, "Speed of a training step"). And it has a variable
    that counts its draws, where this is a function of (seed, step, row), see `model.row_random`.

    Dropout: Srivastava et al., https://jmlr.org/papers/v15/srivastava14a.html.
    """

    def __init__(self, rate: float, seed: int, **kwargs):
        super().__init__(**kwargs)
        self._rate = rate
        self._seed = seed

    def call(self, x, training=False):
        """`x`; or if `training`, `x` with each value 0 at the given rate, the others scaled up."""
        if training is None or training is False or self._rate == 0:
            return x
        keep = 1.0 - self._rate * tf.cast(training, tf.float32)
        mask = layer_uniform(self._seed, x.shape, tf.shape(x)[0]) < keep
        return tf.where(mask, x / tf.cast(keep, x.dtype), tf.zeros_like(x))

    def compute_output_shape(self, input_shape):
        """The input's shape."""
        return input_shape

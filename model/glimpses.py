"""Attention over the columns of a feature map: where each head looks for its own character.

A dense layer over a flattened map has to learn every character anew at each place where it may
stand. Here all heads read what they look at with the same weights, and only where to look is
learned apart. A glimpse is the mean of the columns under weights that add up to 1, which is what
Bahdanau et al. call attention, https://arxiv.org/abs/1409.0473.
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

# Deviation, in widths of a character, of where a fresh head looks; then it is learned. In a trial
# half of that did no worse (BUILD_NOTES.md, "Where heads look").
_SPREAD = 0.6


class Glimpses(keras.layers.Layer):
    """Scores float `[N, L * G * W]` and columns `[N, W, C]` to G glimpses each of L heads.

    `[N, L, G * C]` comes out. To the scores of each picture comes a bias `[L * G, W]`, a weight
    that begins as bells over evenly spread places, G of them within each character's share.
    """

    def __init__(self, num_positions: int, num_glimpses: int, **kwargs):
        super().__init__(**kwargs)
        self.num_positions = num_positions
        self.num_glimpses = num_glimpses

    def build(self, input_shape):
        """Makes the bias."""
        _, (_, num_columns, _) = input_shape
        num_bells = self.num_positions * self.num_glimpses
        places = np.arange(num_columns) + 0.5
        centres = (np.arange(num_bells) + 0.5) * num_columns / num_bells
        deviation = _SPREAD * num_columns / self.num_positions
        bell = -0.5 * ((places - centres[:, np.newaxis]) / deviation) ** 2
        self.where = self.add_weight(
            name="where",
            shape=bell.shape,
            initializer=keras.initializers.Constant(bell),
            autocast=False,
        )

    def call(self, inputs):
        """The weighted means, in the layer's compute dtype; the weights are found in float32."""
        scores, columns = inputs
        scores = tf.reshape(tf.cast(scores, tf.float32), [-1, *self.where.shape])
        weights = tf.nn.softmax(scores + self.where.value)  # [N, L * G, W]
        seen = tf.matmul(tf.cast(weights, columns.dtype), columns)  # [N, L * G, C]
        channels = self.num_glimpses * columns.shape[-1]
        return tf.reshape(seen, [-1, self.num_positions, channels])

    def compute_output_shape(self, input_shape):
        """[N, L, G * C]."""
        _, (num, _, channels) = input_shape
        return (num, self.num_positions, self.num_glimpses * channels)


def glimpses(
    feature_map: keras.KerasTensor,
    context: keras.KerasTensor,
    *,
    num_positions: int,
    num_glimpses: int,
    channels: int,
    activation: Callable | None,
    seeds: tuple[int, int],
    dtype: str,
) -> keras.KerasTensor:
    """What L heads look at.

    Args:
      feature_map: `[N, H, W, C]`.
      context: `[N, F]`, of the whole picture: what says where to look.
      num_positions: L.
      num_glimpses: G, of each head.
      channels: Of a column, once a convolution as high as the map has read it.
      activation: Of that convolution.
      seeds: For the initial weights.
      dtype: Policy of the layers.

    Returns:
      `[N, L, G * channels]`.
    """
    _, height, num_columns, _ = feature_map.shape
    for_columns, for_scores = seeds
    x = keras.layers.ZeroPadding2D((0, 1), dtype=dtype, name="pad_columns")(feature_map)
    x = keras.layers.Conv2D(
        channels,
        (height, 3),
        activation=activation,
        kernel_initializer=keras.initializers.HeNormal(seed=for_columns),
        dtype=dtype,
        name="conv_columns",
    )(x)  # [N, 1, W, channels]
    columns = keras.layers.Reshape((num_columns, channels), dtype=dtype, name="columns")(x)
    scores = keras.layers.Dense(
        num_positions * num_glimpses * num_columns,
        # Small, so that a fresh head looks where the bell is.
        kernel_initializer=keras.initializers.VarianceScaling(0.1, seed=for_scores),
        dtype=dtype,
        name="look",
    )(context)
    layer = Glimpses(num_positions, num_glimpses, dtype=dtype, name="glimpses")
    return layer([scores, columns])

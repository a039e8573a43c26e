"""Attention over the columns of a feature map: where each head looks for its own character.

A dense layer over a flattened map has to learn every character anew at each place where it may
stand. Here all heads read what they look at with the same weights, and only where to look is
learned apart, from the picture as a whole and, if wanted, from what stands in each column. A
glimpse is the mean of the columns under weights that add up to 1, which is what Bahdanau et al.
call attention, https://arxiv.org/abs/1409.0473.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

# Deviation, in widths of a character, of where a fresh head looks; then it is learned. In a trial
# half of that did no worse (BUILD_NOTES.md, "Where heads look").
_SPREAD = 0.6


class Glimpses(keras.layers.Layer):
    """Scores float `[N, L * G * W]` and columns `[N, W, C]` to G glimpses each of L heads.

    `[N, L, G * C]` comes out. To the scores of each picture comes a bias `[L * G, W]`, a weight
    that begins as bells over evenly spread places, G of them within each character's share. Scores
    by what stands in a column, `[N, W, L * G]`, may come third and are added.
    """

    def __init__(self, num_positions: int, num_glimpses: int, **kwargs):
        super().__init__(**kwargs)
        self.num_positions = num_positions
        self.num_glimpses = num_glimpses

    def build(self, input_shape):
        """Makes the bias."""
        _, (_, num_columns, _), *_ = input_shape
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
        scores, columns, *by_content = inputs
        scores = tf.reshape(tf.cast(scores, tf.float32), [-1, *self.where.shape])
        for more in by_content:
            scores += tf.cast(tf.transpose(more, [0, 2, 1]), tf.float32)
        weights = tf.nn.softmax(scores + self.where.value)  # [N, L * G, W]
        seen = tf.matmul(tf.cast(weights, columns.dtype), columns)  # [N, L * G, C]
        channels = self.num_glimpses * columns.shape[-1]
        return tf.reshape(seen, [-1, self.num_positions, channels])

    def compute_output_shape(self, input_shape):
        """[N, L, G * C]."""
        _, (num, _, channels), *_ = input_shape
        return (num, self.num_positions, self.num_glimpses * channels)


def glimpses(
    feature_map: keras.KerasTensor,
    context: keras.KerasTensor,
    *,
    num_positions: int,
    num_glimpses: int,
    channels: int,
    width: int,
    by_content: bool,
    activation: Callable | None,
    seeds: Sequence[int],
    dtype: str,
) -> keras.KerasTensor:
    """What L heads look at.

    Args:
      feature_map: `[N, H, W, C]`.
      context: `[N, F]`, of the whole picture: what says where to look.
      num_positions: L.
      num_glimpses: G, of each head.
      channels: Of a column, once a convolution as high as the map has read it.
      width: Of that convolution, odd.
      by_content: Whether what a column holds says besides whether to look there.
      activation: Of that convolution.
      seeds: For the initial weights; two, and a third by content.
      dtype: Policy of the layers.

    Returns:
      `[N, L, G * channels]`.
    """
    _, height, num_columns, _ = feature_map.shape
    for_columns, for_scores, *for_content = seeds
    x = keras.layers.ZeroPadding2D((0, width // 2), dtype=dtype, name="pad_columns")(feature_map)
    x = keras.layers.Conv2D(
        channels,
        (height, width),
        activation=activation,
        kernel_initializer=keras.initializers.HeNormal(seed=for_columns),
        dtype=dtype,
        name="conv_columns",
    )(x)  # [N, 1, W, channels]
    columns = keras.layers.Reshape((num_columns, channels), dtype=dtype, name="columns")(x)
    num_looks = num_positions * num_glimpses
    inputs = [_scores(num_looks * num_columns, for_scores, dtype, "look")(context), columns]
    if by_content:
        inputs.append(_scores(num_looks, for_content[0], dtype, "look_content")(columns))
    return Glimpses(num_positions, num_glimpses, dtype=dtype, name="glimpses")(inputs)


def _scores(units: int, seed: int, dtype: str, name: str) -> keras.layers.Layer:
    return keras.layers.Dense(
        units,
        # Small, so that a fresh head looks where the bell is.
        kernel_initializer=keras.initializers.VarianceScaling(0.1, seed=seed),
        dtype=dtype,
        name=name,
    )

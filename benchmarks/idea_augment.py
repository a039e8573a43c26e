"""Changes of training pictures that were tried; what helped is in model/augment.py.

All take image uint8 `[N, H, W, 3]`, seed int `[2]` and rows int64 `[N]`, and return the same shape,
float32 or uint8, values in [0, 255].
"""

import itertools

import numpy as np
import tensorflow as tf

from model.row_random import row_uniform

# The six permutation matrices, float32 [6, 3, 3].
_ORDERS = np.stack(
    [np.eye(3, dtype=np.float32)[:, list(order)] for order in itertools.permutations(range(3))]
)
_NUM_DOTS = 15
_DOT_SIDE = 2  # Pixels.
_NOISE_DEVIATION = 6.0  # Of 255.
# Largest deviations: scale and shears as fractions, shifts in pixels.
_SCALE, _SHEAR_X, _SHEAR_Y, _SHIFT_X, _SHIFT_Y = 0.06, 0.1, 0.05, 4.0, 2.0


def channel_order(image: tf.Tensor, seed: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Red, green and blue in one of six orders: captchas draw them alike."""
    orders = tf.cast(row_uniform(seed, rows, 3)[:, 2] * len(_ORDERS), tf.int32)
    pixels = tf.reshape(tf.cast(image, tf.float32), [-1, image.shape[1] * image.shape[2], 3])
    # A product with a permutation matrix takes less than half the time of a gather.
    return tf.reshape(tf.matmul(pixels, tf.gather(tf.constant(_ORDERS), orders)), tf.shape(image))


def affine(image: tf.Tensor, seed: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Scales, shears and shifts about the middle, bilinear, the border reflected."""
    _, height, width, _ = image.shape
    unit = 2 * row_uniform(seed, rows, 6) - 1  # In [-1, 1).
    limits = tf.constant([_SCALE, _SCALE, _SHEAR_X, _SHEAR_Y, _SHIFT_X, _SHIFT_Y])
    scale_x, scale_y, shear_x, shear_y, shift_x, shift_y = tf.unstack(unit * limits, axis=1)
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    a, b, c, d = 1 + scale_x, shear_x, shear_y, 1 + scale_y
    zero = tf.zeros_like(a)
    transforms = tf.stack(
        [
            a, b, middle_x + shift_x - a * middle_x - b * middle_y,
            c, d, middle_y + shift_y - c * middle_x - d * middle_y,
            zero, zero,
        ],
        axis=1,
    )  # fmt: skip
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(image, tf.float32),
        transforms=transforms,
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )


def dots(image: tf.Tensor, seed: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Paints about 15 squares of two pixels in each picture's darkest colour."""
    _, height, width, _ = image.shape
    uniform = tf.reshape(row_uniform(seed, rows, height * width), [-1, height, width, 1])
    corners = tf.cast(uniform < _NUM_DOTS / (height * width), tf.float32)
    mask = tf.nn.max_pool2d(corners, _DOT_SIDE, 1, "SAME")
    pixels = tf.cast(image, tf.float32)
    darkest = tf.reduce_min(pixels, axis=[1, 2], keepdims=True)
    return pixels * (1 - mask) + darkest * mask


def noise(image: tf.Tensor, seed: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Normal noise on every value."""
    del rows
    normal = tf.random.stateless_normal(tf.shape(image), seed)
    return tf.clip_by_value(tf.cast(image, tf.float32) + _NOISE_DEVIATION * normal, 0, 255)

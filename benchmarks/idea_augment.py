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
_GRID_ROWS, _GRID_COLUMNS = 3, 9  # Points whose displacements are drawn; between them, bilinear.
_LARGEST_DISPLACEMENT = 1.5  # Pixels.
_SMALL_DISPLACEMENT = 0.5
_HOLE_ROWS, _HOLE_COLUMNS, _NUM_HOLES = 6, 8, 3
_LEAST_GAIN = 0.6  # Of a channel's distance from the paper.


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


def slightly_elastic(image: tf.Tensor, seed: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """`elastic`, a third of it."""
    return elastic(image, seed, rows, _SMALL_DISPLACEMENT)


def elastic(
    image: tf.Tensor, seed: tf.Tensor, rows: tf.Tensor, largest: float = _LARGEST_DISPLACEMENT
) -> tf.Tensor:
    """Moves each point a little, its neighbours alike, as the library warps each glyph.

    Simard, Steinkraus and Platt, 2003, with a coarse grid in the place of their smoothing.
    """
    _, height, width, channels = image.shape
    unit = 2 * row_uniform(seed, rows, 2 * _GRID_ROWS * _GRID_COLUMNS) - 1  # In [-1, 1).
    points = largest * tf.reshape(unit, [-1, _GRID_ROWS, _GRID_COLUMNS, 2])
    moved = tf.image.resize(points, [height, width])  # [N, H, W, 2]
    from_rows = tf.clip_by_value(moved[..., 0] + tf.range(float(height))[:, None], 0, height - 1)
    from_columns = tf.clip_by_value(moved[..., 1] + tf.range(float(width)), 0, width - 1)
    top, left = tf.floor(from_rows), tf.floor(from_columns)
    down, right = (from_rows - top)[..., None], (from_columns - left)[..., None]
    first = tf.cast(top, tf.int32) * width + tf.cast(left, tf.int32)
    below = tf.where(top < height - 1, width, 0)
    beside = tf.where(left < width - 1, 1, 0)
    pixels = tf.reshape(tf.cast(image, tf.float32), [-1, height * width, channels])

    def at(index: tf.Tensor) -> tf.Tensor:
        return tf.gather(pixels, index, axis=1, batch_dims=1)  # [N, H, W, C]

    upper = (1 - right) * at(first) + right * at(first + beside)
    lower = (1 - right) * at(first + below) + right * at(first + below + beside)
    return (1 - down) * upper + down * lower


def holes(image: tf.Tensor, seed: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Fills three rectangles with the picture's lightest colour: cutout, arXiv:1708.04552."""
    _, height, width, _ = image.shape
    uniform = tf.reshape(row_uniform(seed, rows, 2 * _NUM_HOLES), [-1, _NUM_HOLES, 2, 1])
    from_row, from_column = uniform[:, :, 0] * height, uniform[:, :, 1] * width  # [N, holes, 1]
    row, column = tf.range(float(height)) - from_row, tf.range(float(width)) - from_column
    in_rows = (row >= 0) & (row < _HOLE_ROWS)  # [N, holes, H]
    in_columns = (column >= 0) & (column < _HOLE_COLUMNS)  # [N, holes, W]
    hidden = tf.reduce_any(in_rows[..., None] & in_columns[:, :, None], axis=1)[..., None]
    lightest = tf.reduce_max(image, axis=[1, 2], keepdims=True)
    return tf.cast(tf.where(hidden, lightest, image), tf.float32)


def contrast(image: tf.Tensor, seed: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Brings each channel nearer to the paper's colour by a factor of its own."""
    gain = _LEAST_GAIN + (1 - _LEAST_GAIN) * row_uniform(seed, rows, 3)[:, None, None]
    pixels = tf.cast(image, tf.float32)
    lightest = tf.reduce_max(pixels, axis=[1, 2], keepdims=True)
    return lightest - gain * (lightest - pixels)

"""Random shifts of training pictures, inside the graph and a function of (seed, step) alone."""

import tensorflow as tf


def random_shift(
    image: tf.Tensor, *, max_rows: int, max_columns: int, seed: tf.Tensor
) -> tf.Tensor:
    """Shifts each picture by whole pixels, uniformly in both directions.

    The border is filled by reflection, so that no edge appears that captchas do not have.

    Args:
      image: `[N, H, W, C]`, static H, W, C.
      max_rows: Largest shift up or down, below H.
      max_columns: Largest shift left or right, below W.
      seed: int `[2]`; equal seeds give equal shifts.

    Returns:
      The same shape and dtype.
    """
    if max_rows == 0 and max_columns == 0:
        return image
    _, height, width, _ = image.shape
    num_images = tf.shape(image)[0]
    padding = [[0, 0], [max_rows, max_rows], [max_columns, max_columns], [0, 0]]
    padded = tf.pad(image, padding, mode="SYMMETRIC")
    shifts = tf.random.stateless_uniform([2, num_images], seed)  # [0, 1)
    shifts *= tf.constant([[2 * max_rows + 1.0], [2 * max_columns + 1.0]])
    down, right = tf.unstack(tf.cast(shifts, tf.int32))  # Each [N].
    rows = down[:, None] + tf.range(height)  # [N, H]
    columns = right[:, None] + tf.range(width)  # [N, W]
    moved = tf.gather(padded, rows, axis=1, batch_dims=1)
    return tf.gather(moved, columns, axis=2, batch_dims=1)

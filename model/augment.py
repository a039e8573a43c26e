"""Random shifts of training pictures, inside the graph: a function of (seed, step, row) alone."""

import tensorflow as tf

from model.row_random import row_uniform


def random_shift(
    image: tf.Tensor,
    *,
    max_rows: int,
    max_columns: int,
    seed: tf.Tensor,
    rows: tf.Tensor | None = None,
) -> tf.Tensor:
    """Shifts each picture by whole pixels, uniformly in both directions.

    The border is filled by reflection, so that no edge appears that captchas do not have.

    Args:
      image: `[N, H, W, C]`, static H, W, C.
      max_rows: Largest shift up or down, below H.
      max_columns: Largest shift left or right, below W.
      seed: int `[2]`; equal seeds give equal shifts.
      rows: int64 `[N]`, consecutive: which of a batch these pictures are. None: the first N.

    Returns:
      The same shape and dtype.
    """
    if max_rows == 0 and max_columns == 0:
        return image
    _, height, width, _ = image.shape
    if rows is None:
        rows = tf.range(tf.shape(image, tf.int64)[0])
    limits = tf.constant([max_rows, max_columns], tf.float32)
    uniform = row_uniform(seed, rows, 2)
    shifts = tf.cast(tf.floor(uniform * (2 * limits + 1) - limits), tf.int32)  # [N, 2]
    from_rows = _reflected(shifts[:, :1] + tf.range(height), height)  # [N, H]
    columns = _reflected(shifts[:, 1:] + tf.range(width), width)  # [N, W]
    # Two gathers; padding the pictures first (tf.pad, SYMMETRIC) takes three times as long by
    # itself: BUILD_NOTES.md, "Speed of a training step".
    moved = tf.gather(image, from_rows, axis=1, batch_dims=1)
    return tf.gather(moved, columns, axis=2, batch_dims=1)


def _reflected(index: tf.Tensor, size: int) -> tf.Tensor:
    """Indices from -size to 2 * size - 1 folded back into [0, size): -1 is 0, size is size - 1."""
    index = tf.where(index < 0, -1 - index, index)
    return tf.where(index >= size, 2 * size - 1 - index, index)

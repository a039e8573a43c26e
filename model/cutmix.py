"""Training pictures whose right part is another captcha's, and so is what it says there.

From a few hundred pictures a network also learns what only happens to go together: one that says
9390 under the label 0686 teaches it to read 9 as 0 wherever the last digit is 0. Of recombined
captchas no character says anything about the others.

CutMix: Yun et al., https://arxiv.org/abs/1905.04899; there with labels mixed by area, here each
head has the label of the character that it is shown, so pictures are cut in gaps alone.
"""

import tensorflow as tf

from model.row_random import row_uniform

# Of the mean over a picture's columns: paper, or a thin line across it.
_MOST_INK = 0.4


def swap_right_parts(
    image: tf.Tensor, labels: tf.Tensor, *, share: float, seed: tf.Tensor, rows: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Rows 0 and 1, 2 and 3, ... swap what stands right of a gap between two characters.

    Which gap, of the L - 1, is drawn. It is looked for at most a quarter of a character from where
    even characters would have it; where none is in both pictures, they stay as they are.

    Args:
      image: `[N, H, W, C]`, static H, W, C.
      labels: int64 `[N, L]`, static L, at least 2: as many characters in each captcha.
      share: Of the pairs, how many swap if they can; in [0, 1].
      seed: int `[2]`; equal seeds give equal swaps.
      rows: int64 `[N]`, consecutive: which of a batch these pictures are. One whose partner is not
        among them stays as it is, so a batch may be cut into parts of even numbers of rows.

    Returns:
      image and labels, of the same shapes and dtypes.
    """
    num_positions, width = labels.shape[1], image.shape[2]
    num_rows = tf.shape(rows, tf.int64)[0]
    partners = tf.bitwise.bitwise_xor(rows, tf.ones_like(rows)) - rows[0]
    has_partner = (partners >= 0) & (partners < num_rows)
    partners = tf.where(has_partner, partners, tf.range(num_rows))
    # Of both the same: the first one's.
    uniform = tf.gather(row_uniform(seed, rows, 2), tf.minimum(partners, tf.range(num_rows)))
    num_own = 1 + tf.cast(uniform[:, 1] * (num_positions - 1), tf.int64)  # Characters, of L.

    ink = _ink(image)
    ink = tf.maximum(ink, tf.gather(ink, partners))  # [N, W]
    columns = tf.range(width, dtype=tf.int64)
    even = tf.cast(num_own * width, tf.float32) / num_positions
    strays = tf.abs(tf.cast(columns, tf.float32) - even[:, tf.newaxis])  # [N, W]
    ink = tf.where(strays <= width / (4 * num_positions), ink, ink.dtype.max)
    gap = tf.argmin(ink, axis=1)

    is_swapped = has_partner & (uniform[:, 0] < share) & (tf.reduce_min(ink, axis=1) < _MOST_INK)
    gap = tf.where(is_swapped, gap, width)[:, tf.newaxis]
    num_own = tf.where(is_swapped, num_own, num_positions)[:, tf.newaxis]
    is_own = (columns < gap)[:, tf.newaxis, :, tf.newaxis]  # [N, 1, W, 1]
    mixed = tf.where(is_own, image, tf.gather(image, partners))
    is_own = tf.range(num_positions, dtype=tf.int64) < num_own  # [N, L]
    return mixed, tf.where(is_own, labels, tf.gather(labels, partners))


def _ink(image: tf.Tensor) -> tf.Tensor:
    """How far each column's pixels are from the paper, of the mean over columns; float32 `[N, W]`.

    The paper is the median of each row, so that frames and shades from top to bottom are paper.
    """
    grey = tf.reduce_mean(tf.cast(image, tf.float32), axis=-1)  # [N, H, W]
    paper = tf.sort(grey, axis=2)[:, :, image.shape[2] // 2, tf.newaxis]
    ink = tf.reduce_mean(tf.abs(grey - paper), axis=1)
    return ink / (tf.reduce_mean(ink, axis=1, keepdims=True) + 1e-6)

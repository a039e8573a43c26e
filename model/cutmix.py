"""Training pictures whose right part is another captcha's, and so is what it says there.

From a few hundred pictures a network also learns what only happens to go together: one that says
9390 under the label 0686 teaches it to read 9 as 0 wherever the last digit is 0. Of recombined
captchas no character says anything about the others.

CutMix: Yun et al., https://arxiv.org/abs/1905.04899; there with labels mixed by area, here each
head has the label of the character that it is shown.
"""

import tensorflow as tf

from model.row_random import row_uniform


def swap_right_parts(
    image: tf.Tensor, labels: tf.Tensor, *, share: float, seed: tf.Tensor, rows: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Rows 0 and 1, 2 and 3, ... swap what stands right of a place between two characters.

    The place is drawn from the L - 1 that part the width evenly, so characters have to stand evenly
    in it, and to be as many in each captcha.

    Args:
      image: `[N, H, W, C]`, static H, W, C.
      labels: int64 `[N, L]`, static L, at least 2.
      share: Of the pairs, how many swap; in [0, 1].
      seed: int `[2]`; equal seeds give equal swaps.
      rows: int64 `[N]`, consecutive: which of a batch these pictures are. One whose partner is not
        among them stays as it is, so a batch may be cut into parts of even numbers of rows.

    Returns:
      image and labels, of the same shapes and dtypes.
    """
    num_positions, width = labels.shape[1], image.shape[2]
    here = tf.range(tf.shape(rows, tf.int64)[0])
    partners = tf.bitwise.bitwise_xor(rows, tf.ones_like(rows)) - rows[0]
    has_partner = (partners >= 0) & (partners < tf.shape(rows, tf.int64)[0])
    partners = tf.where(has_partner, partners, here)
    uniform = tf.gather(row_uniform(seed, rows, 2), tf.minimum(here, partners))  # Of both the same.
    is_swapped = has_partner & (uniform[:, 0] < share)
    num_own = 1 + tf.cast(uniform[:, 1] * (num_positions - 1), tf.int64)
    num_own = tf.where(is_swapped, num_own, num_positions)[:, tf.newaxis]
    own_columns = tf.cast(tf.round(num_own * width / num_positions), tf.int64)
    is_own = tf.range(width, dtype=tf.int64) < own_columns  # [N, W]
    mixed = tf.where(is_own[:, tf.newaxis, :, tf.newaxis], image, tf.gather(image, partners))
    is_own = tf.range(num_positions, dtype=tf.int64) < num_own  # [N, L]
    return mixed, tf.where(is_own, labels, tf.gather(labels, partners))

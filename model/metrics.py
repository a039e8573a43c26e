"""What is right: of single characters, and of whole captchas. They are never the same number."""

import math

import tensorflow as tf

# Of the normal distribution: 95 % lie within this many deviations.
_Z_95 = 1.959963984540054


def character_accuracy(
    predicted: tf.Tensor, labels: tf.Tensor, blank: int | None = None
) -> tf.Tensor:
    """The fraction of right characters of each captcha.

    Where labels vary in length, a position counts if label or prediction has a character there: a
    missing character and one too many are both wrong, and blanks found to be blanks are no merit.
    "42" read as "427" gives 2/3, and so does "427" read as "42". A character missing in front moves
    the others, which are then wrong where they stand.

    Args:
      predicted: int `[N, L]`, class indices.
      labels: int `[N, L]`; of each row one at least is not `blank`.
      blank: The class that stands for no character; None if all labels have L characters.

    Returns:
      float32 `[N]`; without a blank multiples of 1 / L. Its mean over a dataset is the accuracy of
      a character, each captcha weighing the same.
    """
    hits = _hits(predicted, labels)
    if blank is None:
        return tf.reduce_mean(hits, axis=1)
    is_character = tf.not_equal(labels, blank) | tf.not_equal(predicted, blank)
    counted = tf.cast(is_character, tf.float32)  # [N, L]
    return tf.reduce_sum(hits * counted, axis=1) / tf.reduce_sum(counted, axis=1)


def sequence_accuracy(predicted: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """1 for each captcha read right as a whole, else 0.

    Blanks are classes like the others here, so the length is right too.

    Args:
      predicted: int `[N, L]`, class indices.
      labels: int `[N, L]`.

    Returns:
      float32 `[N]`. Its mean is the accuracy of whole captchas: with 0.99 of characters right
      and L = 4 about 0.96.
    """
    return tf.reduce_min(_hits(predicted, labels), axis=1)


def wilson_interval(accuracy: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a proportion (Wilson, 1927): its ends stay in [0, 1], also near 1.

    Args:
      accuracy: Proportion seen, in [0, 1].
      n: Of how many independent trials, at least 1.

    Returns:
      Low and high end. 0.985 of 5,000 gives (0.9812, 0.9880).
    """
    center = accuracy + _Z_95**2 / (2 * n)
    half = _Z_95 * math.sqrt(accuracy * (1 - accuracy) / n + _Z_95**2 / (4 * n**2))
    scale = 1 + _Z_95**2 / n
    return max(0.0, (center - half) / scale), min(1.0, (center + half) / scale)


def _hits(predicted: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.equal(tf.cast(predicted, labels.dtype), labels), tf.float32)  # [N, L]

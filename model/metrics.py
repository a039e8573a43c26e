"""What is right: of single characters, and of whole captchas. They are never the same number."""

import math

import tensorflow as tf

# Of the normal distribution: 95 % lie within this many deviations.
_Z_95 = 1.959963984540054


def character_accuracy(predicted: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """The fraction of right characters of each captcha.

    Args:
      predicted: int `[N, L]`, class indices.
      labels: int `[N, L]`.

    Returns:
      float32 `[N]`, multiples of 1 / L. Its mean over a dataset is the accuracy of a character.
    """
    return tf.reduce_mean(_hits(predicted, labels), axis=1)


def sequence_accuracy(predicted: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """1 for each captcha read right as a whole, else 0.

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

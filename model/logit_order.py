"""The order in which the logits of parallel heads stand, and what is found by it.

With N pictures of L characters out of K classes, logits are float32 `[L * N, K]`: row
`position * N + n` is character `position` of picture n. That is what the book's
`concat([...], axis=0)` of L heads `[N, K]` gives, and what every function here assumes. If captchas
vary in length, the last of the K classes is the blank; here it is a class like the others.

No Keras is needed here, so that a program that only reads need not load it.
"""

import tensorflow as tf


def targets_in_logit_order(labels: tf.Tensor) -> tf.Tensor:
    """Class indices in the order of the logits.

    Args:
      labels: int `[N, L]`.

    Returns:
      int `[L * N]`: `labels` transposed, then flattened. (Flattened without transposing, as the
      book has it, each head is trained on a mixture of all positions and stays at chance.)
    """
    return tf.reshape(tf.transpose(labels), [-1])


def logits_by_example(logits: tf.Tensor, num_positions: int) -> tf.Tensor:
    """The logits of each picture together: `[L * N, K]` to `[N, L, K]`."""
    by_position = tf.reshape(logits, [num_positions, -1, logits.shape[-1]])  # [L, N, K]
    return tf.transpose(by_position, [1, 0, 2])


def log_confidence(logits: tf.Tensor) -> tf.Tensor:
    """Log of the probability of the whole text that is read.

    Args:
      logits: float32 `[N, L, K]`.

    Returns:
      float32 `[N]`, in (-inf, 0].
    """
    return tf.reduce_sum(tf.reduce_max(tf.nn.log_softmax(logits), axis=-1), axis=-1)

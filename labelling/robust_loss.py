"""A loss that lets wrong labels be: what contradicts all the others is given up on, not learnt."""

import tensorflow as tf

# Between cross-entropy (0), which learns every wrong label by heart in the end, and the mean
# absolute error (1), which learns too slowly. The authors' own value for labels with noise.
EXPONENT = 0.7


def generalised_cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """(1 - p ** q) / q, p the probability of the label and q `EXPONENT`.

    Its gradient is that of cross-entropy times p ** q: a label that the network holds for
    impossible has no pull. Zhang and Sabuncu, 2018, https://arxiv.org/abs/1805.07836.

    Args:
      labels: int `[N]`, class indices.
      logits: float32 `[N, K]`.

    Returns:
      float32 `[N]`, in [0, 1 / q]: 0 for certainty in the label. For p = 0.5 it is 0.549.
    """
    log_probability = -tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return (1 - tf.exp(EXPONENT * log_probability)) / EXPONENT

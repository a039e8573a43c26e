"""Which labels a network that can read believes.

Labels that people typed are wrong in some of a hundred cases, and a network that sees each picture
often learns those by heart. It learns what most labels say first; from then on, where it is sure of
another text than the label, the label is probably wrong, and is not trained on.

Networks learn by heart last: Arpit et al., https://arxiv.org/abs/1706.05394. Its own reading in
place of the label: Reed et al., https://arxiv.org/abs/1412.6596.
"""

import math

import tensorflow as tf

from model.logit_order import log_confidence

_SURE = 0.9


def trusted_labels(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Those of which the network is not sure that they are wrong.

    Args:
      logits: float32 `[N, L, K]`.
      labels: int64 `[N, L]`.

    Returns:
      bool `[N]`: False where the text read differs from the label and is read with a probability,
      of all its characters together, of at least 0.9. No gradient flows.
    """
    logits = tf.stop_gradient(logits)
    read_otherwise = tf.reduce_any(tf.argmax(logits, axis=-1) != labels, axis=-1)
    return ~(read_otherwise & (log_confidence(logits) >= math.log(_SURE)))

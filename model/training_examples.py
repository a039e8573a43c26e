"""What a step trains on: of several candidates the least sure one, recombined and shifted.

Late in a training nearly all captchas are read rightly and with certainty, and teach nothing. To
look at one costs a fifth of training on it, so of each few candidates a step trains on the one that
the network is least sure of. It is chosen without its label, so that what the network learns of a
picture stays what the picture says; chosen by their loss, captchas that cannot be told apart would
be trained on with the wrong odds. Early in a training nearly every captcha teaches something, and
to take them as they come is faster.

Uncertainty sampling: Lewis and Gale, https://arxiv.org/abs/cmp-lg/9407020. In a training loop, but
by loss: Jiang et al., https://arxiv.org/abs/1910.00762.
"""

import keras
import tensorflow as tf

from model.augment import random_shift
from model.cutmix import swap_right_parts
from model.logit_order import log_confidence, logits_by_example
from model.params import ModelParams

_CUTMIX_SEEDS = 2**31  # Above all seeds of shifts, so that cuts and shifts are independent.


def training_examples(
    image: tf.Tensor,
    labels: tf.Tensor,
    net: keras.Model,
    params: ModelParams,
    step: tf.Tensor,
    rows: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Chooses, then swaps parts of the chosen ones and shifts them.

    Args:
      image: uint8 `[N, H, W, 3]`; with `params.candidates` C above 1 `[N, C, H, W, 3]`, of which
        before `params.candidates_from_step` only the first is looked at: C may be 1 there.
      labels: int64 `[N, L]`; or `[N, C, L]`.
      net: Image to logits, see `model.logit_order`.
      params: Sizes and augmentation.
      step: int64 scalar, the global step.
      rows: int64 `[N]`, consecutive: which of the step's whole batch these are.

    Returns:
      image uint8 `[N, H, W, 3]` and labels int64 `[N, L]`.
    """
    if params.candidates > 1:
        chosen = _chosen(net, image, params, step)
        image = tf.gather(image, chosen, batch_dims=1)
        labels = tf.gather(labels, chosen, batch_dims=1)
    step = tf.cast(step, tf.int64)
    if params.cutmix > 0:
        seed = tf.stack([tf.constant(params.seed + _CUTMIX_SEEDS, tf.int64), step])
        image, labels = swap_right_parts(image, labels, share=params.cutmix, seed=seed, rows=rows)
    shifted = random_shift(
        image,
        max_rows=params.shift_rows,
        max_columns=params.shift_columns,
        seed=tf.stack([tf.constant(params.seed, tf.int64), step]),
        rows=rows,
    )
    return shifted, labels


def _chosen(net: keras.Model, image: tf.Tensor, params: ModelParams, step: tf.Tensor) -> tf.Tensor:
    """Which of each row's candidates is trained on: from `candidates_from_step` on the least sure.

    Before, the first one, and nothing is read. int64 `[N]`.
    """
    if params.candidates_from_step == 0:
        return _least_sure(net, image, params)
    return tf.cond(
        step >= params.candidates_from_step,
        lambda: _least_sure(net, image, params),
        lambda: tf.zeros(tf.shape(image)[:1], tf.int64),
    )


def _least_sure(net: keras.Model, image: tf.Tensor, params: ModelParams) -> tf.Tensor:
    """Of each row's candidates the one whose whole text is least probable; int64 `[N]`."""
    num_candidates = tf.shape(image)[1]  # One, where those of the first steps alone were drawn.
    flat = tf.reshape(image, [-1, *params.network.image_shape])
    logits = logits_by_example(net(flat, training=False), params.network.num_positions)
    return tf.argmin(tf.reshape(log_confidence(logits), [-1, num_candidates]), axis=-1)

"""The book's `model_fn`: features and labels to predictions, loss and metrics.

A pure function of tensors. The network comes in built, so nothing here creates a variable, and
the Estimator can trace it once a mode.
"""

import math
from collections.abc import Mapping

import keras
import tensorflow as tf

from model.estimator import EstimatorSpec, ModeKeys
from model.logit_order import logits_by_example, targets_in_logit_order
from model.metrics import character_accuracy, sequence_accuracy
from model.params import ModelParams
from model.row_random import drawing_for
from model.training_examples import training_examples
from model.trusted_labels import trusted_labels


def model_fn(
    features: Mapping[str, tf.Tensor],
    labels: tf.Tensor | None,
    net: keras.Model,
    mode: str,
    params: ModelParams,
    step: tf.Tensor,
    rows: tf.Tensor | None = None,
) -> EstimatorSpec:
    """What the Estimator needs for `mode`.

    Args:
      features: {"image": uint8 `[N, H, W, 3]`}; to train with C candidates `[N, C, H, W, 3]`.
      labels: int64 `[N, L]`, class indices, or `[N, C, L]`; None to predict.
      net: image to logits float32 `[L * N, K]`, see `model.logit_order`.
      mode: One of `ModeKeys`.
      params: Sizes and augmentation.
      step: int64 scalar, the global step; with the seeds and `rows` it fixes shifts and dropout.
      rows: int64 `[N]`, consecutive: which of the step's whole batch these are. None: all of it.

    Returns:
      PREDICT: predictions `digits` int64 `[N, L]` and `probabilities` float32 `[N, L, K]`; EVAL
      has them too. Otherwise the mean cross-entropy over all positions, ln K at chance, in TRAIN
      against smoothed labels, and `character_accuracy` and `sequence_accuracy`, a value an example.
      A blank, where labels vary in length, is one of the K classes and counts in the loss as any
      other: it is how the network says where a text ends.
    """
    image = features["image"]
    training = mode == ModeKeys.TRAIN
    if rows is None:
        rows = tf.range(tf.shape(image, tf.int64)[0])
    if training:
        image, labels = training_examples(image, labels, net, params, step, rows)
    # A tensor only where it has to be one: a constant lets TensorFlow leave out what it switches.
    drops_out = training and (params.dropout_from_step == 0 or step >= params.dropout_from_step)
    with drawing_for(step, rows):
        logits = net(image, training=drops_out)  # [L * N, K]
    by_example = logits_by_example(logits, params.network.num_positions)  # [N, L, K]
    digits = tf.argmax(by_example, axis=-1)  # [N, L]
    predictions = {"digits": digits}
    if not training:
        predictions["probabilities"] = tf.nn.softmax(by_example)
    if mode == ModeKeys.PREDICT:
        return EstimatorSpec(mode, predictions=predictions)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=targets_in_logit_order(labels), logits=logits
    )  # [L * N]
    if training and params.label_smoothing > 0:
        # Mean over all classes of -ln p: the cross-entropy against the uniform distribution.
        even = tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_mean(logits, axis=-1)
        smoothing = tf.constant(params.label_smoothing)
        if params.label_smoothing_until_step is not None:
            smoothing *= tf.cast(step < params.label_smoothing_until_step, smoothing.dtype)
        losses += smoothing * (even - losses)
    metrics = {
        "character_accuracy": character_accuracy(digits, labels, params.network.blank),
        "sequence_accuracy": sequence_accuracy(digits, labels),
    }
    if training and params.doubt_from_step is not None:
        trusted = tf.cast(trusted_labels(by_example, labels), losses.dtype)  # [N]
        trusted = tf.where(step >= params.doubt_from_step, trusted, tf.ones_like(trusted))
        losses *= tf.tile(trusted, [params.network.num_positions])
    num_classes = params.network.num_classes
    return EstimatorSpec(
        mode,
        predictions=predictions,
        loss=tf.reduce_mean(losses),
        eval_metric_ops=None if training else metrics,
        train_metric_ops=metrics if training else None,
        chance={
            "loss": math.log(num_classes),
            "character_accuracy": 1 / num_classes,
            "sequence_accuracy": num_classes**-params.network.num_positions,
        },
    )

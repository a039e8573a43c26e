"""A label is trusted unless the network is sure of another text."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from model.model_fn import model_fn
from model.networks import NetworkConfig
from model.params import ModelParams
from model.trusted_labels import trusted_labels


def logits_of(*probabilities):
    """float32 [1, L, 3]: of class 0 at each position this probability, the rest shared."""
    return tf.constant(np.log([[[p, (1 - p) / 2, (1 - p) / 2] for p in probabilities]]), tf.float32)


@pytest.mark.parametrize(
    ("probabilities", "label", "trusted"),
    [
        ((0.99, 0.99), (0, 0), True),  # Read as it is labelled.
        ((0.99, 0.99), (0, 1), False),  # One character read otherwise, the text with 0.98.
        ((0.99, 0.99), (2, 1), False),
        ((0.94, 0.94), (0, 1), True),  # Each is surer than 0.9, both together are not.
        ((0.99, 0.5), (0, 1), True),  # The network does not know.
    ],
)
def test_a_text_read_with_certainty_counts_against_its_label(probabilities, label, trusted):
    answer = trusted_labels(logits_of(*probabilities), tf.constant([label], tf.int64))
    assert answer.numpy().tolist() == [trusted]


NETWORK = NetworkConfig(image_shape=(8, 8, 3), num_positions=2, num_classes=3)
PARAMS = ModelParams(network=NETWORK, doubt_from_step=10)


def loss_and_gradient(labels, step, params=PARAMS, mode="train"):
    """Of two captchas that are both read as (0, 0) with certainty."""
    logits = tf.Variable(tf.tile([[6.0, 0.0, 0.0]], [4, 1]))  # [L * N, K]
    image = tf.zeros((2, 8, 8, 3), tf.uint8)
    with tf.GradientTape() as tape:
        spec = model_fn(
            {"image": image},
            tf.constant(labels, tf.int64),
            lambda image, training: tf.identity(logits),
            mode,
            params,
            tf.constant(step, tf.int64),
        )
    return float(spec.loss), tape.gradient(spec.loss, logits).numpy()


def test_from_its_step_on_a_captcha_that_is_not_trusted_gives_no_gradient():
    labels = [[0, 0], [0, 1]]
    loss, gradient = loss_and_gradient(labels, step=10)
    by_example = gradient.reshape(2, 2, 3).transpose(1, 0, 2)
    assert np.abs(by_example[0]).max() > 0
    assert np.abs(by_example[1]).max() == 0  # Also at the position that is read as labelled.
    # What is left counts as much as before: a batch may be cut into parts.
    alone, _ = loss_and_gradient([[0, 0], [0, 0]], step=10)
    assert loss == pytest.approx(alone / 2)


@pytest.mark.parametrize(
    ("step", "params", "mode"),
    [
        (9, PARAMS, "train"),
        (10, dataclasses.replace(PARAMS, doubt_from_step=None), "train"),
        (10, PARAMS, "eval"),  # What is measured is measured by the labels as they are.
    ],
    ids=["before_its_step", "by_default", "evaluation"],
)
def test_else_all_labels_count(step, params, mode):
    loss, _ = loss_and_gradient([[0, 0], [0, 1]], step, params, mode)
    assert loss > 1.4  # One of four characters is 6 nats away.


def test_doubt_from_the_first_step_is_refused():
    with pytest.raises(ValueError, match="`doubt_from_step` must be at least 1, received 0"):
        dataclasses.replace(PARAMS, doubt_from_step=0)

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from model.augment import random_shift
from model.estimator import ModeKeys
from model.logit_order import logits_by_example, targets_in_logit_order
from model.metrics import character_accuracy, sequence_accuracy, wilson_interval
from model.model_fn import model_fn
from model.networks import NetworkConfig
from model.params import ModelParams
from model.schedule import WarmupCosine

LABELS = np.array([[3, 8, 8, 7], [0, 4, 2, 1]])  # The book's captcha, and another.
PARAMS = ModelParams(
    network=NetworkConfig(image_shape=(30, 100, 3), num_positions=4, num_classes=10)
)


def perfect_logits(labels, num_classes=10, margin=20.0):
    """What `concat([head_0, ..., head_3], axis=0)` of heads that are right looks like."""
    heads = [margin * np.eye(num_classes)[labels[:, k]] for k in range(labels.shape[1])]
    return tf.constant(np.concatenate(heads, axis=0), tf.float32)


def test_targets_stand_in_the_order_of_the_logits():
    targets = targets_in_logit_order(tf.constant(LABELS))
    np.testing.assert_array_equal(targets, [3, 0, 8, 4, 8, 2, 7, 1])  # All first digits first.
    np.testing.assert_array_equal(tf.argmax(perfect_logits(LABELS), axis=-1), targets)


def test_logits_by_example_undo_the_concatenation():
    by_example = logits_by_example(perfect_logits(LABELS), 4)
    assert by_example.shape == (2, 4, 10)
    np.testing.assert_array_equal(tf.argmax(by_example, axis=-1), LABELS)


def spec_of(logits, labels=LABELS, mode=ModeKeys.EVAL, params=PARAMS, step=0):
    def net(image, training):
        del training
        assert image.shape[0] == len(labels)
        return logits

    features = {"image": tf.zeros([len(labels), 30, 100, 3], tf.uint8)}
    step = tf.constant(step, tf.int64)
    return model_fn(features, tf.constant(labels), net, mode, params, step)


def test_heads_that_are_right_have_no_loss_and_all_right():
    spec = spec_of(perfect_logits(LABELS))
    assert float(spec.loss) == pytest.approx(0, abs=1e-6)
    np.testing.assert_array_equal(spec.eval_metric_ops["character_accuracy"], [1, 1])
    np.testing.assert_array_equal(spec.eval_metric_ops["sequence_accuracy"], [1, 1])


def test_the_loss_at_chance_is_ln_k():
    assert float(spec_of(tf.zeros([8, 10])).loss) == pytest.approx(math.log(10), rel=1e-6)


def test_the_loss_is_the_mean_cross_entropy_computed_by_hand():
    logits = np.random.default_rng(0).normal(size=(8, 10)).astype(np.float32)
    log_softmax = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    expected = -np.mean([log_softmax[k * 2 + n, LABELS[n, k]] for k in range(4) for n in range(2)])
    assert float(spec_of(tf.constant(logits)).loss) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("mode", "until_step", "step", "share"),
    [
        (ModeKeys.TRAIN, None, 900, 0.2),
        (ModeKeys.TRAIN, 7, 6, 0.2),
        (ModeKeys.TRAIN, 7, 7, 0.0),
        (ModeKeys.EVAL, None, 6, 0.0),
    ],
    ids=["always", "still", "no_longer", "in_evaluation"],
)
def test_labels_are_smoothed_in_training_until_a_step(mode, until_step, step, share):
    logits = np.random.default_rng(0).normal(size=(8, 10)).astype(np.float32)
    log_softmax = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    wanted = np.full((8, 10), share / 10)
    wanted[np.arange(8), LABELS.T.ravel()] += 1 - share
    params = dataclasses.replace(PARAMS, label_smoothing=0.2, label_smoothing_until_step=until_step)
    loss = spec_of(tf.constant(logits), mode=mode, params=params, step=step).loss
    assert float(loss) == pytest.approx(-np.mean((wanted * log_softmax).sum(axis=1)), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "value"), [("label_smoothing", 1.0), ("label_smoothing_until_step", 0)]
)
def test_smoothing_that_cannot_be_is_refused(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .* received {value}"):
        dataclasses.replace(PARAMS, **{name: value})


def test_predictions_are_digits_and_probabilities_by_example():
    predictions = spec_of(perfect_logits(LABELS), mode=ModeKeys.PREDICT).predictions
    np.testing.assert_array_equal(predictions["digits"], LABELS)
    assert predictions["probabilities"].shape == (2, 4, 10)
    np.testing.assert_allclose(tf.reduce_sum(predictions["probabilities"], -1), 1, rtol=1e-6)


def test_accuracy_says_what_it_counts():
    predicted = tf.constant([[3, 8, 8, 7], [0, 4, 2, 9], [1, 1, 1, 1]])
    labels = tf.constant([[3, 8, 8, 7], [0, 4, 2, 1], [2, 2, 2, 2]])
    np.testing.assert_allclose(character_accuracy(predicted, labels), [1, 0.75, 0])
    np.testing.assert_allclose(sequence_accuracy(predicted, labels), [1, 0, 0])


BLANK = 10
MIXED_LABELS = np.array([[4, 2, 10, 10], [0, 4, 2, 1], [7, 10, 10, 10]])
MIXED_PARAMS = ModelParams(
    network=NetworkConfig(image_shape=(30, 100, 3), num_positions=4, num_classes=11, has_blank=True)
)


@pytest.mark.parametrize(
    ("predicted", "accuracy"),
    [
        ([4, 2, 10, 10], 1),
        ([4, 7, 10, 10], 1 / 2),
        ([4, 2, 7, 10], 2 / 3),  # One too many.
        ([4, 10, 10, 10], 1 / 2),  # One missing.
        ([2, 10, 10, 10], 0),  # The first one missing.
        ([4, 2, 7, 7], 1 / 2),
        ([4, 2, 10, 7], 2 / 3),
        ([10, 10, 10, 10], 0),
        ([7, 7, 7, 7], 0),
    ],
    ids=str,
)
def test_blanks_that_are_found_are_no_merit(predicted, accuracy):
    predicted, labels = tf.constant([predicted]), tf.constant([[4, 2, 10, 10]])
    np.testing.assert_allclose(character_accuracy(predicted, labels, BLANK), [accuracy])
    np.testing.assert_array_equal(sequence_accuracy(predicted, labels), [accuracy == 1])


def test_where_labels_have_no_blanks_it_does_not_matter_that_there_is_one():
    rng = np.random.default_rng(0)
    labels = tf.constant(rng.integers(0, 10, (200, 4)))
    predicted = tf.constant(rng.integers(0, 11, (200, 4)))
    np.testing.assert_allclose(
        character_accuracy(predicted, labels, BLANK), character_accuracy(predicted, labels)
    )


def test_metrics_of_mixed_lengths_are_those_with_the_blank():
    read = np.array([[4, 2, 10, 10], [0, 4, 2, 10], [7, 7, 10, 10]])
    spec = spec_of(perfect_logits(read, num_classes=11), MIXED_LABELS, params=MIXED_PARAMS)
    np.testing.assert_allclose(spec.eval_metric_ops["character_accuracy"], [1, 3 / 4, 1 / 2])
    np.testing.assert_array_equal(spec.eval_metric_ops["sequence_accuracy"], [1, 0, 0])


def test_the_loss_counts_a_blank_as_any_class():
    right = np.eye(11)[MIXED_LABELS]  # [3, 4, 11]
    logits = np.concatenate([20.0 * right[:, position] for position in range(4)])
    logits[3 * 3] = 0  # Position 3 of the first captcha, a blank, is left to chance: ln 11.
    spec = spec_of(tf.constant(logits, tf.float32), MIXED_LABELS, params=MIXED_PARAMS)
    assert float(spec.loss) == pytest.approx(math.log(11) / 12, rel=1e-4)


def test_a_blank_is_predicted_and_has_its_probability():
    logits = perfect_logits(MIXED_LABELS, num_classes=11)
    spec = spec_of(logits, MIXED_LABELS, ModeKeys.PREDICT, MIXED_PARAMS)
    np.testing.assert_array_equal(spec.predictions["digits"], MIXED_LABELS)
    assert spec.predictions["probabilities"].shape == (3, 4, 11)


@pytest.mark.parametrize(
    ("accuracy", "n", "low", "high"),
    # Of the published tables of Wilson's interval: 15 of 20, none of 10, all of 10.
    [(0.75, 20, 0.5313, 0.8881), (0.0, 10, 0.0, 0.2775), (1.0, 10, 0.7225, 1.0)],
)
def test_wilson_interval(accuracy, n, low, high):
    assert wilson_interval(accuracy, n) == pytest.approx((low, high), abs=1e-4)


def test_a_shift_moves_whole_pixels_by_at_most_its_limits():
    image = np.zeros((200, 30, 100, 3), np.uint8)
    image[:, 15, 50] = 255
    shift = {"max_rows": 2, "max_columns": 4}
    moved = random_shift(tf.constant(image), seed=tf.constant([0, 1]), **shift).numpy()
    assert moved.dtype == np.uint8
    assert moved.shape == image.shape
    _, rows, columns, _ = np.nonzero(moved)
    assert set(rows) == {13, 14, 15, 16, 17}
    assert set(columns) == set(range(46, 55))
    again = random_shift(tf.constant(image), seed=tf.constant([0, 1]), **shift)
    other = random_shift(tf.constant(image), seed=tf.constant([0, 2]), **shift)
    np.testing.assert_array_equal(moved, again)
    assert (moved != other.numpy()).any()


def test_no_shift_leaves_the_picture():
    image = tf.constant(np.random.default_rng(0).integers(0, 256, (2, 30, 100, 3)))
    kept = random_shift(image, max_rows=0, max_columns=0, seed=tf.constant([0, 1]))
    np.testing.assert_array_equal(kept, image)


@pytest.mark.parametrize(
    ("step", "rate"),
    [
        (0, 0.001 / 100),
        (49, 0.0005),
        (99, 0.001),
        (550, 0.001 * 0.505),
        (1000, 0.00001),
        (9999, 0.00001),
    ],
    ids=["first", "half_warm", "peak", "half_way", "end", "past_the_end"],
)
def test_the_learning_rate_rises_and_falls(step, rate):
    assert float(WarmupCosine(0.001, 100, 1000)(step)) == pytest.approx(rate, rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 10, 100), r"`learning_rate` must be in \(0, 1\), received 0.0"),
        ((2.0, 10, 100), "received 2.0"),
        ((0.1, 100, 100), r"`warmup_steps` must be in \[0, max_steps\), received 100 of 100"),
    ],
)
def test_the_schedule_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        WarmupCosine(*arguments)


@pytest.mark.parametrize("name", ["shift_rows", "shift_columns"])
def test_shifts_must_leave_a_picture(name):
    with pytest.raises(ValueError, match=rf"`{name}` must be in \[0, \d+\), received 100"):
        ModelParams(network=PARAMS.network, **{name: 100})

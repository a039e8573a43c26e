"""A step trains on captchas recombined and shifted, of several candidates on the least sure."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from model.augment import random_shift
from model.networks import NetworkConfig
from model.params import ModelParams
from model.training_examples import training_examples

SHAPE = (4, 6, 3)
NETWORK = NetworkConfig(image_shape=SHAPE, num_positions=2, num_classes=3)
PARAMS = ModelParams(network=NETWORK, candidates=3, seed=5)
ROWS = tf.range(4, dtype=tf.int64)
STEP = tf.constant(10, tf.int64)


def sure_as_its_brightness(image, training=None):
    """Logits [L * N, K] whose first class is the more probable the brighter the picture is."""
    assert training is False  # To choose, nothing is dropped out.
    brightness = tf.reduce_mean(tf.cast(image, tf.float32), axis=[1, 2, 3]) / 10
    one_position = tf.stack([brightness, 0 * brightness, 0 * brightness], axis=1)
    return tf.concat([one_position, one_position], axis=0)


def candidates(brightness):
    """Images [N, C, H, W, 3] of one grey each, and labels [N, C, 2] that tell which they are."""
    brightness = np.array(brightness, np.uint8)
    image = np.broadcast_to(brightness[..., None, None, None], (*brightness.shape, *SHAPE))
    labels = np.stack([brightness, brightness], axis=-1).astype(np.int64)
    return tf.constant(np.ascontiguousarray(image)), tf.constant(labels)


BRIGHTNESS = [[90, 10, 50], [7, 8, 9], [30, 20, 10], [99, 98, 97]]


def test_of_each_rows_candidates_the_least_sure_is_trained_on():
    chosen = [10, 7, 10, 97]
    image, labels = training_examples(
        *candidates(BRIGHTNESS), sure_as_its_brightness, PARAMS, STEP, ROWS
    )
    assert labels.numpy().tolist() == [[label, label] for label in chosen]
    assert image.shape == (4, *SHAPE)
    assert image.dtype == tf.uint8
    assert image.numpy()[:, 0, 0, 0].tolist() == chosen  # The picture of that label.


@pytest.mark.parametrize("num_drawn", [3, 1], ids=["all_drawn", "one_drawn"])
def test_before_candidates_begin_the_first_is_trained_on_and_none_is_read(num_drawn):
    params = dataclasses.replace(PARAMS, candidates_from_step=11)
    image, labels = (tensor[:, :num_drawn] for tensor in candidates(BRIGHTNESS))
    chosen, chosen_labels = training_examples(image, labels, None, params, STEP, ROWS)
    assert chosen.numpy()[:, 0, 0, 0].tolist() == [90, 7, 30, 99]
    np.testing.assert_array_equal(chosen_labels, labels[:, 0])


def test_from_the_step_on_where_candidates_begin_the_least_sure_is_trained_on():
    params = dataclasses.replace(PARAMS, candidates_from_step=10)
    image, labels = candidates(BRIGHTNESS)
    chosen, _ = training_examples(image, labels, sure_as_its_brightness, params, STEP, ROWS)
    assert chosen.numpy()[:, 0, 0, 0].tolist() == [10, 7, 10, 97]


def test_the_label_has_no_say():
    image, labels = candidates(BRIGHTNESS)
    rng = np.random.default_rng(0)
    chosen, _ = training_examples(image, labels, sure_as_its_brightness, PARAMS, STEP, ROWS)
    other_labels = tf.constant(rng.integers(0, 3, labels.shape))
    again, _ = training_examples(image, other_labels, sure_as_its_brightness, PARAMS, STEP, ROWS)
    np.testing.assert_array_equal(chosen, again)


def test_rows_are_chosen_and_shifted_alike_in_whatever_parts_a_batch_is_cut():
    rng = np.random.default_rng(1)
    image = tf.constant(rng.integers(0, 256, (4, 3, *SHAPE), dtype=np.uint8))
    labels = tf.constant(rng.integers(0, 3, (4, 3, 2)))
    params = dataclasses.replace(PARAMS, shift_rows=2, shift_columns=3)

    def chosen(begin, end):
        return training_examples(
            image[begin:end],
            labels[begin:end],
            sure_as_its_brightness,
            params,
            STEP,
            ROWS[begin:end],
        )

    whole, parts = chosen(0, 4), [chosen(0, 1), chosen(1, 4)]
    for index, tensor in enumerate(whole):
        np.testing.assert_array_equal(tensor, np.concatenate([part[index] for part in parts]))


def test_without_candidates_all_are_shifted_as_ever():
    rng = np.random.default_rng(2)
    image = tf.constant(rng.integers(0, 256, (4, *SHAPE), dtype=np.uint8))
    labels = tf.constant(rng.integers(0, 3, (4, 2)))
    params = dataclasses.replace(PARAMS, candidates=1, shift_rows=1, shift_columns=2)
    shifted, same_labels = training_examples(image, labels, None, params, STEP, ROWS)
    wanted = random_shift(image, max_rows=1, max_columns=2, seed=tf.constant([5, 10]), rows=ROWS)
    np.testing.assert_array_equal(shifted, wanted)
    np.testing.assert_array_equal(same_labels, labels)


def test_the_chosen_candidate_is_shifted_as_its_row():
    image, labels = candidates(BRIGHTNESS)
    ramp = tf.cast(tf.range(SHAPE[1])[None, None, None, :, None], tf.uint8)  # Columns differ.
    params = dataclasses.replace(PARAMS, shift_columns=2)
    shifted, _ = training_examples(image + ramp, labels, sure_as_its_brightness, params, STEP, ROWS)
    chosen = tf.gather(image + ramp, [1, 0, 2, 2], batch_dims=1)
    wanted = random_shift(chosen, max_rows=0, max_columns=2, seed=tf.constant([5, 10]), rows=ROWS)
    np.testing.assert_array_equal(shifted, wanted)
    assert (shifted.numpy() != chosen.numpy()).any()


def test_chosen_candidates_swap_their_parts_before_they_are_shifted():
    image, labels = candidates(BRIGHTNESS)
    bars = np.zeros(SHAPE, bool)
    bars[1, :2] = bars[2, 4:] = True  # Two characters, and between them two columns of paper.
    drawn = tf.where(bars, image, tf.constant(200, tf.uint8))
    params = dataclasses.replace(PARAMS, cutmix=1.0, shift_rows=1)

    def sure_as_its_bars(image, training=None):
        return sure_as_its_brightness(tf.reduce_min(image, axis=[1, 2, 3], keepdims=True), training)

    mixed, mixed_labels = training_examples(drawn, labels, sure_as_its_bars, params, STEP, ROWS)
    # Of 10, 7, 10 and 97, which is what is chosen, neighbours swap. Shifts are up and down alone.
    assert mixed_labels.numpy().tolist() == [[10, 7], [7, 10], [10, 97], [97, 10]]
    darkest = mixed.numpy()[..., 0].min(axis=1)  # Of each column.
    assert darkest[:, [0, 1, 4, 5]].tolist() == [
        [10, 10, 7, 7],
        [7, 7, 10, 10],
        [10, 10, 97, 97],
        [97, 97, 10, 10],
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cutmix": 1.5}, r"`cutmix` must be in \[0, 1\], received 1.5"),
        (
            {"cutmix": 0.5, "network": dataclasses.replace(NETWORK, num_positions=1)},
            "`cutmix` must be 0 for captchas of one character .* received 0.5. Set --cutmix=0",
        ),
        (
            {"cutmix": 0.5, "network": dataclasses.replace(NETWORK, has_blank=True)},
            "`cutmix` must be 0 for captchas of one character or of several lengths",
        ),
        ({"candidates": 0}, "`candidates` must be at least 1, received 0"),
        ({"candidates_from_step": -1}, "`candidates_from_step` must be at least 0, received -1"),
    ],
    ids=["more_than_all", "one_character", "several_lengths", "none", "before_the_first_step"],
)
def test_numbers_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(PARAMS, **options)

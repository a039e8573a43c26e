"""Pairs of captchas swap what stands right of a gap between two characters, labels too."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from model.cutmix import swap_right_parts

HEIGHT, WIDTH, L = 12, 40, 4
PAPER = 200
SEED = tf.constant([3, 7])


def captchas(num, wander=0, frame=False, gap=2):
    """Captcha r has the labels 10 r to 10 r + 3, each drawn as bars of that grey, paper between.

    Characters are 10 columns wide, the last `gap` of them paper, and begin at `wander`. Each has
    rows of its own, as no row of a captcha is ink for the most part.
    """
    labels = 10 * np.arange(num)[:, None] + np.arange(L)
    image = np.full((num, HEIGHT, WIDTH + abs(wander), 3), PAPER, np.uint8)
    for position in range(L):
        begin = 10 * position + max(wander, 0)
        image[:, 1 + position : -1 : L, begin : begin + 10 - gap] = labels[
            :, position, None, None, None
        ]
    image = image[:, :, abs(min(wander, 0)) :][:, :, :WIDTH]
    if frame:
        image[:, [0, -1]] = 0
    return image, labels


def read(image):
    """The greys of each picture that are bars, from left to right, each once."""
    lines = np.asarray(image)[:, 1:-1, :, 0].min(axis=1)  # [N, W]
    return [
        [int(grey) for grey, _ in itertools.groupby(line[line != PAPER].tolist())] for line in lines
    ]


def swap(num, share, begin=0, seed=SEED, **drawn):
    image, labels = captchas(begin + num, **drawn)
    rows = tf.range(begin, begin + num, dtype=tf.int64)
    image, labels = tf.constant(image[begin:]), tf.constant(labels[begin:])
    return swap_right_parts(image, labels, share=share, seed=seed, rows=rows)


@pytest.mark.parametrize(
    "drawn",
    [{}, {"wander": 2}, {"wander": -1}, {"frame": True}, {"gap": 1}],
    ids=["even", "to_the_right", "to_the_left", "with_a_frame", "narrow_gaps"],
)
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_picture_shows_what_its_label_says(share, drawn):
    image, labels = swap(20, share, **drawn)
    assert read(image) == labels.numpy().tolist()
    assert (labels.numpy() != captchas(20)[1]).any(), "some are swapped"
    assert image.dtype == tf.uint8
    assert labels.dtype == tf.int64


@pytest.mark.parametrize(
    "drawn", [{"gap": 0}, {"wander": 5}], ids=["no_gaps", "gaps_where_characters_should_be"]
)
def test_where_no_gap_is_nothing_is_swapped(drawn):
    image, labels = swap(20, 1.0, **drawn)
    expected_image, expected_labels = captchas(20, **drawn)
    np.testing.assert_array_equal(image, expected_image)
    np.testing.assert_array_equal(labels, expected_labels)


def test_a_gap_in_one_of_two_is_none():
    with_gaps, without = captchas(2)[0], captchas(2, gap=0)[0]
    image = tf.constant(np.stack([with_gaps[0], without[1]]))
    rows = tf.range(2, dtype=tf.int64)
    labels = tf.constant(captchas(2)[1])
    same, _ = swap_right_parts(image, labels, share=1.0, seed=SEED, rows=rows)
    np.testing.assert_array_equal(same, image)


def test_blank_pictures_are_numbers_all_the_same():
    blank = tf.fill([2, HEIGHT, WIDTH, 3], tf.constant(PAPER, tf.uint8))
    rows = tf.range(2, dtype=tf.int64)
    labels = tf.constant(captchas(2)[1])
    image, _ = swap_right_parts(blank, labels, share=1.0, seed=SEED, rows=rows)
    np.testing.assert_array_equal(image, blank)


def test_partners_swap_so_that_all_characters_are_seen_as_often_as_before():
    num = 24  # More would need greys above 255.
    num_own = []
    for seed in range(20):
        labels = swap(num, 1.0, seed=tf.constant([seed, 1]))[1].numpy()
        for first in range(0, num, 2):
            own = labels[first] // 10 == first
            assert own[0], "the left part is its own"
            assert not own[-1], "the right part is not"
            np.testing.assert_array_equal(labels[first + 1] // 10 == first + 1, own)
            assert set(labels[first] // 10) == {first, first + 1}
            num_own.append(own.sum())
    # Each of three gaps in about a third of 240 pairs.
    assert min(np.bincount(num_own, minlength=4)[1:]) > 50


@pytest.mark.parametrize(("share", "fewest", "most"), [(0.0, 0, 0), (0.5, 35, 65), (1.0, 100, 100)])
def test_so_many_pairs_swap(share, fewest, most):
    image, labels = (tf.tile(tensor, [10, *[1] * (tensor.ndim - 1)]) for tensor in captchas(20))
    rows = tf.range(200, dtype=tf.int64)
    _, swapped = swap_right_parts(image, labels, share=share, seed=SEED, rows=rows)
    num_swapped = (swapped.numpy()[::2] != labels.numpy()[::2]).any(axis=1).sum()
    assert fewest <= num_swapped <= most


@pytest.mark.parametrize("cuts", [[2, 6], [4], [2, 4, 6]])
def test_in_parts_of_even_numbers_of_rows_the_same_is_swapped(cuts):
    whole = swap(8, 0.7)
    image, labels = captchas(8)
    bounds = [0, *cuts, 8]
    parts = [
        swap_right_parts(
            tf.constant(image[begin:end]),
            tf.constant(labels[begin:end]),
            share=0.7,
            seed=SEED,
            rows=tf.range(begin, end, dtype=tf.int64),
        )
        for begin, end in itertools.pairwise(bounds)
    ]
    for index, tensor in enumerate(whole):
        np.testing.assert_array_equal(tensor, np.concatenate([part[index] for part in parts]))


@pytest.mark.parametrize(("num", "begin", "alone"), [(5, 0, 4), (4, 1, 0), (1, 3, 0)])
def test_a_row_whose_partner_is_elsewhere_stays_as_it_is(num, begin, alone):
    image, labels = swap(num, 1.0, begin)
    expected_image, expected_labels = captchas(begin + num)
    np.testing.assert_array_equal(image[alone], expected_image[begin + alone])
    np.testing.assert_array_equal(labels[alone], expected_labels[begin + alone])


def test_another_seed_swaps_otherwise():
    assert (swap(20, 0.5)[1].numpy() != swap(20, 0.5, seed=tf.constant([3, 8]))[1].numpy()).any()

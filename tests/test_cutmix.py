"""Pairs of captchas swap what stands right of a place between two characters, labels too."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from model.cutmix import swap_right_parts

HEIGHT, WIDTH, L = 3, 10, 4
BORDERS = [0, 2, 5, 8, 10]  # Of 10 columns for 4 characters; 2.5 and 7.5 to the even number.
SEED = tf.constant([3, 7])


def captchas(num):
    """Row r is 10 r + the position of each column's character; its labels are the same numbers."""
    labels = 10 * np.arange(num)[:, None] + np.arange(L)
    columns = np.repeat(labels, np.diff(BORDERS), axis=1)
    image = np.broadcast_to(columns[:, None, :, None], (num, HEIGHT, WIDTH, 3)).astype(np.uint8)
    return tf.constant(np.ascontiguousarray(image)), tf.constant(labels)


def swap(num, share, begin=0, seed=SEED):
    image, labels = captchas(begin + num)
    rows = tf.range(begin, begin + num, dtype=tf.int64)
    return swap_right_parts(image[begin:], labels[begin:], share=share, seed=seed, rows=rows)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_each_character_of_a_picture_keeps_its_label(share):
    image, labels = swap(20, share)
    columns = np.repeat(labels, np.diff(BORDERS), axis=1)
    for row in range(HEIGHT):
        np.testing.assert_array_equal(image[:, row, :, 0], columns)
    assert image.dtype == tf.uint8
    assert labels.dtype == tf.int64


def test_partners_swap_so_that_all_characters_are_seen_as_often_as_before():
    _, labels = swap(200, 1.0)
    num_own = []
    for first in range(0, 200, 2):
        own = labels[first].numpy() // 10 == first
        assert own[0], "the left part is its own"
        assert not own[-1], "the right part is not"
        np.testing.assert_array_equal(labels[first + 1].numpy() // 10 == first + 1, own)
        assert set(labels[first].numpy() // 10) == {first, first + 1}
        num_own.append(own.sum())
    # Each of three places in about a third of a hundred pairs.
    assert min(np.bincount(num_own, minlength=4)[1:]) > 20


@pytest.mark.parametrize(("share", "fewest", "most"), [(0.0, 0, 0), (0.5, 35, 65), (1.0, 100, 100)])
def test_so_many_pairs_swap(share, fewest, most):
    _, labels = swap(200, share)
    is_swapped = (labels.numpy()[::2] != captchas(200)[1].numpy()[::2]).any(axis=1)
    assert fewest <= is_swapped.sum() <= most


@pytest.mark.parametrize("cuts", [[2, 6], [4], [2, 4, 6]])
def test_in_parts_of_even_numbers_of_rows_the_same_is_swapped(cuts):
    whole = swap(8, 0.7)
    bounds = [0, *cuts, 8]
    parts = [swap(end - begin, 0.7, begin) for begin, end in itertools.pairwise(bounds)]
    for index, tensor in enumerate(whole):
        np.testing.assert_array_equal(tensor, np.concatenate([part[index] for part in parts]))


@pytest.mark.parametrize(("num", "begin", "alone"), [(5, 0, 4), (4, 1, 0), (1, 3, 0)])
def test_a_row_whose_partner_is_elsewhere_stays_as_it_is(num, begin, alone):
    image, labels = swap(num, 1.0, begin)
    expected_image, expected_labels = captchas(begin + num)
    np.testing.assert_array_equal(image[alone], expected_image[begin + alone])
    np.testing.assert_array_equal(labels[alone], expected_labels[begin + alone])


def test_another_seed_swaps_otherwise():
    assert (swap(40, 0.5)[1].numpy() != swap(40, 0.5, seed=tf.constant([3, 8]))[1].numpy()).any()

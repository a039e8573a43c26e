import numpy as np
import pytest
import tensorflow as tf

from model.augment import random_shift
from model.dropout import SwitchedDropout
from model.row_random import drawing_for, row_uniform

SEED = tf.constant([3, 5], tf.int64)


def rows(begin, end):
    return tf.range(begin, end, dtype=tf.int64)


@pytest.mark.parametrize("num", [1, 2, 4, 7, 256])
@pytest.mark.parametrize(("begin", "end"), [(0, 1), (0, 50), (17, 50), (49, 50)])
def test_rows_draw_what_they_would_in_the_whole_batch(num, begin, end):
    whole = row_uniform(SEED, rows(0, 50), num).numpy()
    assert whole.shape == (50, num)
    np.testing.assert_array_equal(row_uniform(SEED, rows(begin, end), num), whole[begin:end])


def test_the_whole_batch_draws_what_tensorflow_documents():
    # So they are as uniform as TensorFlow's, and in [0, 1).
    expected = tf.random.stateless_uniform([50, 8], SEED)
    np.testing.assert_array_equal(row_uniform(SEED, rows(0, 50), 8), expected)


def test_no_two_rows_and_no_two_seeds_draw_the_same():
    draws = [row_uniform(tf.constant(seed), rows(0, 20), 2).numpy() for seed in ([0, 1], [0, 2])]
    values = np.concatenate(draws).ravel()
    assert len(np.unique(values)) == len(values)


def test_a_part_of_a_batch_is_shifted_as_in_the_whole():
    image = tf.constant(np.random.default_rng(0).integers(0, 256, (9, 30, 100, 3), np.uint8))
    limits = {"max_rows": 2, "max_columns": 4, "seed": SEED}
    whole = random_shift(image, **limits).numpy()
    part = random_shift(image[4:7], **limits, rows=rows(4, 7)).numpy()
    np.testing.assert_array_equal(part, whole[4:7])


@pytest.mark.parametrize("shape", [(9, 10), (9, 3, 5)], ids=["units", "units_of_places"])
def test_dropout_within_a_step_is_a_function_of_seed_step_and_row(shape):
    ones = np.ones(shape, np.float32)

    def dropped(seed=1, step=5, begin=0, end=9):
        layer = SwitchedDropout(0.5, seed=seed)
        with drawing_for(tf.constant(step, tf.int64), rows(begin, end)):
            return layer(ones[begin:end], training=True).numpy()

    whole = dropped()
    np.testing.assert_array_equal(dropped(), whole)
    np.testing.assert_array_equal(dropped(begin=4, end=7), whole[4:7])
    assert (dropped(begin=0, end=4) != dropped(begin=4, end=8)).any()  # Replicas' masks differ.
    assert (dropped(step=6) != whole).any()
    assert (dropped(seed=2) != whole).any()


def test_dropout_has_nothing_to_be_saved():
    assert not SwitchedDropout(0.5, seed=1).variables

import concurrent.futures

import numpy as np
import pytest

from data_gen.example_stream import example_stream


@pytest.mark.parametrize("place", [(0, 0, 0), (5, 1, 7), (2**63 - 1, 2, 10**9), (2**64 - 1, 0, 1)])
def test_it_is_numpys_philox_at_a_place_of_its_own(place):
    seed, split_id, index = place
    key, counter = np.array([seed, split_id], np.uint64), np.array([0, 0, 0, index], np.uint64)
    numpys = np.random.Generator(np.random.Philox(key=key, counter=counter))
    ours = example_stream(*place)
    np.testing.assert_array_equal(
        ours.integers(2**32, size=99, dtype=np.uint32),
        numpys.integers(2**32, size=99, dtype=np.uint32),
    )


def test_it_does_not_hang_on_what_was_drawn_before():
    expected = example_stream(1, 0, 5).random(9)
    example_stream(1, 0, 6).integers(2**32, size=3, dtype=np.uint32)  # Leaves half a word over.
    np.testing.assert_array_equal(example_stream(1, 0, 5).random(9), expected)


def test_neighbours_share_nothing():
    """2 seeds, 3 splits, 200 indices; 100 words of 32 bits each: all distinct but by chance."""
    words = [
        example_stream(seed, split_id, index).integers(2**63, size=50)
        for seed in (0, 1)
        for split_id in (0, 1, 2)
        for index in range(200)
    ]
    assert len(np.unique(words)) == 2 * 3 * 200 * 50


def test_first_numbers_of_neighbours_are_uniform_and_do_not_go_together():
    """A weak generator shows here: its first draws follow the index."""
    first = np.array([example_stream(0, 0, index).random(2) for index in range(20000)])
    for column in first.T:
        counts = np.histogram(column, bins=16, range=(0, 1))[0]
        assert ((counts - 1250) ** 2 / 1250).sum() < 37.7, "15 degrees of freedom, p = 0.001"
        assert abs(np.corrcoef(column[:-1], column[1:])[0, 1]) < 0.025
    assert abs(np.corrcoef(first.T)[0, 1]) < 0.025


def test_threads_have_their_own():
    expected = [example_stream(3, 0, index).random(50).tolist() for index in range(200)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda i: example_stream(3, 0, i).random(50).tolist(), range(200)))
    assert drawn == expected

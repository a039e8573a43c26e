"""Which of people's own pictures are to train on and which to test on."""

import collections

import numpy as np

from data_gen.picture_files import Picture

_SPLIT_ID = 3  # Of the one random draw, next to those in `data_gen.example`.


def split(
    pictures: list[Picture], num_test: int | None, seed: int
) -> tuple[list[Picture], list[Picture]]:
    """Train and test, drawn by seed; identical pictures lie on the same side.

    Args:
      pictures: At least two different ones.
      num_test: At least so many to test on, and no more than identical ones add; None: a tenth.
      seed: Non-negative.

    Raises:
      ValueError: If nothing is left to train on.
    """
    num_test = num_test or max(1, len(pictures) // 10)
    counts = collections.Counter(picture.pixel_hash for picture in pictures)
    hashes = sorted(counts)
    order = np.random.default_rng((seed, _SPLIT_ID, 0)).permutation(len(hashes))
    test_hashes: set[bytes] = set()
    num_chosen = 0
    for index in order:
        if num_chosen >= num_test:
            break
        test_hashes.add(hashes[index])
        num_chosen += counts[hashes[index]]
    train = [picture for picture in pictures if picture.pixel_hash not in test_hashes]
    test = [picture for picture in pictures if picture.pixel_hash in test_hashes]
    if not train:
        raise ValueError(
            f"`n_test` must leave pictures to train on, received {num_test} of {len(pictures)}. "
            "Lower --n_test."
        )
    return train, test

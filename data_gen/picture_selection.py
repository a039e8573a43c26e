"""Which of people's own pictures make a dataset together, and the side of the split of each."""

import collections
import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from data_gen.picture_files import Picture, Problems

_DIGITS = "0123456789"
_SPLIT_ID = 3  # Of the split's one random draw, next to those in `data_gen.example`.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the user asks pictures to be; None is found from the pictures themselves."""

    width_px: int | None = None  # None: the most frequent size.
    height_px: int | None = None
    num_positions: int | None = None  # None: the most frequent length of a label.
    alphabet: str | None = None  # None: 0-9 if all labels are digits, else what the labels have.
    any_size: bool = False  # Pictures of another size will be resized.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Common:
    """What all accepted pictures have in common."""

    size: tuple[int, int]  # Width, height in pixels.
    num_positions: int
    alphabet: str


def select(
    pictures: list[Picture], wanted: Wanted
) -> tuple[list[Picture], Common | None, Problems]:
    """The pictures that fit together.

    Returns:
      The accepted ones in their order, what they have in common (None if there are none), and why
      each of the others was rejected.
    """
    pictures, problems = _without_conflicts(pictures)
    if not pictures:
        return [], None, problems
    length = wanted.num_positions or _most_frequent(len(picture.label) for picture in pictures)
    width, height = _most_frequent(picture.size for picture in pictures)
    size = (wanted.width_px or width, wanted.height_px or height)
    accepted = []
    for picture in pictures:
        label = picture.label
        outside = [char for char in label if wanted.alphabet and char not in wanted.alphabet]
        if len(label) != length:
            problems[picture.path] = f"label {label!r} is not {length} characters long"
        elif outside:
            problems[picture.path] = f"label {label!r} has {outside[0]!r}, not in --alphabet"
        elif picture.size != size and not wanted.any_size:
            problems[picture.path] = (
                f"it is {picture.size[0]} x {picture.size[1]} px, not {size[0]} x {size[1]}; "
                "--resize=stretch or pad takes it"
            )
        else:
            accepted.append(picture)
    characters = set("".join(picture.label for picture in accepted))
    found = _DIGITS if characters <= set(_DIGITS) else "".join(sorted(characters))
    return (
        accepted,
        Common(size=size, num_positions=length, alphabet=wanted.alphabet or found),
        problems,
    )


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
    test_hashes: set[str] = set()
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


def _without_conflicts(pictures: list[Picture]) -> tuple[list[Picture], Problems]:
    """Leaves out every picture whose pixels come with two labels: one of them is wrong."""
    first: dict[str, Picture] = {}
    conflicts: dict[str, str] = {}
    for picture in pictures:
        twin = first.setdefault(picture.pixel_hash, picture)
        if twin.label != picture.label:
            conflicts[picture.pixel_hash] = (
                f"the same picture is labelled {twin.label!r} in {twin.path.name} and "
                f"{picture.label!r} in {picture.path.name}"
            )
    kept = [picture for picture in pictures if picture.pixel_hash not in conflicts]
    problems = {
        picture.path: conflicts[picture.pixel_hash]
        for picture in pictures
        if picture.pixel_hash in conflicts
    }
    return kept, problems


def _most_frequent(values: Iterable[Any]) -> Any:
    """The most frequent value; of several, the smallest, whatever the order of the files."""
    counts = collections.Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))

"""Which of people's own pictures make a dataset together."""

import collections
import dataclasses
from collections.abc import Iterable
from typing import Any, NamedTuple

from data_gen.picture_files import Picture
from data_gen.rejection import CONFLICT, OTHER_CHARACTERS, OTHER_LENGTH, OTHER_SIZE, Rejected

_DIGITS = "0123456789"
# If so many labels have one length, the others are taken for mistakes, not for shorter captchas.
_SHARE_OF_ONE_LENGTH = 0.9
_SHOWN_LABELS = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the user asks pictures to be; None is found from the pictures themselves."""

    width_px: int | None = None  # None: the most frequent size.
    height_px: int | None = None
    lengths: tuple[int, int] | None = None  # Fewest, most. None: see `Common`.
    alphabet: str | None = None  # None: 0-9 if all labels are digits, else what the labels have.
    any_size: bool = False  # Pictures of another size will be resized.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Common:
    """What all accepted pictures have in common.

    The lengths are those that were asked for. Else they are one length, if at least nine labels of
    ten have it, and all that occur if not.
    """

    size: tuple[int, int]  # Width, height in pixels.
    lengths: tuple[int, int]  # Fewest and most characters of a label.

    @property
    def num_positions(self) -> int:
        """Characters of the longest label."""
        return self.lengths[1]

    @property
    def variable_length(self) -> bool:
        """Whether labels vary in length."""
        return self.lengths[0] < self.lengths[1]


class Selection(NamedTuple):
    """What became of the files of an import."""

    accepted: list[Picture]
    rejected: list[Rejected]
    common: Common  # To all that are accepted.
    alphabet: str
    conflicts: list[list[Picture]]  # Groups of identical pictures under several labels; rejected.


def find_common(pictures: list[Picture], wanted: Wanted) -> Common:
    """What most of the pictures have in common, where it is not asked for; at least one picture."""
    width, height = _most_frequent(picture.size for picture in pictures)
    return Common(
        size=(wanted.width_px or width, wanted.height_px or height),
        lengths=wanted.lengths or _find_lengths(pictures),
    )


def select(
    pictures: list[Picture], common: Common, wanted: Wanted
) -> tuple[list[Picture], list[Rejected]]:
    """The pictures that fit together, in their order, and the others."""
    accepted, rejected = [], []
    for picture in pictures:
        misfit = _misfit(picture, common, wanted)
        if misfit is None:
            accepted.append(picture)
        else:
            rejected.append(Rejected(picture.name, *misfit))
    return accepted, rejected


def without_conflicts(pictures: list[Picture]) -> tuple[list[Picture], list[list[Picture]]]:
    """Parts the pictures from groups of identical ones under two labels, of which one is wrong."""
    conflicts = [group for group in identical(pictures) if len({file.label for file in group}) > 1]
    hashes = {group[0].pixel_hash for group in conflicts}
    return [picture for picture in pictures if picture.pixel_hash not in hashes], conflicts


def rejected_conflicts(conflicts: Iterable[list[Picture]]) -> list[Rejected]:
    """What is said of each picture of such groups."""
    return [
        Rejected(picture.name, CONFLICT, f"the same picture is labelled {_labels(group)}")
        for group in conflicts
        for picture in group
    ]


def identical(pictures: Iterable[Picture]) -> list[list[Picture]]:
    """Groups of two or more pictures with equal pixels."""
    groups: dict[bytes, list[Picture]] = {}
    for picture in pictures:
        groups.setdefault(picture.pixel_hash, []).append(picture)
    return [group for group in groups.values() if len(group) > 1]


def find_alphabet(pictures: Iterable[Picture]) -> str:
    """0-9 if all labels are digits, else their characters, sorted."""
    characters = set().union(*(picture.label for picture in pictures))
    return _DIGITS if characters <= set(_DIGITS) else "".join(sorted(characters))


def _misfit(picture: Picture, common: Common, wanted: Wanted) -> tuple[str, str] | None:
    """Kind and reason if a picture cannot be among the others."""
    fewest, most = common.lengths
    if not fewest <= len(picture.label) <= most:
        lengths = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        return (
            OTHER_LENGTH,
            f"label {picture.label!r} is not {lengths} characters long",
        )
    if picture.size != common.size and not wanted.any_size:
        width, height = picture.size
        return OTHER_SIZE, (
            f"it is {width} x {height} px, not {common.size[0]} x {common.size[1]}; "
            "--resize=stretch or pad takes it"
        )
    # Last, so that the reasons are the same where the alphabet that was found is asked for.
    for char in picture.label:
        if wanted.alphabet and char not in wanted.alphabet:
            return (
                OTHER_CHARACTERS,
                f"label {picture.label!r} has {char!r}, not in --alphabet",
            )
    return None


def _labels(group: list[Picture]) -> str:
    """The first file of each label: a group may be large, and the line is one of many."""
    first: dict[str, str] = {}
    for picture in group:
        first.setdefault(picture.label, picture.name)
    labels = [f"{label!r} in {name}" for label, name in first.items()]
    return " and ".join(labels[:_SHOWN_LABELS]) + (" ..." if len(labels) > _SHOWN_LABELS else "")


def _find_lengths(pictures: list[Picture]) -> tuple[int, int]:
    counts = collections.Counter(len(picture.label) for picture in pictures)
    length = _most_frequent(counts.elements())
    if counts[length] >= _SHARE_OF_ONE_LENGTH * len(pictures):
        return length, length
    return min(counts), max(counts)


def _most_frequent(values: Iterable[Any]) -> Any:
    """The most frequent value; of several, the smallest, whatever the order of the files."""
    counts = collections.Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))

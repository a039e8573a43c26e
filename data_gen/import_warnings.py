"""What people should look at after an import and before a training."""

import string
from collections.abc import Iterator, Mapping
from typing import Any

_FEW = 10  # Of a character or a length: a network learns little from fewer, and a test tells less.
_SMALL_SHARE = 0.02  # Of a length: where there are few labels, every length is rare.
_SMALL_TEST = 100
_MOST_LISTED = 10
_CLASSES = (string.digits, string.ascii_uppercase, string.ascii_lowercase)
_ENOUGH_TO_TELL = 100  # Labels: that none of so many begins with 0 is no chance, 0.9^100 = 3e-5.


def import_warnings(report: Mapping[str, Any], labels: list[str]) -> list[str]:
    """One line for each thing that looks wrong, or is too little to learn or to tell from.

    Args:
      report: See `data_gen.import_report`.
      labels: Of all pictures that can be decoded, accepted or not.
    """
    return [
        *_about_characters(report["characters"]),
        *_about_lengths(report["lengths"], labels),
        *_about_counts(report),
    ]


def _about_characters(characters: Mapping[str, int]) -> Iterator[str]:
    rare = {char: count for char, count in characters.items() if count < _FEW}
    if rare:
        counts = ", ".join(f"{char} ({count})" for char, count in list(rare.items())[:_MOST_LISTED])
        more = " and others" if len(rare) > _MOST_LISTED else ""
        yield f"{counts}{more}: a character that comes fewer than {_FEW} times is hardly learned"
    for letters in _CLASSES:
        missing = [char for char in letters if char not in characters]
        if 0 < len(missing) < len(letters) / 2:
            yield (
                f"no label has {' '.join(missing)}, and the others of {letters[0]}-{letters[-1]} "
                "come: where a picture may have them too, add them with --alphabet"
            )
    both = [char for char in string.ascii_lowercase if {char, char.upper()} <= characters.keys()]
    if both:
        yield (
            f"labels have both {both[0]} and {both[0].upper()}: where the case does not count, "
            "import with --label_case=lower"
        )


def _about_lengths(lengths: Mapping[str, int], labels: list[str]) -> Iterator[str]:
    few = min(_FEW, _SMALL_SHARE * sum(lengths.values()))
    rare = [f"{length} characters ({count})" for length, count in lengths.items() if count < few]
    if rare:
        yield f"few labels have {', '.join(rare)}: if they are wrong, leave them out with --length"
    digits = [label for label in labels if set(label) <= set(string.digits)]
    if (
        len({len(label) for label in digits}) > 1
        and len(digits) >= _ENOUGH_TO_TELL
        and not any(label.startswith("0") for label in digits)
    ):
        yield (
            "labels of digits vary in length and none begins with 0: a spreadsheet may have "
            "dropped zeros in front. Then make the list again, the labels as text"
        )


def _about_counts(report: Mapping[str, Any]) -> Iterator[str]:
    if report["test"] < _SMALL_TEST:
        yield (
            f"{report['test']} pictures to test on are few: each is "
            f"{100 / report['test']:.1f} points of accuracy"
        )
    if report["unlisted"]:
        yield (
            f"pictures of the folder that are not on its list: {len(report['unlisted'])}, "
            f"for example {report['unlisted'][0]}"
        )

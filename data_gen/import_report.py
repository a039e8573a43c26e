"""What came of an import: in full as import_report.json, for people in short."""

import collections
import csv
import json
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

from data_gen.import_warnings import import_warnings
from data_gen.label_source import LabelSource
from data_gen.picture_files import Picture
from data_gen.picture_selection import Selection, identical

REPORT = "import_report.json"
REJECTED = "rejected.csv"
_CHARACTERS_A_LINE = 10
_MOST_LISTED = 8  # Of one line; the file has all.
# A file's name may be any bytes: those that are no UTF-8 are written as \udcff.
_TEXT = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}

Report = dict[str, Any]  # As import_report.json has it.


def make_report(
    source: LabelSource, pictures: list[Picture], selection: Selection, num_test: int
) -> Report:
    """All that there is to say of an import.

    Args:
      source: What was named.
      pictures: All that can be decoded and have a label.
      selection: What became of all files.
      num_test: How many of the accepted pictures are to test on.
    """
    accepted, rejected, common = selection.accepted, selection.rejected, selection.common
    characters = collections.Counter("".join(picture.label for picture in accepted))
    report = {
        "files": len(source.files),
        "accepted": len(accepted),
        "train": len(accepted) - num_test,
        "test": num_test,
        "rejected": len(rejected),
        "size": _size(common.size),
        "length": "-".join(map(str, sorted(set(common.lengths)))),
        "resized": sum(picture.size != common.size for picture in accepted),
        "repeated_lines": source.num_repeated,
        "sizes": _counts(_size(picture.size) for picture in accepted),
        "sizes_found": _counts(_size(picture.size) for picture in pictures),
        "lengths": _by_length(accepted),
        "lengths_found": _by_length(pictures),
        "characters": {char: characters[char] for char in selection.alphabet},
        "rejected_by_kind": _counts(file.kind for file in rejected),
        "duplicates": [
            {"label": group[0].label, "files": [picture.name for picture in group]}
            for group in identical(accepted)
        ],
        "conflicts": [
            {picture.name: picture.label for picture in group} for group in selection.conflicts
        ],
        "unlisted": list(source.unlisted),
        "rejected_files": [
            {"file": file.name, "kind": file.kind, "reason": file.reason} for file in rejected
        ],
    }
    return {**report, "warnings": import_warnings(report, [file.label for file in pictures])}


def report_lines(report: Report) -> Iterator[str]:
    """The report in short, in columns that line up; what to look at comes last."""
    groups = [len(group["files"]) for group in report["duplicates"]]
    rows = (
        ("files", _if_any("repeated lines: {}", report["repeated_lines"])),
        ("accepted", f"{report['train']} train, {report['test']} test"),
        ("rejected", _listed(report["rejected_by_kind"], "{count} {what}")),
        ("size", _if_any("{} resized to it", report["resized"]) or _left_out(report, "sizes")),
        ("length", _lengths(report)),
    )
    for name, remark in rows:
        yield f"{name:10} | {report[name]:>8} | {remark}".rstrip(" |")
    if groups:
        remark = f"groups: {len(groups)}, none on both sides of the split"
        yield f"{'identical':10} | {sum(groups):>8} | {remark}"
    counts = [f"{char} {count:<6d}" for char, count in report["characters"].items()]
    for start in range(0, len(counts), _CHARACTERS_A_LINE):
        line = " ".join(counts[start : start + _CHARACTERS_A_LINE])
        yield f"{'' if start else 'characters':10} | {line.rstrip()}"
    for warning in report["warnings"]:
        yield f"{'look at':10} | {warning}"


def write_report(report: Report, folder: pathlib.Path) -> None:
    """Writes import_report.json, and the rejected files as rejected.csv, `file,reason` a row.

    Raises:
      OSError: If writing fails.
    """
    with (folder / REJECTED).open("w", **_TEXT) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("file", "reason"))
        rows.writerows((entry["file"], entry["reason"]) for entry in report["rejected_files"])
    with (folder / REPORT).open("w", **_TEXT) as file:
        file.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


def _lengths(report: Report) -> str:
    taken = _listed(report["lengths"]) if len(report["lengths"]) > 1 else ""
    return "; ".join(filter(None, (taken, _left_out(report, "lengths"))))


def _left_out(report: Report, what: str) -> str:
    others = {k: n for k, n in report[f"{what}_found"].items() if k not in report[what]}
    return f"left out: {_listed(others)}" if others else ""


def _listed(counts: dict[str, int], form: str = "{what} ({count})") -> str:
    """Such as "70x30 (2987), 71x30 (3)"."""
    shown = [form.format(what=what, count=count) for what, count in counts.items()]
    num_more = len(shown) - _MOST_LISTED
    return ", ".join(shown[:_MOST_LISTED]) + (f" and {num_more} more" if num_more > 0 else "")


def _if_any(form: str, count: int) -> str:
    return form.format(count) if count else ""


def _counts(values: Iterable[str]) -> dict[str, int]:
    """How often each value comes, the most frequent first, whatever the order of the files."""
    return dict(sorted(collections.Counter(values).items(), key=lambda pair: (-pair[1], pair[0])))


def _by_length(pictures: list[Picture]) -> dict[str, int]:
    counts = collections.Counter(len(picture.label) for picture in pictures)
    return {str(length): counts[length] for length in sorted(counts)}


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"

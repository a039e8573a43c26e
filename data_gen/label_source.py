"""Where the labels of people's own pictures come from: file names, or a CSV of file and label."""

import csv
import pathlib
import re
from collections.abc import Iterator
from typing import NamedTuple

# 3887.png and 3887_0001.png; for 0001_3887.png pass another pattern.
DEFAULT_LABEL_PATTERN = r"([^_]+)(?:_.*)?"

_CSV_NAME = "labels.csv"  # In a folder of pictures, it is believed rather than the file names.
_COLUMNS = ("file", "label")


class LabelledFile(NamedTuple):
    """A picture file and what it is said to show, or why that cannot be told."""

    path: pathlib.Path
    label: str
    problem: str | None = None


def labelled_files(source: pathlib.Path, label_pattern: str) -> list[LabelledFile]:
    """The pictures of a folder or of a CSV, sorted by path.

    Args:
      source: A CSV with the columns `file` (relative to the CSV) and `label`; or a folder that has
        such a `labels.csv`; or a folder whose file names (also in folders below) carry the label.
      label_pattern: Regular expression with one group, matched against the whole file name without
        its suffix. Not used where a CSV has the labels.

    Raises:
      ValueError: If `source` does not exist or has no pictures, the CSV lacks a column, or the
        pattern is no regular expression with one group.
    """
    if source.is_file():
        files = list(_from_csv(source))
    elif (source / _CSV_NAME).is_file():
        files = list(_from_csv(source / _CSV_NAME))
    elif source.is_dir():
        files = list(_from_names(source, _compile(label_pattern)))
    else:
        raise ValueError(
            f"`from_images` must be a folder or a CSV, received {str(source)!r} which does not "
            "exist. Correct the path."
        )
    if not files:
        raise ValueError(
            f"`from_images` must have at least one picture, received {str(source)!r} with none. "
            "Put the pictures into it."
        )
    return sorted(files)


def _from_csv(path: pathlib.Path) -> Iterator[LabelledFile]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            missing = [name for name in _COLUMNS if name not in (rows.fieldnames or [])]
            if missing:
                raise ValueError(
                    f"{path} must have the columns {','.join(_COLUMNS)}, received "
                    f"{','.join(rows.fieldnames or ['nothing'])}. Correct its first line."
                )
            for row in rows:
                if not row["file"]:
                    raise ValueError(
                        f"{path}, line {rows.line_num}: `file` must be a file name, received "
                        "nothing. Fill it in or delete the line."
                    )
                problem = None if row["label"] else "the CSV has no label for it"
                yield LabelledFile(path.parent / row["file"], row["label"] or "", problem)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{path} must be a CSV in UTF-8, received one that cannot be read ({error}). "
            "Save it again as CSV, UTF-8."
        ) from error


def _from_names(folder: pathlib.Path, pattern: re.Pattern[str]) -> Iterator[LabelledFile]:
    for path in folder.rglob("*"):
        if path.name.startswith(".") or (path.is_dir() and not path.suffix):
            continue
        match = pattern.fullmatch(path.stem)
        if match:
            yield LabelledFile(path, match.group(1))
        else:
            yield LabelledFile(path, "", f"its name does not match {pattern.pattern}")


def _compile(label_pattern: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(label_pattern)
    except re.error as error:
        raise ValueError(
            f"`label_pattern` must be a regular expression, received {label_pattern!r} ({error}). "
            r"For 0001_3887.png write '\d+_(\d+)'."
        ) from error
    if pattern.groups != 1:
        raise ValueError(
            f"`label_pattern` must have one group, the label, received {label_pattern!r} with "
            rf"{pattern.groups}. For 0001_3887.png write '\d+_(\d+)'."
        )
    return pattern

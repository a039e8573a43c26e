"""Where the labels of people's own pictures come from: file names, or a list of file and label."""

import os
import pathlib
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from data_gen.label_list import LIST_SUFFIXES, Row, read_label_list
from data_gen.picture_folder import files_below, is_named_like_a_picture
from data_gen.rejection import NO_LABEL, NO_PICTURE

# 3887.png and 3887_0001.png; for 0001_3887.png pass another pattern.
DEFAULT_LABEL_PATTERN = r"([^_]+)(?:_.*)?"
LABEL_CASES = ("keep", "lower", "upper")

# In a folder of pictures, one of these is believed rather than the file names.
_LIST_NAMES = tuple(f"labels{suffix}" for suffix in LIST_SUFFIXES)
_MAX_LENGTH = 100  # More is no label of a captcha, and each character costs the network a head.


class LabelledFile(NamedTuple):
    """A picture file and what it is said to show, or why that cannot be told."""

    name: str  # As people know it: as a list has it, or relative to the folder.
    path: str
    label: str
    problem: str | None = None
    kind: str = NO_LABEL  # Of the problem, if there is one: see `data_gen.rejection`.


class LabelSource(NamedTuple):
    """All that a folder or a list says."""

    files: list[LabelledFile]  # Sorted by name.
    num_repeated: int = 0  # Lines of a list that say once more what another one says.
    unlisted: tuple[str, ...] = ()  # Pictures in the folder of a list that are not on it.


def find_labels(
    source: pathlib.Path, label_pattern: str = DEFAULT_LABEL_PATTERN, label_case: str = "keep"
) -> LabelSource:
    r"""The pictures of a folder or of a list.

    Args:
      source: A list, see `data_gen.label_list`, whose files are relative to it or absolute; or a
        folder that has one, called labels.csv, labels.tsv or labels.jsonl; or a folder whose file
        names, also in folders below, carry the label. Hidden files and datasets are passed over.
      label_pattern: Regular expression with one group, matched against the whole file name without
        its suffix. Only where no list has the labels.
      label_case: One of `LABEL_CASES`: labels as they are, or all in lower or upper case.

    Raises:
      ValueError: If `source` does not exist or has no pictures, has more than one list, or a list
        that cannot be read; or the pattern is no regular expression with one group, or there is
        one though a list has the labels.
      OSError: If a list cannot be read.
    """
    pattern = _compile(label_pattern)
    label_list = _find_list(source)
    if label_list is None:
        found = LabelSource(list(_from_names(source, pattern)))
    elif label_pattern != DEFAULT_LABEL_PATTERN:
        raise ValueError(
            f"`label_pattern` is for labels in file names, received {label_pattern!r} and the list "
            f"{str(label_list)!r}. Leave out the flag, or move the list away."
        )
    else:
        found = _from_list(label_list)
        if source.is_dir():
            found = found._replace(unlisted=_unlisted(source, found.files))
    if not found.files:
        raise ValueError(
            f"`from_images` must have at least one picture, received {str(source)!r} with none. "
            "Put the pictures into it."
        )
    return found._replace(files=sorted(_checked(file, label_case) for file in found.files))


def _find_list(source: pathlib.Path) -> pathlib.Path | None:
    """The list that has the labels, if one has them."""
    if source.is_file():
        return source
    if not source.is_dir():
        raise ValueError(
            "`from_images` must be a folder of pictures or a list of file and label "
            f"({', '.join(LIST_SUFFIXES)}), received {str(source)!r} which does not exist. "
            "Correct the path."
        )
    lists = [source / name for name in _LIST_NAMES if (source / name).is_file()]
    if len(lists) > 1:
        raise ValueError(
            "a folder must have one list of labels at most, received "
            f"{', '.join(str(path) for path in lists)}. Name one of them as --from_images."
        )
    return lists[0] if lists else None


def _from_list(path: pathlib.Path) -> LabelSource:
    files: dict[str, LabelledFile] = {}
    first: dict[str, Row] = {}
    num_repeated = 0
    for row in read_label_list(path):
        if not row.file:
            name = f"{path.name}, line {row.line}"
            files[name] = LabelledFile(name, "", "", row.problem)
            continue
        file_path = _listed_path(path.parent, row.file)
        key = os.path.normpath(file_path)  # ./1.png is 1.png.
        twin = first.setdefault(key, row)
        if twin is row:
            files[key] = LabelledFile(row.file, file_path, row.label, row.problem)
        elif (twin.label, twin.problem) == (row.label, row.problem):
            num_repeated += 1
        else:
            files[key] = files[key]._replace(
                problem=f"{path.name} says {_said(twin)} and {_said(row)}"
            )
    return LabelSource(list(files.values()), num_repeated)


def _listed_path(folder: pathlib.Path, file: str) -> str:
    path = os.path.join(folder, file)
    if "\\" in file and not os.path.lexists(path):  # A list that was written on Windows.
        return os.path.join(folder, file.replace("\\", "/"))
    return path


def _said(row: Row) -> str:
    return f"{row.label!r} in line {row.line}"


def _from_names(folder: pathlib.Path, pattern: re.Pattern[str]) -> Iterator[LabelledFile]:
    for name, path, problem in files_below(folder):
        # A Mac may keep an accent as a character of its own; typed or listed it is one with it.
        stem = unicodedata.normalize("NFC", pathlib.PurePath(name).stem)
        match = pattern.fullmatch(stem)
        if problem:
            yield LabelledFile(name, path, "", problem, NO_PICTURE)
        elif match:
            yield LabelledFile(name, path, match.group(1) or "")
        else:
            yield LabelledFile(name, path, "", f"its name does not match {pattern.pattern}")


def _unlisted(folder: pathlib.Path, listed: list[LabelledFile]) -> tuple[str, ...]:
    known = {os.path.normpath(file.path) for file in listed if file.path}
    return tuple(
        sorted(
            file.name
            for file in files_below(folder)
            if is_named_like_a_picture(file.name) and os.path.normpath(file.path) not in known
        )
    )


def _checked(file: LabelledFile, label_case: str) -> LabelledFile:
    """The file with its label as it is wanted, or with what is wrong with it."""
    label = _in_case(file.label.strip(), label_case)
    problem = file.problem
    if problem is None and not label:
        problem = "it has no label"
    if problem is None and len(label) > _MAX_LENGTH:
        problem = f"its label is {len(label)} characters long, more than {_MAX_LENGTH}"
    unseen = [char for char in label if char.isspace() or not char.isprintable()]
    if problem is None and unseen:
        problem = f"label {label!r} has {unseen[0]!r}, which no label can have"
    return file._replace(label=label, problem=problem)


def _in_case(label: str, label_case: str) -> str:
    if label_case == "keep":
        return label
    changed = (getattr(char, label_case)() for char in label)
    # Some characters become two, such as the German sharp s: those stay, each a character.
    return "".join(new if len(new) == 1 else old for new, old in zip(changed, label, strict=True))


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

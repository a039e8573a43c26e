"""Lists of picture files and their labels: CSV, TSV, or a JSON object a line."""

import csv
import json
import pathlib
from collections.abc import Iterator
from typing import Any, NamedTuple, TextIO

LIST_SUFFIXES = (".csv", ".tsv", ".jsonl")
_COLUMNS = ("file", "label")
_SHOWN = 100  # Characters of what may be no list at all.


class Row(NamedTuple):
    """What one line says."""

    line: int  # From 1, as editors count.
    file: str  # As it is written there; "" if it names none, and then there is a problem.
    label: str
    problem: str | None = None  # Why it cannot be used.


def read_label_list(path: pathlib.Path) -> Iterator[Row]:
    """Yields what the lines say; empty ones say nothing. Spaces around labels do not count.

    A CSV or TSV has a header with `file` and `label`, in any order and among other columns, which
    do not count; a CSV may have semicolons, as some spreadsheets write it. A line of a .jsonl is
    `{"file": "1.png", "label": "3887"}`, the label in quotes: as a number it would lose its zeros.

    Raises:
      ValueError: If `path` has none of `LIST_SUFFIXES`, or is not UTF-8 or no CSV, or a column is
        missing or comes twice. What is wrong with a single line is that row's `problem`.
      OSError: If it cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix not in LIST_SUFFIXES:
        raise ValueError(
            f"a list of labels must end in {', '.join(LIST_SUFFIXES)}, received {str(path)!r}. "
            "Rename it, or name a folder of pictures."
        )
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # Spreadsheets put a mark first.
            yield from _json_rows(file) if suffix == ".jsonl" else _csv_rows(path, file)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{path} must be a {suffix[1:].upper()} in UTF-8, received one that cannot be read "
            f"({error}). Save it again as that."
        ) from error


def _csv_rows(path: pathlib.Path, file: TextIO) -> Iterator[Row]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(file)
    # Strict: a quotation mark that is never closed would swallow all the lines after it.
    rows = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
    header = [name.strip().lower() for name in next(rows, [])]
    if any(header.count(name) != 1 for name in _COLUMNS):
        raise ValueError(
            f"{path} must have the columns {','.join(_COLUMNS)}, each once, received "
            f"{','.join(header)[:_SHOWN] or 'nothing'}. Correct its first line."
        )
    file_index, label_index = map(header.index, _COLUMNS)
    for row in rows:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        problem = None
        if any(cells[len(header) :]):  # Then a label may have been cut at its comma.
            problem = f"its line has {len(cells)} values, the header {len(header)}: quote them"
        cells += [""] * (len(header) - len(cells))
        yield _row(rows.line_num, cells[file_index], cells[label_index], problem)


def _delimiter(file: TextIO) -> str:
    header = file.readline()
    file.seek(0)
    return ";" if ";" in header and "," not in header else ","


def _json_rows(file: TextIO) -> Iterator[Row]:
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            entry = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield Row(line, "", "", f"no JSON: {error}")
            continue
        if not isinstance(entry, dict):
            yield Row(line, "", "", 'no object such as {"file": "1.png", "label": "3887"}')
            continue
        values = [entry.get(name) for name in _COLUMNS]
        problems = [_type_problem(*pair) for pair in zip(_COLUMNS, values, strict=True)]
        file_name, label = (value if isinstance(value, str) else "" for value in values)
        yield _row(line, file_name, label.strip(), problems[0] or problems[1])


def _type_problem(name: str, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return None
    return f"its {name} must be text, received {json.dumps(value)[:_SHOWN]}: write it in quotes"


def _row(line: int, file: str, label: str, problem: str | None) -> Row:
    if problem is None and not file:
        problem = "it names no file"
    if problem is None and not label:
        problem = "it has no label"
    return Row(line, file, label, problem)

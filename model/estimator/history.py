"""The history of a run: `history.jsonl` in its model_dir, one JSON object a line, oldest first.

    {"kind": "train", "global_step": 100, "loss": 2.3, "learning_rate": 0.0004, ...}
    {"kind": "eval", "global_step": 2000, "loss": 0.12, ..., "n": 5000}

An evaluation with a name has it as "name". A number that is not finite is null, as JSON has no NaN.
A row is there once its line is whole: what a killed process left of one is none.
"""

import json
import math
import numbers
import os
import pathlib
from collections.abc import Mapping

_FILE = "history.jsonl"


def append(model_dir: str | os.PathLike, kind: str, values: Mapping) -> None:
    """Adds a row; a kill of this process no longer loses it when this returns.

    Args:
      model_dir: Of the run; created if need be.
      kind: "train" or "eval".
      values: `global_step` and whatever else is to be kept: numbers and texts.
    """
    path = pathlib.Path(model_dir) / _FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    row = {"kind": kind, **{name: _plain(value) for name, value in values.items()}}
    with open(path, "ab+") as file:
        _cut_partial_line(file)
        file.write(json.dumps(row, allow_nan=False).encode() + b"\n")


def rows(model_dir: str | os.PathLike, kind: str | None = None) -> list[dict]:
    """The rows of `kind`, or of every kind if it is None; none where there is no history.

    Raises:
      ValueError: If a line that is whole is no JSON object with a kind and a step.
    """
    path = pathlib.Path(model_dir) / _FILE
    if not path.exists():
        return []
    # After the last line's end there is nothing, or a line cut short.
    lines = path.read_bytes().split(b"\n")[:-1]
    found = [_parse(line, path, number) for number, line in enumerate(lines, start=1)]
    return [row for row in found if kind in (None, row["kind"])]


def cut_after(model_dir: str | os.PathLike, step: int) -> None:
    """Drops the rows of steps after `step`, all at once: a run that goes on from there has none.

    Raises:
      ValueError: As `rows` does.
    """
    path = pathlib.Path(model_dir) / _FILE
    before = rows(model_dir)
    kept = [row for row in before if row["global_step"] <= step]
    if kept == before:
        return
    partial = path.with_suffix(".partial")
    with open(partial, "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in kept)
    os.replace(partial, path)


def _plain(value):
    if isinstance(value, str | None):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    number = float(value)  # Also of a tensor or of a NumPy scalar.
    return number if math.isfinite(number) else None


def _cut_partial_line(file) -> None:
    """Leaves `file`, open for reading and appending, ending with a whole line or empty."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return
    file.seek(-1, os.SEEK_END)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)


def _parse(line: bytes, path: pathlib.Path, number: int) -> dict:
    try:
        row = json.loads(line)
        if isinstance(row["global_step"], int) and isinstance(row["kind"], str):
            return row
    except (ValueError, LookupError, TypeError):
        pass
    raise ValueError(
        f"{path}, line {number} must be a JSON object with `kind` and `global_step`, received "
        f"{line[:60]!r}. Remove the line."
    )

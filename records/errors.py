"""How damaged data is spoken of: raised by what reads it, listed by what checks it."""

import pathlib
from typing import NamedTuple

# Damage cannot be repaired from what is left.
REMEDY = "Copy the dataset again, or write it again with python data_gen --overwrite."


class RecordError(ValueError):
    """A record is not as the schema or the format says."""


class FrameError(RecordError):
    """A shard cannot be read on from some record."""

    def __init__(self, path: pathlib.Path, record: int, offset: int, reason: str):
        """Says where: record `record`, counted from 0, whose frame begins at byte `offset`."""
        super().__init__(f"{path}, record {record} at byte {offset}: {reason}")
        self.record = record
        self.offset = offset
        self.reason = reason


class DatasetError(ValueError):
    """A file that describes a dataset is not as it must be."""

    def __init__(self, file: str, message: str):
        """`file` is relative to the dataset; `message` names it in full."""
        super().__init__(message)
        self.file = file


class Problem(NamedTuple):
    """One thing that is wrong with a dataset."""

    file: str  # Relative to the dataset, or "." for the whole of it.
    record: int | None  # Counted from 0 within the file; None if it is about the file.
    message: str  # One line: the rule, what was received, what to do.

    def __str__(self) -> str:
        """One line: where it is, then what it is."""
        where = self.file if self.record is None else f"{self.file}, record {self.record}"
        return f"{where}: {self.message}"

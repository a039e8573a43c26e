"""Cuts a split into shards, writes their records, and says what is in each."""

import hashlib
import pathlib
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

from records.layout import Shard, shard_file
from records.tfrecord import frame

# One host reads 10 shards or more in parallel if there are that many; below 10 MB the opening of
# a file costs more than it brings, and above 64 MB a copy or a repair gets coarse.
_WANTED_SHARDS = 10
_MIN_SHARD_BYTES = 10_000_000
_MAX_SHARD_BYTES = 64_000_000


class PlannedShard(NamedTuple):
    """A shard that is to be written."""

    file: str  # Relative to the dataset.
    examples: range  # Indices within the split.


def plan_num_shards(num_examples: int, bytes_per_example: int) -> int:
    """Says how many shards a split gets: a function of the data alone, not of the machine.

    10 if each then has 10 MB, else as many as have 10 MB, at least 1; and more than that where one
    would have over 64 MB.

    Args:
      num_examples: 1 or more.
      bytes_per_example: In the file, frame included.
    """
    most_in_one = max(1, _MAX_SHARD_BYTES // bytes_per_example)
    fewest_in_one = -(-_MIN_SHARD_BYTES // bytes_per_example)
    return max(
        1, -(-num_examples // most_in_one), min(_WANTED_SHARDS, num_examples // fewest_in_one)
    )


def plan_shards(split: str, num_examples: int, bytes_per_example: int) -> list[PlannedShard]:
    """Cuts a split into shards whose sizes differ by one example at most; see `plan_num_shards`.

    Raises:
      ValueError: If `num_examples` is below 1.
    """
    if num_examples < 1:
        raise ValueError(
            f"`num_examples` of {split} must be 1 or more, received {num_examples}. "
            "Leave no split empty."
        )
    num_shards = plan_num_shards(num_examples, bytes_per_example)
    smaller, num_larger = divmod(num_examples, num_shards)
    planned, start = [], 0
    for index in range(num_shards):
        stop = start + smaller + (index < num_larger)
        planned.append(PlannedShard(shard_file(split, index, num_shards), range(start, stop)))
        start = stop
    return planned


class OpenShard:
    """A shard in progress: each record is framed, hashed and written once."""

    def __init__(self, file: BinaryIO, name: str):
        """Takes a file to write to, which it closes, and the shard's path in the dataset."""
        self._file = file
        self._name = name
        self._hash = hashlib.sha256()
        self._num_bytes = 0
        self.num_examples = 0

    def __enter__(self) -> "OpenShard":
        return self

    def __exit__(self, error_type, error, traceback) -> None:
        """Closes the file."""
        self._file.close()

    def add(self, record: bytes) -> None:
        """Appends a serialised example.

        Raises:
          OSError: If the disk is full or fails.
        """
        framed = frame(record)
        self._file.write(framed)
        self._hash.update(framed)
        self._num_bytes += len(framed)
        self.num_examples += 1

    def described(self) -> Shard:
        """What was added so far, as provenance.json lists it."""
        return Shard(
            file=self._name,
            examples=self.num_examples,
            bytes=self._num_bytes,
            sha256=self._hash.hexdigest(),
        )


def write_shard(file: BinaryIO, name: str, records: Iterable[bytes]) -> Shard:
    """Writes a whole shard and closes the file.

    Args:
      file: Open for writing, wherever it lies.
      name: The shard's path relative to the dataset.
      records: Serialised examples; none is kept.

    Raises:
      OSError: If the disk is full or fails.
    """
    with OpenShard(file, name) as shard:
        for record in records:
            shard.add(record)
    return shard.described()


class ShardWriter:
    """Takes the records of a split in their order and fills its shards one after the other.

    How many shards there will be follows from the number of examples and the size of the first:
    encoded images differ in size, but not so that the plan would be off by much.
    """

    def __init__(self, dataset_dir: pathlib.Path, split: str, num_examples: int):
        """Makes the split's folder.

        Raises:
          ValueError: If `num_examples` is below 1.
        """
        plan_shards(split, num_examples, 1)  # Refuses an empty split now.
        self._dataset_dir = dataset_dir
        self._split = split
        self._num_examples = num_examples
        self._num_added = 0
        self._planned: list[PlannedShard] = []  # Until the first record.
        self._open: OpenShard | None = None
        self.shards: list[Shard] = []
        (dataset_dir / split).mkdir()

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(self, error_type, error, traceback) -> None:
        """Closes the shard in progress.

        Raises:
          ValueError: If all went well and yet fewer records than promised were added.
        """
        if self._open is not None:
            self._open.__exit__(error_type, error, traceback)
        if error_type is None and self._num_added < self._num_examples:
            raise self._wrong_count(self._num_added)

    def add(self, records: Iterable[bytes]) -> None:
        """Appends serialised examples.

        Raises:
          ValueError: If there are more than `num_examples` in all.
          OSError: If the disk is full or fails.
        """
        for record in records:
            if self._num_added == self._num_examples:
                raise self._wrong_count(self._num_added + 1)
            if not self._planned:
                self._planned = plan_shards(self._split, self._num_examples, len(frame(record)))
            planned = self._planned[len(self.shards)]
            if self._open is None:
                path = self._dataset_dir / planned.file
                self._open = OpenShard(path.open("xb"), planned.file)
            self._open.add(record)
            self._num_added += 1
            if self._open.num_examples == len(planned.examples):
                self._open.__exit__(None, None, None)
                self.shards.append(self._open.described())
                self._open = None

    def _wrong_count(self, received: int) -> ValueError:
        return ValueError(
            f"{self._split} must get its `num_examples` of {self._num_examples} records, received "
            f"{received}. Pass the number that is added."
        )

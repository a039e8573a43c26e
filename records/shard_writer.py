"""Writes the records of one split into shards, and says what is in each."""

import hashlib
import pathlib
from collections.abc import Iterable
from typing import BinaryIO

from records.layout import Shard, shard_file
from records.tfrecord import frame

# One host reads 10 shards or more in parallel if there are that many; below 10 MB the opening of
# a file costs more than it brings, and above 64 MB a copy or a repair gets coarse.
_WANTED_SHARDS = 10
_MIN_SHARD_BYTES = 10_000_000
_MAX_SHARD_BYTES = 64_000_000


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


class ShardWriter:
    """Takes the records of a split in their order and fills its shards one after the other.

    The shards' sizes differ by one example at most. Each record is framed, hashed and written
    once. How many shards there will be follows from the number of examples and the size of the
    first: encoded images differ in size, but not so that the plan would be off by much.
    """

    def __init__(self, dataset_dir: pathlib.Path, split: str, num_examples: int):
        """Makes the split's folder.

        Raises:
          ValueError: If `num_examples` is below 1.
        """
        if num_examples < 1:
            raise ValueError(
                f"`num_examples` of {split} must be 1 or more, received {num_examples}. "
                "Leave no split empty."
            )
        self._dataset_dir = dataset_dir
        self._split = split
        self._num_examples = num_examples
        self._num_added = 0
        self._num_shards = 0  # Until the first record.
        self._file: BinaryIO | None = None
        self.shards: list[Shard] = []
        (dataset_dir / split).mkdir()

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(self, error_type, error, traceback) -> None:
        """Closes the shard in progress.

        Raises:
          ValueError: If all went well and yet fewer records than promised were added.
        """
        if self._file is not None:
            self._file.close()
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
            framed = frame(record)
            if self._file is None:
                self._open_shard(len(framed))
            self._file.write(framed)
            self._hash.update(framed)
            self._num_added += 1
            self._num_in_shard += 1
            if self._num_in_shard == self._num_wanted_in_shard:
                self._close_shard()

    def _open_shard(self, bytes_per_example: int) -> None:
        if not self._num_shards:
            self._num_shards = plan_num_shards(self._num_examples, bytes_per_example)
        index = len(self.shards)
        smaller, num_larger = divmod(self._num_examples, self._num_shards)
        self._num_wanted_in_shard = smaller + (index < num_larger)
        self._num_in_shard = 0
        self._hash = hashlib.sha256()
        self._file_name = shard_file(self._split, index, self._num_shards)
        self._file = (self._dataset_dir / self._file_name).open("xb")

    def _close_shard(self) -> None:
        num_bytes = self._file.tell()
        self._file.close()
        self._file = None
        self.shards.append(
            Shard(
                file=self._file_name,
                examples=self._num_in_shard,
                bytes=num_bytes,
                sha256=self._hash.hexdigest(),
            )
        )

    def _wrong_count(self, received: int) -> ValueError:
        return ValueError(
            f"{self._split} must get its `num_examples` of {self._num_examples} records, received "
            f"{received}. Pass the number that is added."
        )

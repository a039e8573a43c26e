"""Writes a dataset: all of it, or nothing that anybody could take for it."""

import itertools
import os
import pathlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from records.file_hash import sha256_of
from records.layout import DATA_INFO, DATASET_INFO, FEATURES, PROVENANCE, SPLITS, Shard
from records.provenance import check_alphabet, write_provenance
from records.remote_folder import UNFINISHED, RemoteFolder, is_url
from records.schema import Field, check_fields, write_data_info
from records.shard_writer import PlannedShard, ShardWriter, plan_shards
from records.staged_folder import StagedFolder
from records.tfds_metadata import dataset_info_json, features_json


def check_out_dir(out_dir: str | os.PathLike, *, overwrite: bool) -> None:
    """Refuses what a `DatasetWriter` would refuse to write to, for callers with work before it.

    Raises:
      ValueError: If `out_dir` exists and `overwrite` is not set, or it is set and `out_dir` is no
        dataset.
    """
    _folder(out_dir, overwrite).check_final()


class DatasetWriter:
    """Writes a dataset beside its final name and renames it when it is whole.

        with DatasetWriter("captcha_data", fields=fields, alphabet="0123456789") as writer:
            for split, num_examples in (("train", 50000), ("test", 5000)):
                with writer.split(split, num_examples=num_examples) as sink:
                    sink.add(records)  # Serialised examples, in order, as often as wanted.
            writer.finish({"seed": 0})

    Equal records and an equal provenance give equal bytes in every file: no time and no name of a
    machine is written. Leaving without `finish`, by an exception or Ctrl-C, removes all that was
    written and leaves what was there before.
    """

    def __init__(
        self,
        out_dir: str | os.PathLike,
        *,
        fields: Sequence[Field],
        alphabet: str,
        overwrite: bool = False,
    ):
        """Touches nothing yet.

        Args:
          out_dir: The dataset's folder; folders above it are made.
          fields: What the records hold.
          alphabet: Labels are indices into it: 2 or more characters, each once.
          overwrite: Replace the dataset that `out_dir` holds, once the new one is whole.

        Raises:
          ValueError: If fields or alphabet make no dataset.
        """
        check_fields(fields)
        check_alphabet(alphabet)
        self._fields = tuple(fields)
        self._alphabet = alphabet
        self._folder = _folder(out_dir, overwrite)
        self._writers: dict[str, ShardWriter] = {}
        self._planned: dict[str, list[PlannedShard]] = {}
        self._shards: dict[str, list[Shard]] = {}

    def __enter__(self) -> "DatasetWriter":
        """Makes the folder to write in.

        Raises:
          ValueError: If `out_dir` exists and `overwrite` is not set, or it is set and `out_dir` is
            no dataset, or another program is writing it.
          OSError: If the folder cannot be made.
        """
        self._folder.__enter__()
        return self

    def __exit__(self, error_type, error, traceback) -> None:
        """Removes what is not finished."""
        self._folder.__exit__(error_type, error, traceback)

    @property
    def path(self) -> pathlib.Path:
        """The folder while it is being written; files put here come with the dataset."""
        return self._folder.path

    @property
    def url(self) -> str:
        """Where those whom `plan` tells what to write put it: `path`, or a place that many reach.

        A folder `UNFINISHED` in it is theirs and will not be part of the dataset.
        """
        return self._folder.url

    def split(self, name: str, *, num_examples: int) -> ShardWriter:
        """Begins a split whose records come here one after the other; use the result in a `with`.

        Raises:
          ValueError: If it is not train or test, was begun before, or would be empty.
        """
        self._check_begins(name)
        self._writers[name] = ShardWriter(self.path, name, num_examples)
        return self._writers[name]

    def plan(self, name: str, *, num_examples: int, bytes_per_example: int) -> list[PlannedShard]:
        """Begins a split whose shards others write, in any order and process, under `url`.

        Args:
          name: train or test.
          num_examples: 1 or more.
          bytes_per_example: Of the first one in its frame; it decides the number of shards.

        Returns:
          What to write with `records.shard_writer.write_shard`; then call `add_shards`.

        Raises:
          ValueError: If it is not train or test, was begun before, or would be empty.
        """
        self._check_begins(name)
        self._planned[name] = plan_shards(name, num_examples, bytes_per_example)
        (self.path / name).mkdir()
        return self._planned[name]

    def add_shards(self, name: str, shards: Sequence[Shard]) -> None:
        """Says what was written of a split that was begun with `plan`; any order.

        Raises:
          ValueError: If they are not the shards that were planned.
        """
        planned = [(shard.file, len(shard.examples)) for shard in self._planned[name]]
        shards = sorted(shards, key=lambda shard: shard.file)
        received = [(shard.file, shard.examples) for shard in shards]
        if received != planned:
            raise ValueError(
                f"the shards of {name} must be the {len(planned)} that were planned, received "
                f"{len(received)} others. Write each of the plan once."
            )
        self._shards[name] = shards

    def finish(self, provenance: Mapping[str, Any]) -> None:
        """Writes the descriptions and gives the dataset its name.

        Args:
          provenance: All else that the data depends on, such as seed, style and versions; goes
            into provenance.json, with the fields, the alphabet and the shards.

        Raises:
          ValueError: If a split is missing, its folder holds something else than its shards, or
            `provenance` has a key that is ours.
          OSError: If writing fails. What was under `out_dir` is there then as before.
        """
        written = {name: writer.shards for name, writer in self._writers.items()} | self._shards
        if set(written) != set(SPLITS):
            raise ValueError(
                f"a dataset must have the splits {', '.join(SPLITS)}, received "
                f"{', '.join(written) or 'none'}. Write both before `finish`."
            )
        shards = {split: written[split] for split in SPLITS}
        shutil.rmtree(self.path / UNFINISHED, ignore_errors=True)
        self._write(DATA_INFO, write_data_info(self._fields))
        self._write(FEATURES, features_json(self._fields, len(self._alphabet)))
        self._write(DATASET_INFO, dataset_info_json(self._fields, shards))
        _check_splits(self._folder.sizes(SPLITS), itertools.chain(*shards.values()))
        files = _hashes_of_others(self.path)
        sealed = write_provenance(provenance, self._fields, self._alphabet, shards, files)
        self._write(PROVENANCE, sealed)  # Last: what has it is all there.
        self._folder.commit()

    def _write(self, file: str, text: str) -> None:
        (self.path / file).write_text(text, encoding="utf-8", newline="\n")

    def _check_begins(self, name: str) -> None:
        begun = [*self._writers, *self._planned]
        if name not in SPLITS or name in begun:
            raise ValueError(
                f"a split must be one of {', '.join(SPLITS)}, each once, received {name!r} after "
                f"{', '.join(begun) or 'none'}. Write both, one time."
            )


def _folder(out_dir: str | os.PathLike, overwrite: bool) -> StagedFolder | RemoteFolder:
    kind = RemoteFolder if is_url(out_dir) else StagedFolder
    return kind(out_dir, marker=PROVENANCE, overwrite=overwrite)


def _check_splits(sizes: Mapping[str, int], shards: Iterable[Shard]) -> None:
    """Checks that the splits' folders hold the shards and nothing else: others may write there.

    `sizes` are those of the files there, by their names relative to the dataset.
    """
    wanted = {(shard.file, shard.bytes) for shard in shards}
    received = set(sizes.items())
    if received != wanted:
        file, num_bytes = min(received ^ wanted)
        raise ValueError(
            f"the folders {', '.join(SPLITS)} must hold the shards that were written and nothing "
            f"else, received a difference in {file} ({num_bytes} bytes). Write the dataset again, "
            "by one program."
        )


def _hashes_of_others(dataset_dir: pathlib.Path) -> dict[str, str]:
    """The SHA-256 of every file outside the splits' folders, by its path."""
    files = {
        path.relative_to(dataset_dir): path for path in dataset_dir.rglob("*") if path.is_file()
    }
    return {
        file.as_posix(): sha256_of(path)
        for file, path in files.items()
        if file.parts[0] not in (*SPLITS, PROVENANCE)
    }

"""Writes a dataset: all of it, or nothing that anybody could take for it."""

import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from records.layout import DATA_INFO, DATASET_INFO, FEATURES, PROVENANCE, SPLITS
from records.provenance import check_alphabet, write_provenance
from records.schema import Field, check_fields, write_data_info
from records.shard_writer import ShardWriter
from records.staged_folder import StagedFolder
from records.tfds_metadata import dataset_info_json, features_json


def check_out_dir(out_dir: str | os.PathLike, *, overwrite: bool) -> None:
    """Refuses what a `DatasetWriter` would refuse to write to, for callers with work before it.

    Raises:
      ValueError: If `out_dir` exists and `overwrite` is not set, or it is set and `out_dir` is no
        dataset.
    """
    StagedFolder(out_dir, marker=PROVENANCE, overwrite=overwrite).check_final()


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
        self._folder = StagedFolder(out_dir, marker=PROVENANCE, overwrite=overwrite)
        self._splits: dict[str, ShardWriter] = {}

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

    def split(self, name: str, *, num_examples: int) -> ShardWriter:
        """Begins a split; use the result in a `with`.

        Raises:
          ValueError: If it is not train or test, was begun before, or would be empty.
        """
        if name not in SPLITS or name in self._splits:
            raise ValueError(
                f"a split must be one of {', '.join(SPLITS)}, each once, received {name!r} after "
                f"{', '.join(self._splits) or 'none'}. Write both, one time."
            )
        self._splits[name] = ShardWriter(self.path, name, num_examples)
        return self._splits[name]

    def finish(self, provenance: Mapping[str, Any]) -> None:
        """Writes the descriptions and gives the dataset its name.

        Args:
          provenance: All else that the data depends on, such as seed, style and versions; goes
            into provenance.json, with the fields, the alphabet and the shards.

        Raises:
          ValueError: If a split is missing, or `provenance` has a key that is ours.
          OSError: If writing fails. What was under `out_dir` is there then as before.
        """
        if set(self._splits) != set(SPLITS):
            raise ValueError(
                f"a dataset must have the splits {', '.join(SPLITS)}, received "
                f"{', '.join(self._splits) or 'none'}. Write both before `finish`."
            )
        shards = {split: self._splits[split].shards for split in SPLITS}
        texts = {
            DATA_INFO: write_data_info(self._fields),
            FEATURES: features_json(self._fields, len(self._alphabet)),
            DATASET_INFO: dataset_info_json(self._fields, shards),
            PROVENANCE: write_provenance(provenance, self._fields, self._alphabet, shards),
        }
        for file, text in texts.items():
            (self.path / file).write_text(text, encoding="utf-8", newline="\n")
        self._folder.commit()

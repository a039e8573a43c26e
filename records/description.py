"""What a finished dataset says of itself, and whether its shards are the ones that were written."""

import concurrent.futures
import dataclasses
import itertools
import os
import pathlib
from typing import Any

from records.errors import REMEDY, DatasetError, Problem
from records.file_problems import content_problem, hash_problem, size_problem, stray_problems
from records.layout import DATA_INFO, PROVENANCE, SPLITS, Shard
from records.provenance import alphabet_of, describe_fields, files_of, parse_provenance, shards_of
from records.schema import FIELDS, Field, field_of, has_blank, read_data_info
from records.staged_folder import staging_path


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetDescription:
    """All that a later stage must know of a dataset, so that no flag repeats it."""

    dataset_dir: pathlib.Path
    fields: tuple[Field, ...]
    provenance: dict[str, Any]  # See records/provenance.py.

    @property
    def generator(self) -> str:
        """The program that made it, as it calls itself; "" if it does not say."""
        return str(self.provenance.get("generator", ""))

    @property
    def identity(self) -> str:
        """Equal for equal datasets, wherever they lie: the seal of provenance.json."""
        return self.provenance["seal"]

    @property
    def alphabet(self) -> str:
        """The characters; labels are indices into it."""
        return alphabet_of(self.provenance)

    @property
    def num_positions(self) -> int:
        """Characters of a label; of the longest, if they vary."""
        return field_of(self.fields, "label").num_values

    @property
    def has_blank(self) -> bool:
        """Whether labels vary in length: class `len(alphabet)` then fills up the shorter ones."""
        return has_blank(self.fields)

    @property
    def num_classes(self) -> int:
        """Classes at a position of a label: the characters, and the blank if there is one."""
        return len(self.alphabet) + self.has_blank

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height and width in pixels, and 3."""
        return field_of(self.fields, "image").shape

    def num_examples(self, split: str) -> int:
        """Examples of `split`, train or test."""
        return sum(shard.examples for shard in self.shards(split))

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of what came with the dataset and is neither a shard nor provenance.json."""
        return tuple(files_of(self.provenance))

    @property
    def hashes(self) -> dict[str, str]:
        """The SHA-256 of each file but provenance.json, by its path relative to the dataset."""
        shards = {shard.file: shard.sha256 for split in SPLITS for shard in self.shards(split)}
        return shards | files_of(self.provenance)

    def shards(self, split: str) -> tuple[Shard, ...]:
        """Shards of `split`, train or test, in order."""
        return shards_of(self.provenance, split)


def load_description(dataset_dir: str | os.PathLike) -> DatasetDescription:
    """Reads data_info.csv and provenance.json, which must agree. The shards are not looked at.

    Raises:
      DatasetError: If there is no finished dataset, or one of the two files is not as we write it.
      OSError: If a file cannot be read.
    """
    dataset_dir = pathlib.Path(dataset_dir)
    _check_is_finished(dataset_dir)
    path = dataset_dir / PROVENANCE
    try:
        # Bytes, as a text file's "\r\n" would be read as the "\n" that it is not.
        provenance = parse_provenance(path.read_bytes().decode())
    except ValueError as error:
        raise DatasetError(PROVENANCE, f"{path}: {error}") from error
    try:
        fields = read_data_info(dataset_dir / DATA_INFO)
    except ValueError as error:
        raise DatasetError(DATA_INFO, str(error)) from error
    described = describe_fields(fields, alphabet_of(provenance))
    for feature in FIELDS:
        if described.get(feature) != provenance.get(feature):
            raise DatasetError(
                DATA_INFO,
                f"{dataset_dir / DATA_INFO} must say of the {feature} what {PROVENANCE} says, "
                f"{provenance.get(feature)}, received {described.get(feature)}. {REMEDY}",
            )
    return DatasetDescription(dataset_dir=dataset_dir, fields=fields, provenance=provenance)


def check_sizes(description: DatasetDescription) -> None:
    """Checks that exactly the shards of provenance.json are there, each with its size in bytes.

    It reads no shard, so it costs nothing; `check_hashes` finds what keeps the size.

    Raises:
      ValueError: If a shard is missing or has another size, or there is a file that may be taken
        for one.
      OSError: If a folder cannot be read.
    """
    for split in SPLITS:
        for shard in description.shards(split):
            _raise_if(description, size_problem(description.dataset_dir, shard))
    for problem in stray_problems(description.dataset_dir, description.hashes):
        _raise_if(description, problem)


def check_hashes(description: DatasetDescription) -> None:
    """Checks the SHA-256 of every file and the number of records of every shard, on all cores.

    What the records hold is not looked at: a label outside the alphabet that was written so, and
    sealed so, is for `records.verify` to find.

    Raises:
      ValueError: If a file is missing or not the one that was written, or a shard holds another
        number of records than provenance.json says.
    """
    hashes = description.hashes
    shards = [shard for split in SPLITS for shard in description.shards(split)]
    with concurrent.futures.ThreadPoolExecutor() as pool:  # hashlib lets other threads run.
        for problem in itertools.chain(
            pool.map(lambda shard: content_problem(description.dataset_dir, shard, hashes), shards),
            pool.map(
                lambda file: hash_problem(description.dataset_dir, file, hashes), description.files
            ),
        ):
            _raise_if(description, problem)


def _raise_if(description: DatasetDescription, problem: Problem | None) -> None:
    if problem is not None:
        raise ValueError(f"{description.dataset_dir / problem.file}: {problem.message}")


def _check_is_finished(dataset_dir: pathlib.Path) -> None:
    if (dataset_dir / PROVENANCE).is_file():
        return
    command = f"Write it: python data_gen --out {dataset_dir}"
    if staging_path(dataset_dir).exists():
        received = "which is not finished: wait for the program that writes it, or start it again"
    elif not dataset_dir.exists():
        received = "which does not exist"
    else:
        received = f"which has no {PROVENANCE}"
        command = "Name a dataset, or write one: python data_gen --out captcha_data"
    raise DatasetError(
        ".", f"a dataset must be a finished folder, received '{dataset_dir}', {received}. {command}"
    )

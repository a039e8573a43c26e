"""What a finished dataset says of itself, and whether its shards are the ones that were written."""

import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Iterator
from typing import Any

from records.errors import REMEDY, DatasetError, Problem
from records.layout import DATA_INFO, PROVENANCE, SHARD_PATTERN, SPLITS, Shard
from records.provenance import alphabet_of, describe_fields, parse_provenance, shards_of
from records.schema import FIELDS, Field, field_of, has_blank, read_data_info
from records.staged_folder import staging_path


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetDescription:
    """All that a later stage must know of a dataset, so that no flag repeats it."""

    dataset_dir: pathlib.Path
    fields: tuple[Field, ...]
    provenance: dict[str, Any]  # See records/provenance.py.

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
        provenance = parse_provenance(path.read_text(encoding="utf-8"))
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
      ValueError: If a shard is missing, has another size, or is not listed.
    """
    _raise_first(description, size_problems(description))


def check_hashes(description: DatasetDescription) -> None:
    """Checks the SHA-256 of every shard, on all cores.

    Raises:
      ValueError: If a shard is missing or not the one that was written.
    """
    with concurrent.futures.ThreadPoolExecutor() as pool:  # hashlib lets other threads run.
        shards = [shard for split in SPLITS for shard in description.shards(split)]
        found = pool.map(lambda shard: hash_problem(description, shard), shards)
        _raise_first(description, (problem for problem in found if problem is not None))


def size_problems(description: DatasetDescription) -> Iterator[Problem]:
    """Yields each shard that is missing, has another size, or is not listed."""
    listed = {shard.file: shard for split in SPLITS for shard in description.shards(split)}
    for shard in listed.values():
        try:
            num_bytes = os.stat(description.dataset_dir / shard.file).st_size
        except OSError as error:
            message = f"the shard must be there, received: {error.strerror}. {REMEDY}"
            yield Problem(shard.file, None, message)
            continue
        if num_bytes != shard.bytes:
            message = f"the shard must have {shard.bytes} bytes, received {num_bytes}. {REMEDY}"
            yield Problem(shard.file, None, message)
    for path in sorted(description.dataset_dir.rglob(SHARD_PATTERN)):
        file = path.relative_to(description.dataset_dir).as_posix()
        if file not in listed:
            message = f"a shard must be listed in {PROVENANCE}, received one more. Remove it."
            yield Problem(file, None, message)


def hash_problem(description: DatasetDescription, shard: Shard) -> Problem | None:
    """Says whether the content of a shard is not what was written."""
    try:
        with open(description.dataset_dir / shard.file, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return Problem(shard.file, None, f"must be readable, received: {error.strerror}. {REMEDY}")
    if digest == shard.sha256:
        return None
    return Problem(shard.file, None, f"SHA-256 must be {shard.sha256}, received {digest}. {REMEDY}")


def _raise_first(description: DatasetDescription, problems: Iterator[Problem]) -> None:
    for problem in problems:
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

"""What can be wrong with a dataset's files: looked at from outside, or hashed, never parsed."""

import os
import pathlib
import stat
from collections.abc import Container, Iterator, Mapping

from records.errors import REMEDY, Problem
from records.file_hash import sha256_of
from records.layout import PROVENANCE, Shard
from records.strays import strays
from records.tfrecord import count_frames


def size_problem(dataset_dir: pathlib.Path, shard: Shard) -> Problem | None:
    """Says whether a shard is missing or has another size."""
    try:
        found = os.stat(dataset_dir / shard.file)
    except OSError as error:
        return Problem(
            shard.file, None, f"the shard must be there, received: {error.strerror}. {REMEDY}"
        )
    if not stat.S_ISREG(found.st_mode):
        return Problem(
            shard.file, None, f"the shard must be a file, received something else. {REMEDY}"
        )
    if found.st_size == shard.bytes:
        return None
    return Problem(
        shard.file,
        None,
        f"the shard must have {shard.bytes} bytes, received {found.st_size}. {REMEDY}",
    )


def stray_problems(dataset_dir: pathlib.Path, listed: Container[str]) -> Iterator[Problem]:
    """Yields each file that is not `listed` and may be taken for data; see records/strays.py."""
    for file in strays(dataset_dir, listed):
        yield Problem(
            file,
            None,
            f"a file that may be taken for data must be listed in {PROVENANCE}, received one more. "
            "Remove it.",
        )


def hash_problem(dataset_dir: pathlib.Path, file: str, hashes: Mapping[str, str]) -> Problem | None:
    """Says whether `file` is missing or has another SHA-256 than `hashes` says, which has all."""
    path = dataset_dir / file
    if path.exists() and not path.is_file():  # Opening a named pipe would wait for ever.
        return Problem(file, None, f"must be a file, received something else. {REMEDY}")
    try:
        received = sha256_of(path)
    except OSError as error:
        return Problem(file, None, f"must be readable, received: {error.strerror}. {REMEDY}")
    if received == hashes[file]:
        return None
    owners = [name for name, digest in hashes.items() if digest == received]
    if owners:
        return Problem(
            file, None, f"must have its own content, received that of {owners[0]}. {REMEDY}"
        )
    return Problem(file, None, f"SHA-256 must be {hashes[file]}, received {received}. {REMEDY}")


def count_problem(shard: Shard, num_records: int) -> Problem | None:
    """Says whether the shard holds another number of records than it should."""
    if num_records == shard.examples:
        return None
    return Problem(
        shard.file,
        None,
        f"the shard must hold {shard.examples} records, as {PROVENANCE} says, received "
        f"{num_records}. {REMEDY}",
    )


def content_problem(
    dataset_dir: pathlib.Path, shard: Shard, hashes: Mapping[str, str]
) -> Problem | None:
    """Says whether a shard is not the one that was written, or was miscounted when it was."""
    problem = hash_problem(dataset_dir, shard.file, hashes)
    if problem is not None:
        return problem
    return count_problem(shard, count_frames(dataset_dir / shard.file))

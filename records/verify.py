"""Checks a dataset to the last byte: files, hashes, frames, counts, records and descriptions."""

import os
import pathlib
from collections.abc import Callable, Iterator

import numpy as np

from records.description import (
    DatasetDescription,
    hash_problem,
    load_description,
    size_problems,
)
from records.errors import REMEDY, DatasetError, FrameError, Problem, RecordError
from records.example_proto import decode_example
from records.layout import DATA_INFO, DATASET_INFO, FEATURES, PROVENANCE, SPLITS, Shard
from records.schema import write_data_info
from records.tfds_metadata import dataset_info_json, features_json
from records.tfrecord import read_records


def verify_dataset(
    dataset_dir: str | os.PathLike, *, on_progress: Callable[[int], None] | None = None
) -> Iterator[Problem]:
    """Reads all of a dataset and yields what is wrong with it, nothing if all is well.

    A record's problem does not hide the next record's. A damaged frame ends its shard, as nothing
    says where the next one begins. If the dataset does not describe itself, only that is found.

    Args:
      dataset_dir: A folder that a `DatasetWriter` finished.
      on_progress: Called with how many more records were read.
    """
    dataset_dir = pathlib.Path(dataset_dir)
    try:
        description = load_description(dataset_dir)
    except DatasetError as error:
        yield Problem(error.file, None, str(error))
        return
    except OSError as error:
        yield Problem(".", None, f"{error.filename} must be readable, received: {error.strerror}.")
        return
    yield from _metadata_problems(description)
    wrong_size = set()
    for problem in size_problems(description):
        wrong_size.add(problem.file)
        yield problem
    for split in SPLITS:
        for shard in description.shards(split):
            if shard.file not in wrong_size:  # Else the hash would only say it once more.
                problem = hash_problem(description, shard)
                if problem is not None:
                    yield problem
            if (dataset_dir / shard.file).is_file():
                yield from _shard_problems(description, shard, on_progress or (lambda count: None))


def _metadata_problems(description: DatasetDescription) -> Iterator[Problem]:
    """Compares the derived files with what the schema writes."""
    shards = {split: description.shards(split) for split in SPLITS}
    for file, wanted in (
        (DATA_INFO, write_data_info(description.fields)),
        (FEATURES, features_json(description.fields, len(description.alphabet))),
        (DATASET_INFO, dataset_info_json(description.fields, shards)),
    ):
        try:
            received = (description.dataset_dir / file).read_bytes()
        except OSError as error:
            yield Problem(file, None, f"must be readable, received: {error.strerror}. {REMEDY}")
            continue
        if received != wanted.encode():
            yield Problem(file, None, _first_difference(wanted, received.decode(errors="replace")))


def _first_difference(wanted: str, received: str) -> str:
    wanted_lines = [*wanted.splitlines(keepends=True), "nothing more"]
    received_lines = [*received.splitlines(keepends=True), "nothing more"]
    for number, (line, other) in enumerate(zip(wanted_lines, received_lines, strict=False), 1):
        if line != other:
            return (
                f"line {number} must be {line!r}, as the schema and {PROVENANCE} have it, received "
                f"{other!r}. {REMEDY}"
            )
    raise AssertionError("the texts differ, so a line does")


def _shard_problems(
    description: DatasetDescription, shard: Shard, on_progress: Callable[[int], None]
) -> Iterator[Problem]:
    num_read = 0
    try:
        for record in read_records(description.dataset_dir / shard.file):
            message = _record_problem(description, record)
            if message:
                yield Problem(shard.file, num_read, message)
            num_read += 1
            on_progress(1)
    except FrameError as error:
        yield Problem(shard.file, error.record, f"at byte {error.offset}: {error.reason}")
        return
    except OSError as error:
        yield Problem(shard.file, None, f"must be readable, received: {error.strerror}. {REMEDY}")
        return
    if num_read != shard.examples:
        yield Problem(
            shard.file,
            None,
            f"the shard must hold {shard.examples} records, as {PROVENANCE} says, received "
            f"{num_read}. {REMEDY}",
        )


def _record_problem(description: DatasetDescription, record: bytes) -> str | None:
    try:
        values = decode_example(description.fields, record)
    except RecordError as error:
        return str(error)
    for feature, num_values in (
        ("label", len(description.alphabet)),  # Indices into the alphabet.
        ("map", description.num_positions + 1),  # The background, and each position's ink.
    ):
        found = values.get(feature)
        if found is not None and not _within(found, num_values):
            return (
                f"the {feature} must be in [0, {num_values - 1}], received {found.min()} to "
                f"{found.max()}. {REMEDY}"
            )
    return None


def _within(values: np.ndarray, num_values: int) -> bool:
    return values.min() >= 0 and values.max() < num_values

"""Checks a dataset to the last byte: files, hashes, frames, counts, records and descriptions."""

import os
import pathlib
from collections.abc import Callable, Iterator

from records.description import DatasetDescription, load_description
from records.errors import REMEDY, DatasetError, FrameError, Problem, RecordError
from records.example_proto import decode_example
from records.file_problems import count_problem, hash_problem, size_problem, stray_problems
from records.labels import read_label
from records.layout import DATA_INFO, DATASET_INFO, FEATURES, PROVENANCE, SPLITS, Shard
from records.schema import write_data_info
from records.text_difference import first_difference
from records.tfds_metadata import dataset_info_json, features_json
from records.tfrecord import read_records


def verify_dataset(
    dataset_dir: str | os.PathLike, *, on_progress: Callable[[int], None] | None = None
) -> Iterator[Problem]:
    """Reads all of a dataset and yields what is wrong with it, nothing if all is well.

    Each cause is told once, as exactly as it can be: a shard's size or hash only if none of its
    records tells what happened to it. A record's problem does not hide the next record's. A damaged
    frame ends its shard, as nothing says where the next one begins. If the dataset does not
    describe itself, only that is found. Files that people left in the folder are let be, unless
    they may be taken for data: records/strays.py.

    Args:
      dataset_dir: A folder that a `DatasetWriter` finished.
      on_progress: Called with how many more records were read.
    """
    dataset_dir = pathlib.Path(dataset_dir)
    try:
        description = load_description(dataset_dir)
        yield from _file_problems(description)
        yield from stray_problems(dataset_dir, description.hashes)
    except DatasetError as error:
        message = str(error).removeprefix(f"{dataset_dir / error.file}: ")
        yield Problem(error.file, None, message)
        return
    except OSError as error:
        file = os.path.relpath(error.filename, dataset_dir) if error.filename else "."
        yield Problem(file, None, f"must be readable, received: {error.strerror}. {REMEDY}")
        return
    for split in SPLITS:
        for shard in description.shards(split):
            yield from _shard_problems(description, shard, on_progress or (lambda count: None))


def _file_problems(description: DatasetDescription) -> Iterator[Problem]:
    """Looks at the files that are no shards; those that follow from others tell the line."""
    derived = _derived_texts(description)
    for file in description.files:
        problem = hash_problem(description.dataset_dir, file, description.hashes)
        if file in derived:
            problem = _text_problem(description, file, derived[file]) or problem
        if problem is not None:
            yield problem


def _derived_texts(description: DatasetDescription) -> dict[str, str]:
    shards = {split: description.shards(split) for split in SPLITS}
    return {
        DATA_INFO: write_data_info(description.fields),
        FEATURES: features_json(description.fields, len(description.alphabet)),
        DATASET_INFO: dataset_info_json(description.fields, shards),
    }


def _text_problem(description: DatasetDescription, file: str, wanted: str) -> Problem | None:
    try:
        received = (description.dataset_dir / file).read_bytes()
    except OSError:
        return None  # Its hash could not be made for the same reason.
    if received == wanted.encode():
        return None
    difference = first_difference(wanted, received.decode(errors="replace"))
    return Problem(file, None, f"{difference}: the schema and {PROVENANCE} have it so. {REMEDY}")


def _shard_problems(
    description: DatasetDescription, shard: Shard, on_progress: Callable[[int], None]
) -> Iterator[Problem]:
    unread = size_problem(description.dataset_dir, shard)
    explained = False
    if (description.dataset_dir / shard.file).is_file():
        for problem in _record_problems(description, shard, on_progress):
            explained = True
            yield problem
    if explained:
        return
    problem = unread or hash_problem(description.dataset_dir, shard.file, description.hashes)
    if problem is not None:
        yield problem


def _record_problems(
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
    problem = count_problem(shard, num_read)
    if problem is not None:
        yield problem


def _record_problem(description: DatasetDescription, record: bytes) -> str | None:
    try:
        values = decode_example(description.fields, record)
        text = read_label(description.fields, values, description.alphabet)
    except RecordError as error:
        return str(error)
    character_map = values.get("map")
    if character_map is not None and character_map.max() > len(text):
        return (
            f"the map must be in [0, {len(text)}], the background and each character's ink, "
            f"received {character_map.max()}. {REMEDY}"
        )
    return None

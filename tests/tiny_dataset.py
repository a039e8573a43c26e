"""A dataset of a few pictures of 4 x 6 pixels that can be drawn in the head: a ramp per example."""

import pathlib
from unittest import mock

import numpy as np

from records import shard_writer
from records.dataset_writer import DatasetWriter
from records.example_proto import encode_example
from records.schema import captcha_fields, has_blank

ALPHABET = "0123456789"
PROVENANCE = {"generator": "tests/tiny_dataset.py", "seed": 0}
NUM_EXAMPLES = {"train": 5, "test": 2}


def tiny_fields(encoding="raw", with_map=False, variable_length=False):
    return captcha_fields(
        height_px=4,
        width_px=6,
        num_positions=2,
        encoding=encoding,
        with_map=with_map,
        variable_length=variable_length,
    )


def tiny_values(split, index, variable_length=False):
    """Features of example `index`: 72 levels in steps of 2 from `index`, the label, and a map.

    If labels vary in length, those of odd examples have one character.
    """
    first = index if split == "train" else 100 + index
    length = 1 if variable_length and index % 2 else 2
    return {
        "image": (first + 2 * np.arange(72)).astype(np.uint8).reshape(4, 6, 3),
        "label": np.array([index, 9 - index if length == 2 else len(ALPHABET)]),
        "length": np.array([length]),
        "map": np.repeat(np.array([[0, 1, 1, 0, length, length]], np.uint8), 4, axis=0),
    }


def tiny_record(split, index, fields, **changes):
    """Serialises example `index` with the values of some features changed."""
    values = tiny_values(split, index, has_blank(fields)) | changes
    return encode_example(fields, {field.feature: values[field.feature] for field in fields})


def tiny_records(split, num_examples, fields):
    return [tiny_record(split, index, fields) for index in range(num_examples)]


def write_tiny_dataset(
    out_dir,
    *,
    encoding="raw",
    with_map=False,
    variable_length=False,
    overwrite=False,
    num_shards=1,
    provenance=None,
    before_finish=lambda folder: None,
) -> pathlib.Path:
    """Writes 5 train and 2 test examples, in `num_shards` shards a split."""
    fields = tiny_fields(encoding, with_map, variable_length)
    with (
        mock.patch.object(shard_writer, "plan_num_shards", return_value=num_shards),
        DatasetWriter(out_dir, fields=fields, alphabet=ALPHABET, overwrite=overwrite) as writer,
    ):
        for split, num_examples in NUM_EXAMPLES.items():
            with writer.split(split, num_examples=num_examples) as sink:
                sink.add(tiny_records(split, num_examples, fields))
        before_finish(writer.path)
        writer.finish(provenance or PROVENANCE)
    return pathlib.Path(out_dir)


def files_of(folder) -> dict[str, bytes]:
    """Every file under a folder, by its relative path."""
    folder = pathlib.Path(folder)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

import json
import pathlib

import numpy as np
import pytest
from tiny_dataset import NUM_EXAMPLES, files_of, tiny_values, write_tiny_dataset

from records.description import load_description
from records.example_proto import decode_example
from records.schema import ENCODINGS
from records.tfrecord import read_records
from records.verify import verify_dataset

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
JPEG_TOLERANCE = 6  # Levels of 255 that quality 90 may change the ramps.


def without_encoded_sizes(name, content):
    """Drops what depends on how zlib or libjpeg pack the same picture."""
    if name == "provenance.json":
        content = json.loads(content)
        for shards in content["shards"].values():
            for shard in shards:
                del shard["bytes"], shard["sha256"]
        del content["files"]["dataset_info.json"], content["seal"]
    if name == "dataset_info.json":
        content = json.loads(content)
        for split in content["splits"]:
            del split["numBytes"]
    return content


def test_every_encoding_has_a_golden_dataset_and_no_other_is_left():
    assert sorted(path.name for path in GOLDEN.glob("dataset_*")) == sorted(
        f"dataset_{encoding}" for encoding in ENCODINGS
    )


def test_the_raw_dataset_is_written_as_ever_to_the_byte(tmp_path):
    written = files_of(write_tiny_dataset(tmp_path / "out", with_map=True))
    golden = files_of(GOLDEN / "dataset_raw")
    assert written.keys() == golden.keys()
    for name in golden:
        assert written[name] == golden[name], name


@pytest.mark.parametrize("encoding", ["png", "jpeg"])
def test_the_metadata_of_encoded_datasets_is_written_as_ever(tmp_path, encoding):
    written = files_of(write_tiny_dataset(tmp_path / "out", encoding=encoding))
    golden = files_of(GOLDEN / f"dataset_{encoding}")
    assert written.keys() == golden.keys()
    for name in golden:
        if "tfrecord" not in name:
            assert without_encoded_sizes(name, written[name]) == without_encoded_sizes(
                name, golden[name]
            ), name


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_golden_records_still_hold_what_was_written(encoding):
    description = load_description(GOLDEN / f"dataset_{encoding}")
    assert list(verify_dataset(description.dataset_dir)) == []
    for split, num_examples in NUM_EXAMPLES.items():
        (shard,) = description.shards(split)
        records = list(read_records(description.dataset_dir / shard.file))
        assert len(records) == num_examples
        for index, record in enumerate(records):
            decoded = decode_example(description.fields, record)
            for feature, values in decoded.items():
                np.testing.assert_allclose(
                    values.astype(int),
                    tiny_values(split, index)[feature].astype(int),
                    rtol=0,
                    atol=JPEG_TOLERANCE if (encoding, feature) == ("jpeg", "image") else 0,
                )

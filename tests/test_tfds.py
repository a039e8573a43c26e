import json

import mixed_dataset
import numpy as np
import pytest
from tiny_dataset import NUM_EXAMPLES, tiny_fields, tiny_values, write_tiny_dataset

from records.layout import Shard
from records.schema import ENCODINGS
from records.tfds_metadata import dataset_info_json, features_json


@pytest.mark.slow  # TensorFlow Datasets takes 5 s to import.
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_tfds_opens_what_we_write_with_the_same_pixels_and_labels(tmp_path, encoding):
    import tensorflow_datasets as tfds

    out = write_tiny_dataset(
        tmp_path / "captcha_data", encoding=encoding, with_map=True, num_shards=2
    )
    builder = tfds.builder_from_directory(str(out))
    assert (builder.name, str(builder.version)) == ("captcha", "1.0.0")
    for split, num_examples in NUM_EXAMPLES.items():
        assert builder.info.splits[split].num_examples == num_examples
        read_config = tfds.ReadConfig(interleave_cycle_length=1)  # In the order of the files.
        examples = tfds.as_numpy(builder.as_dataset(split=split, read_config=read_config))
        for index, found in enumerate(examples):
            wanted = tiny_values(split, index)
            assert found.keys() == {"image_raw", "label", "map_raw"}
            atol = 8 if encoding == "jpeg" else 0  # TensorFlow's default JPEG method is coarser.
            np.testing.assert_allclose(
                found["image_raw"].astype(int), wanted["image"].astype(int), rtol=0, atol=atol
            )
            np.testing.assert_array_equal(found["label"], wanted["label"])
            np.testing.assert_array_equal(found["map_raw"], wanted["map"])
        assert index + 1 == num_examples


@pytest.mark.slow
def test_tfds_gives_pairs_to_who_asks_for_them(tmp_path):
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(str(write_tiny_dataset(tmp_path / "captcha_data")))
    image, label = next(iter(builder.as_dataset(split="test", as_supervised=True)))
    np.testing.assert_array_equal(image, tiny_values("test", 0)["image"])
    np.testing.assert_array_equal(label, tiny_values("test", 0)["label"])


@pytest.mark.slow
def test_tfds_opens_labels_that_vary_in_length(tmp_path):
    import tensorflow_datasets as tfds

    out = mixed_dataset.write_mixed_dataset(tmp_path / "captcha_data")
    builder = tfds.builder_from_directory(str(out))
    assert builder.info.features["label"].feature.num_classes == len(mixed_dataset.ALPHABET) + 1
    read_config = tfds.ReadConfig(interleave_cycle_length=1)  # In the order of the files.
    examples = tfds.as_numpy(builder.as_dataset(split="test", read_config=read_config))
    for index, found in enumerate(examples):
        text = mixed_dataset.mixed_text("test", index)
        assert found.keys() == {"image_raw", "label", "length"}
        assert found["length"].tolist() == [len(text)]
        classes = found["label"][: len(text)]
        assert "".join(mixed_dataset.ALPHABET[index] for index in classes) == text
        assert set(found["label"][len(text) :].tolist()) <= {len(mixed_dataset.ALPHABET)}
        np.testing.assert_array_equal(found["image_raw"], mixed_dataset.mixed_image(text))
    assert index + 1 == mixed_dataset.NUM_EXAMPLES["test"]


@pytest.mark.slow
def test_features_of_mixed_lengths_are_those_that_tfds_itself_would_write(tmp_path):
    import tensorflow_datasets as tfds

    theirs = tfds.features.FeaturesDict(
        {
            "image_raw": tfds.features.Image(shape=(8, 24, 3), encoding_format="png"),
            "label": tfds.features.Sequence(tfds.features.ClassLabel(num_classes=4), length=6),
            "length": tfds.features.Tensor(shape=(1,), dtype=np.int64),
        }
    )
    theirs.save_config(tmp_path)
    ours = features_json(mixed_dataset.FIELDS, num_characters=3)
    assert json.loads(ours) == json.loads((tmp_path / "features.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_features_are_those_that_tfds_itself_would_write(tmp_path, encoding):
    import tensorflow_datasets as tfds

    if encoding == "raw":
        image = tfds.features.Tensor(shape=(4, 6, 3), dtype=np.uint8, encoding="bytes")
    else:
        image = tfds.features.Image(shape=(4, 6, 3), encoding_format=encoding)
    theirs = tfds.features.FeaturesDict(
        {
            "image_raw": image,
            "label": tfds.features.Sequence(tfds.features.ClassLabel(num_classes=10), length=2),
            "map_raw": tfds.features.Tensor(shape=(4, 6), dtype=np.uint8, encoding="bytes"),
        }
    )
    theirs.save_config(tmp_path)
    ours = features_json(tiny_fields(encoding, with_map=True), num_characters=10)
    assert json.loads(ours) == json.loads((tmp_path / "features.json").read_text())


def test_dataset_info_counts_records_without_their_frames():
    shards = [
        Shard(file="a", examples=3, bytes=1000, sha256=""),
        Shard(file="b", examples=2, bytes=700, sha256=""),
    ]
    (split,) = json.loads(dataset_info_json(tiny_fields(), {"train": shards}))["splits"]
    assert split["shardLengths"] == ["3", "2"]
    assert split["numBytes"] == "1620"  # 1700 less 16 for each of 5 records.

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image
from tiny_dataset import tiny_fields, tiny_values

from records.errors import RecordError
from records.example_message import Example
from records.example_proto import decode_example, encode_example
from records.schema import ENCODINGS, Field

FIELDS = tiny_fields()
VALUES = {feature: tiny_values("train", 3)[feature] for feature in ("image", "label")}
BOOK_LABEL = Field(name="label_raw", feature="label", dtype="int64", shape=(2,), storage="raw")


def values_of(fields):
    """What `tiny_values` has for these fields."""
    return {field.feature: tiny_values("train", 3)[field.feature] for field in fields}


def with_field(name, **lists):
    """A record of VALUES whose field `name` holds something else, or is gone."""
    example = Example.FromString(encode_example(FIELDS, VALUES))
    del example.features.feature[name]
    for kind, values in lists.items():
        getattr(example.features.feature[name], kind).value.extend(values)
    return example.SerializeToString(deterministic=True)


def encoded(image_format, size=(6, 4)):
    file = io.BytesIO()
    Image.new("RGB", size).save(file, image_format)
    return file.getvalue()


def test_the_bytes_are_those_of_the_format():
    field = Field(name="l", feature="label", dtype="int64", shape=(2,), storage="int64_list")
    record = encode_example([field], {"label": np.array([3, 300])})
    assert record == bytes.fromhex(
        "0a 0e"  # Example.features, 14 bytes
        "0a 0c"  # Features.feature, one entry of 12 bytes
        "0a 01 6c"  # its key, "l"
        "12 07"  # its value, a Feature of 7 bytes
        "1a 05"  # Feature.int64_list, 5 bytes
        "0a 03 03 ac 02"  # Int64List.value, packed: 3 and 300
    )


@pytest.mark.parametrize("with_map", [False, True], ids=["image_and_label", "with_map"])
@pytest.mark.parametrize("encoding", ["raw", "png"])
def test_values_read_back_as_they_were(encoding, with_map):
    fields = tiny_fields(encoding, with_map)
    values = values_of(fields)
    decoded = decode_example(fields, encode_example(fields, values))
    assert decoded.keys() == values.keys()
    for field in fields:
        assert decoded[field.feature].dtype == field.dtype
        np.testing.assert_array_equal(decoded[field.feature], values[field.feature])


def test_a_jpeg_comes_back_nearly_the_same():
    fields = tiny_fields("jpeg")
    decoded = decode_example(fields, encode_example(fields, VALUES))
    np.testing.assert_allclose(decoded["image"].astype(int), VALUES["image"].astype(int), atol=6)
    np.testing.assert_array_equal(decoded["label"], VALUES["label"])


def test_the_books_labels_are_raw_little_endian_int64():
    fields = (FIELDS[0], BOOK_LABEL)
    record = encode_example(fields, {**VALUES, "label": np.array([3, 2**40])})
    stored = Example.FromString(record).features.feature["label_raw"].bytes_list.value
    assert stored == [bytes.fromhex("0300000000000000 0000000000010000")]
    np.testing.assert_array_equal(decode_example(fields, record)["label"], [3, 2**40])


def test_equal_values_give_equal_bytes_in_whatever_order_they_come():
    fields = tiny_fields(with_map=True)
    values = values_of(fields)
    backwards = dict(reversed(values.items()))
    assert encode_example(fields, values) == encode_example(fields[::-1], backwards)


def test_an_array_that_is_not_contiguous_is_stored_in_c_order():
    image = VALUES["image"][::-1, ::-1]
    decoded = decode_example(FIELDS, encode_example(FIELDS, {**VALUES, "image": image}))
    np.testing.assert_array_equal(decoded["image"], image)


def test_what_was_decoded_is_its_owners_to_change():
    decoded = decode_example(FIELDS, encode_example(FIELDS, VALUES))
    decoded["image"][0, 0, 0] = 255
    decoded["label"][0] = 7


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"image": VALUES["image"]}, "must be the features image, label, received image"),
        ({}, "must be the features image, label, received none"),
        (tiny_values("train", 3), "received image, label, length, map"),
        ({**VALUES, "image": VALUES["image"] / 255}, r"uint8 \[4, 6, 3\], received float64"),
        ({**VALUES, "image": VALUES["image"][:3]}, r"\[4, 6, 3\], received uint8 \[3, 6, 3\]"),
        ({**VALUES, "label": np.array([3])}, r"`label` must be int64 \[2\], received int64 \[1\]"),
        ({**VALUES, "label": np.array([3, 6], np.int32)}, "int64 .* received int32"),
    ],
    ids=["missing", "nothing", "one_more", "floats", "image_size", "label_size", "label_dtype"],
)
def test_values_that_the_fields_do_not_describe_are_refused(values, message):
    with pytest.raises(RecordError, match=message):
        encode_example(FIELDS, values)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b"\xff\xff", "must be a tf.train.Example, received 2 bytes that are not"),
        (b"", r"field 'image_raw' must be in the record, received \[\]"),
        (with_field("label"), r"field 'label' must be in the record, received \['image_raw'\]"),
        (with_field("label", float_list=[1.0]), "of the kind int64_list, received float_list"),
        (with_field("label", int64_list=[]), "must have 2 integers, received 0"),
        (with_field("label", int64_list=[1, 2, 3]), "must have 2 integers, received 3"),
        (with_field("image_raw", int64_list=[1]), "of the kind bytes_list, received int64_list"),
        (with_field("image_raw", bytes_list=[b"\0" * 71]), "must have 72 bytes, received 71"),
        (with_field("image_raw", bytes_list=[b"a", b"b"]), "1 strings of bytes, received 2"),
    ],
    ids=[
        "no_example",
        "empty",
        "no_label",
        "label_of_floats",
        "label_of_nothing",
        "label_too_long",
        "image_of_integers",
        "image_too_short",
        "two_images",
    ],
)
def test_a_record_that_the_fields_do_not_describe_is_refused(record, message):
    with pytest.raises(RecordError, match=message):
        decode_example(FIELDS, record)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (encoded("jpeg"), "must be a png image of 4 x 6 .* do not decode"),
        (encoded("png", size=(7, 4)), r"must be a png image of 4 x 6 .* received one of 4 x 7"),
        (encoded("png")[:45], "must be a png image .* do not decode"),
        (b"", "received 0 bytes that do not decode"),
    ],
    ids=["other_format", "other_size", "cut", "empty"],
)
def test_an_image_that_cannot_be_decoded_is_refused(content, message):
    with pytest.raises(RecordError, match=message):
        decode_example(tiny_fields("png"), with_field("image_raw", bytes_list=[content]))


def test_other_fields_in_a_record_do_not_matter():
    fields = tiny_fields(with_map=True)
    record = encode_example(fields, values_of(fields))
    assert decode_example(FIELDS, record).keys() == {"image", "label"}


def test_the_name_in_the_record_is_the_fields_own():
    renamed = (dataclasses.replace(FIELDS[0], name="pixels"), FIELDS[1])
    record = encode_example(renamed, VALUES)
    assert sorted(Example.FromString(record).features.feature) == ["label", "pixels"]


@pytest.mark.slow  # TensorFlow takes 3 s to import.
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_tensorflow_parses_our_bytes_and_writes_the_same(encoding):
    import tensorflow as tf

    fields = tiny_fields(encoding, with_map=True)
    values = values_of(fields)
    record = encode_example(fields, values)
    features = tf.train.Example.FromString(record).features.feature
    assert list(features["label"].int64_list.value) == [3, 6]
    assert features["map_raw"].bytes_list.value == [values["map"].tobytes()]
    (stored,) = features["image_raw"].bytes_list.value
    match encoding:
        case "raw":
            theirs = np.frombuffer(stored, np.uint8).reshape(4, 6, 3)
        case "png":
            theirs = tf.io.decode_png(stored)
        case "jpeg":
            theirs = tf.io.decode_jpeg(stored, dct_method="INTEGER_ACCURATE")
    np.testing.assert_array_equal(theirs, decode_example(fields, record)["image"])
    again = tf.train.Example.FromString(record).SerializeToString(deterministic=True)
    assert again == record

import hashlib
import json
import os
import shutil

import numpy as np
import pytest
from tiny_dataset import files_of, tiny_fields, tiny_values, write_tiny_dataset

from records.example_proto import encode_example
from records.schema import captcha_fields
from records.tfrecord import frame, read_records
from records.verify import verify_dataset

FIRST = "train/captcha-train.tfrecord-00000-of-00002"
SECOND = "train/captcha-train.tfrecord-00001-of-00002"
TEST = "test/captcha-test.tfrecord-00000-of-00002"


@pytest.fixture
def dataset(tmp_path):
    return write_tiny_dataset(tmp_path / "captcha_data", num_shards=2, with_map=True)


def problems_of(dataset):
    return [(problem.file, problem.record, problem.message) for problem in verify_dataset(dataset)]


def files_with_problems(dataset):
    return {problem.file for problem in verify_dataset(dataset)}


def replace_record(dataset, number, record):
    """Writes another record into the first shard, and its size and hash into provenance.json."""
    records = list(read_records(dataset / FIRST))
    records[number] = record
    content = b"".join(map(frame, records))
    (dataset / FIRST).write_bytes(content)
    path = dataset / "provenance.json"
    provenance = json.loads(path.read_text())
    provenance["shards"]["train"][0]["bytes"] = len(content)
    provenance["shards"]["train"][0]["sha256"] = hashlib.sha256(content).hexdigest()
    path.write_text(json.dumps(provenance))


def test_a_whole_dataset_has_no_problems(dataset):
    assert problems_of(dataset) == []


@pytest.mark.parametrize("encoding", ["png", "jpeg"])
def test_a_whole_dataset_of_encoded_images_has_no_problems(tmp_path, encoding):
    assert problems_of(write_tiny_dataset(tmp_path / "out", encoding=encoding)) == []


def test_progress_counts_every_record(dataset):
    counts = []
    assert list(verify_dataset(dataset, on_progress=counts.append)) == []
    assert sum(counts) == 7


def test_verifying_changes_nothing(dataset):
    before = files_of(dataset)
    problems_of(dataset)
    assert files_of(dataset) == before


def test_a_flipped_bit_is_found_in_every_byte_of_a_shard(dataset):
    whole = (dataset / FIRST).read_bytes()
    for index in range(len(whole)):
        damaged = bytearray(whole)
        damaged[index] ^= 1 << index % 8
        (dataset / FIRST).write_bytes(damaged)
        found = problems_of(dataset)
        assert {file for file, _, _ in found} == {FIRST}, index
        assert any("SHA-256" in message for _, _, message in found), index
        # Its frame tells which record.
        assert [record for _, record, _ in found if record is not None] == [
            index * 3 // len(whole)
        ], index


def test_a_cut_is_found_at_every_length(dataset):
    whole = (dataset / FIRST).read_bytes()
    for length in range(len(whole)):
        (dataset / FIRST).write_bytes(whole[:length])
        found = problems_of(dataset)
        assert {file for file, _, _ in found} == {FIRST}, length
        assert any(f"received {length}." in message for _, _, message in found), length


def test_a_cut_between_records_says_how_many_are_left(dataset):
    os.truncate(dataset / FIRST, os.path.getsize(dataset / FIRST) // 3)
    messages = [message for _, _, message in problems_of(dataset)]
    assert len(messages) == 2
    assert "the shard must have" in messages[0]
    assert "must hold 3 records, as provenance.json says, received 1." in messages[1]


@pytest.mark.parametrize(
    ("change", "files"),
    [
        (lambda path: path.unlink(), {FIRST}),
        (lambda path: path.rename(path.with_name("captcha-train.tfrecord-00009-of-00002")), None),
        (lambda path: shutil.copy(path, path.with_name("copy.tfrecord")), {"train/copy.tfrecord"}),
        (lambda path: shutil.copy(path, path.parent.parent / SECOND), {SECOND}),
        (lambda path: (path.unlink(), path.mkdir()), {FIRST}),
        (lambda path: shutil.rmtree(path.parent), {FIRST, SECOND}),
    ],
    ids=["missing", "renamed", "one_more", "duplicated", "a_folder", "no_split"],
)
def test_wrong_files_are_found(dataset, change, files):
    change(dataset / FIRST)
    expected = files or {FIRST, "train/captcha-train.tfrecord-00009-of-00002"}
    assert files_with_problems(dataset) == expected


def test_two_shards_that_changed_places_are_found(tmp_path):
    # Of test, as its two shards have the same size.
    dataset = write_tiny_dataset(tmp_path / "out", num_shards=2)
    other = TEST.replace("00000-of", "00001-of")
    first, second = (dataset / TEST).read_bytes(), (dataset / other).read_bytes()
    (dataset / TEST).write_bytes(second)
    (dataset / other).write_bytes(first)
    assert files_with_problems(dataset) == {TEST, other}


def example(**changes):
    return encode_example(tiny_fields(with_map=True), {**tiny_values("train", 0), **changes})


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (example(label=np.array([3, 10])), r"the label must be in \[0, 9\], received 3 to 10"),
        (example(label=np.array([-1, 3])), r"the label must be in \[0, 9\], received -1 to 3"),
        (example(map=np.full((4, 6), 3, np.uint8)), r"the map must be in \[0, 2\], received 3"),
        (b"", "field 'image_raw' must be in the record"),
        (b"garbage", "must be a tf.train.Example"),
        (
            encode_example(
                tiny_fields(), {k: tiny_values("train", 0)[k] for k in ("image", "label")}
            ),
            "field 'map_raw' must be in the record",
        ),
    ],
    ids=["label_too_large", "label_negative", "map", "empty", "no_example", "no_map"],
)
def test_a_record_that_was_written_wrong_is_found(dataset, record, message):
    replace_record(dataset, 1, record)
    found = [problem for problem in problems_of(dataset) if problem[0] == FIRST]
    assert [(file, number) for file, number, _ in found] == [(FIRST, 1)]
    assert message.replace("\\", "") in found[0][2]


def test_an_image_of_another_size_is_found(tmp_path):
    dataset = write_tiny_dataset(tmp_path / "out", num_shards=2)
    smaller = encode_example(
        captcha_fields(height_px=3, width_px=6, num_positions=2),
        {"image": np.zeros((3, 6, 3), np.uint8), "label": np.array([1, 2])},
    )
    replace_record(dataset, 2, smaller)
    found = [problem for problem in problems_of(dataset) if problem[0] == FIRST]
    assert [(file, number) for file, number, _ in found] == [(FIRST, 2)]
    assert "field 'image_raw' must have 72 bytes, received 54" in found[0][2]


def test_one_bad_record_does_not_hide_the_next(dataset):
    replace_record(dataset, 0, b"")
    replace_record(dataset, 2, b"")
    assert [record for file, record, _ in problems_of(dataset) if file == FIRST] == [0, 2]


EDITS = [
    ("data_info.csv", "4x6x3", "6x4x3"),
    ("data_info.csv", "4x6x3", "[4,6,3]"),
    ("data_info.csv", "image_raw,", "image,"),
    ("data_info.csv", "map_raw,map,uint8,4x6,raw\n", ""),
    ("data_info.csv", "int64_list", "raw"),
    ("data_info.csv", "uint8", "int8"),
    ("data_info.csv", "name,", ""),
    ("data_info.csv", "\n", "\r\n"),
    ("features.json", '"10"', '"11"'),
    ("features.json", '"4"', '"5"'),
    ("features.json", "}", ""),
    ("dataset_info.json", '"3"', '"4"'),
    ("dataset_info.json", "1.0.0", "1.0.1"),
    ("dataset_info.json", "{", ""),
    ("provenance.json", '"length": 2', '"length": 3'),
    ("provenance.json", '"examples": 3', '"examples": 4'),
    ("provenance.json", '"sha256": "', '"sha256": "0'),
    ("provenance.json", '"0123456789"', '"012345678"'),
    ("provenance.json", "{", ""),
]


@pytest.mark.parametrize(("file", "old", "new"), EDITS)
def test_an_edited_description_is_found(dataset, file, old, new):
    path = dataset / file
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())
    assert problems_of(dataset)
    if file != "provenance.json":  # Against it the others are judged, and the shards.
        assert files_with_problems(dataset) == {file}


@pytest.mark.parametrize("file", ["data_info.csv", "features.json", "dataset_info.json"])
@pytest.mark.parametrize("content", [b"", b"\xff\x00\xfe"], ids=["empty", "not_text"])
def test_a_destroyed_description_is_a_problem_and_no_crash(dataset, file, content):
    (dataset / file).write_bytes(content)
    assert files_with_problems(dataset) == {file}


@pytest.mark.parametrize(
    "file", ["data_info.csv", "features.json", "dataset_info.json", "provenance.json"]
)
def test_a_missing_description_is_a_problem_and_no_crash(dataset, file):
    (dataset / file).unlink()
    (problem,) = problems_of(dataset)
    assert file in problem[0] + problem[2]


def test_a_difference_is_told_with_its_line(dataset):
    path = dataset / "features.json"
    path.write_text(path.read_text().replace('"10"', '"11"'))
    ((file, record, message),) = problems_of(dataset)
    assert (file, record) == ("features.json", None)
    number = path.read_text().split('"11"')[0].count("\n") + 1
    assert message.startswith(f"line {number} must be ")
    assert message.index('"numClasses": "10"') < message.index("received") < message.index('"11"')


def test_a_folder_that_is_no_dataset_is_a_problem(tmp_path):
    ((file, record, message),) = problems_of(tmp_path / "none")
    assert (file, record) == (".", None)
    assert "python data_gen --out" in message


def test_every_message_is_one_line(dataset):
    for file in files_of(dataset):
        (dataset / file).write_bytes(b"\n{\n")
    for problem in verify_dataset(dataset):
        assert "\n" not in problem.message

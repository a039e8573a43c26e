import os
import shutil

import numpy as np
import pytest
from tiny_dataset import files_of, tiny_fields, tiny_record, tiny_records, write_tiny_dataset
from wrong_writer import edit_provenance, replace_records

from records.example_proto import encode_example
from records.schema import captcha_fields
from records.verify import verify_dataset

FIRST = "train/captcha-train.tfrecord-00000-of-00002"
SECOND = "train/captcha-train.tfrecord-00001-of-00002"
TEST = "test/captcha-test.tfrecord-00000-of-00002"
SECOND_TEST = "test/captcha-test.tfrecord-00001-of-00002"
MAP_FIELDS = tiny_fields(with_map=True)


@pytest.fixture
def dataset(tmp_path):
    """Training examples 0 to 2 in the first shard, 3 and 4 in the second; with maps."""
    return write_tiny_dataset(tmp_path / "captcha_data", num_shards=2, with_map=True)


def problems_of(dataset):
    return [(problem.file, problem.record, problem.message) for problem in verify_dataset(dataset)]


def files_with_problems(dataset):
    return {problem.file for problem in verify_dataset(dataset)}


@pytest.mark.parametrize("variable_length", [False, True], ids=["fixed", "variable"])
@pytest.mark.parametrize("encoding", ["raw", "png", "jpeg"])
def test_a_whole_dataset_has_no_problems(tmp_path, encoding, variable_length):
    dataset = write_tiny_dataset(
        tmp_path / "out", encoding=encoding, with_map=True, variable_length=variable_length
    )
    assert problems_of(dataset) == []


def test_progress_counts_every_record(dataset):
    counts = []
    assert list(verify_dataset(dataset, on_progress=counts.append)) == []
    assert sum(counts) == 7


def test_verifying_changes_nothing(dataset):
    before = files_of(dataset)
    problems_of(dataset)
    assert files_of(dataset) == before


def test_a_flipped_bit_in_any_byte_of_a_shard_is_one_problem_with_its_record(dataset):
    whole = (dataset / FIRST).read_bytes()
    for index in range(len(whole)):
        damaged = bytearray(whole)
        damaged[index] ^= 1 << index % 8
        (dataset / FIRST).write_bytes(damaged)
        found = [(file, record) for file, record, _ in problems_of(dataset)]
        assert found == [(FIRST, index * 3 // len(whole))], index


def test_a_cut_at_any_length_is_one_problem_with_the_record_that_was_cut(dataset):
    whole = (dataset / FIRST).read_bytes()
    for length in range(len(whole)):
        (dataset / FIRST).write_bytes(whole[:length])
        ((file, record, message),) = problems_of(dataset)
        assert file == FIRST, length
        if length * 3 % len(whole):
            assert record == length * 3 // len(whole), length
        else:  # Between two records: what is left is whole, and only the count tells.
            assert record is None, length
            num_left = length * 3 // len(whole)
            assert f"must hold 3 records, as provenance.json says, received {num_left}." in message


@pytest.mark.parametrize(
    ("change", "files"),
    [
        (lambda path: path.unlink(), {FIRST}),
        (lambda path: path.rename(path.with_name("captcha-train.tfrecord-00009-of-00002")), None),
        (lambda path: shutil.copy(path, path.with_name("copy.tfrecord")), {"train/copy.tfrecord"}),
        (lambda path: shutil.copy(path, path.with_name("copy")), {"train/copy"}),
        (lambda path: shutil.copy(path, path.with_name(".copy")), {"train/.copy"}),
        (lambda path: shutil.copy(path, path.parents[1] / "copy"), {"copy"}),
        (lambda path: shutil.copytree(path.parent, path.parents[1] / "old"), "old"),
        (lambda path: shutil.copy(path, path.parents[1] / SECOND), {SECOND}),
        (lambda path: (path.unlink(), path.mkdir()), {FIRST}),
        (lambda path: (path.unlink(), os.mkfifo(path)), {FIRST}),
        (lambda path: path.with_name("notes.txt").touch(), {"train/notes.txt"}),
        (lambda path: (path.parents[1] / "a.tfrecord").mkdir(), {"a.tfrecord"}),
        (lambda path: shutil.rmtree(path.parent), {FIRST, SECOND}),
    ],
    ids=[
        "missing",
        "renamed",
        "copied",
        "copied_under_another_name",
        "copied_and_hidden",
        "copied_out_of_the_split",
        "split_copied",
        "in_the_place_of_another",
        "a_folder",
        "a_pipe",
        "not_a_shard_among_shards",
        "named_like_a_shard",
        "no_split",
    ],
)
def test_wrong_files_are_found(dataset, change, files):
    change(dataset / FIRST)
    if files is None:
        files = {FIRST, "train/captcha-train.tfrecord-00009-of-00002"}
    elif files == "old":
        files = {FIRST.replace("train/", "old/"), SECOND.replace("train/", "old/")}
    assert files_with_problems(dataset) == files


@pytest.mark.parametrize(
    "file", ["notes.txt", ".DS_Store", "captcha_data-train.png", "train/.DS_Store", "old/x.ipynb"]
)
def test_what_people_leave_in_a_folder_and_nobody_reads_is_let_be(dataset, file):
    (dataset / file).parent.mkdir(exist_ok=True)
    (dataset / file).write_bytes(b"\x00\x01\x02 sixteen bytes or more")
    assert problems_of(dataset) == []


def test_a_split_that_is_a_link_to_another_disk_is_looked_into(dataset, tmp_path):
    (dataset / "train").rename(tmp_path / "disk")
    (dataset / "train").symlink_to(tmp_path / "disk")
    assert problems_of(dataset) == []
    (tmp_path / "disk/more").write_text("more")
    assert files_with_problems(dataset) == {"train/more"}


def test_two_shards_that_changed_places_are_found_and_told(tmp_path):
    # Of test, as its two shards have the same size.
    dataset = write_tiny_dataset(tmp_path / "out", num_shards=2)
    first, second = (dataset / TEST).read_bytes(), (dataset / SECOND_TEST).read_bytes()
    (dataset / TEST).write_bytes(second)
    (dataset / SECOND_TEST).write_bytes(first)
    (one, other) = problems_of(dataset)
    assert one[0] == TEST
    assert f"must have its own content, received that of {SECOND_TEST}." in one[2]
    assert other[0] == SECOND_TEST
    assert f"must have its own content, received that of {TEST}." in other[2]


def test_records_rewritten_with_valid_checksums_are_found_by_the_hash(dataset):
    whole = (dataset / FIRST).read_bytes()
    replace_records(dataset, "train", 0, [tiny_record("train", i, MAP_FIELDS) for i in (1, 0, 2)])
    edited = (dataset / FIRST).read_bytes()
    assert problems_of(dataset) == []  # A program wrote it so.
    (dataset / FIRST).write_bytes(whole)
    ((file, record, message),) = problems_of(dataset)
    assert (file, record) == (FIRST, None)
    assert message.startswith("SHA-256 must be ")
    assert len(edited) == len(whole)


def test_a_miscounted_shard_is_found(dataset):
    def miscount(provenance):
        provenance["shards"]["train"][0]["examples"] = 4

    edit_provenance(dataset, miscount)
    found = [(file, message) for file, _, message in problems_of(dataset) if file == FIRST]
    assert len(found) == 1
    assert "the shard must hold 4 records, as provenance.json says, received 3." in found[0][1]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            tiny_record("train", 0, MAP_FIELDS, label=np.array([3, 10])),
            "the label must be in [0, 9], received 3 to 10",
        ),
        (
            tiny_record("train", 0, MAP_FIELDS, label=np.array([-1, 3])),
            "the label must be in [0, 9], received -1 to 3",
        ),
        (
            tiny_record("train", 0, MAP_FIELDS, map=np.full((4, 6), 3, np.uint8)),
            "the map must be in [0, 2], the background and each character's ink, received 3",
        ),
        (b"", "field 'image_raw' must be in the record"),
        (b"garbage", "must be a tf.train.Example"),
        (tiny_record("train", 0, tiny_fields()), "field 'map_raw' must be in the record"),
    ],
    ids=["label_too_large", "label_negative", "map", "empty", "no_example", "no_map"],
)
def test_a_record_that_was_written_wrong_is_found_and_told_by_its_number(dataset, record, message):
    records = tiny_records("train", 3, MAP_FIELDS)
    replace_records(dataset, "train", 0, [records[0], record, records[2]])
    ((file, number, received),) = problems_of(dataset)
    assert (file, number) == (FIRST, 1)
    assert message in received


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": np.array([3, 11])}, "the label must be in [0, 10], received 3 to 11"),
        ({"label": np.array([10, 3])}, "must be characters and then blanks (class 10), received"),
        ({"label": np.array([10, 10])}, "must be characters and then blanks (class 10), received"),
        ({"length": np.array([1])}, "the length must be that of the label, 2, received 1."),
        ({"length": np.array([0])}, "the length must be that of the label, 2, received 0."),
        ({"label": np.array([3, 10])}, "the length must be that of the label, 1, received 2."),
        (
            {"label": np.array([3, 10]), "length": np.array([1])},
            "the map must be in [0, 1], the background and each character's ink, received 2",
        ),
    ],
    ids=["class", "blank_first", "blanks", "too_short", "zero", "too_long", "map"],
)
def test_a_label_that_varies_in_length_is_checked(tmp_path, changes, message):
    dataset = write_tiny_dataset(
        tmp_path / "out", num_shards=2, with_map=True, variable_length=True
    )
    fields = tiny_fields(with_map=True, variable_length=True)
    records = tiny_records("train", 3, fields)
    records[2] = tiny_record("train", 2, fields, **changes)
    replace_records(dataset, "train", 0, records)
    ((file, number, received),) = problems_of(dataset)
    assert (file, number) == (FIRST, 2)
    assert message in received


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("raw", "field 'image_raw' must have 72 bytes, received 54"),
        ("png", "must be a png image of 4 x 6 (height x width), received one of 3 x 6"),
        ("jpeg", "must be a jpeg image of 4 x 6 (height x width), received one of 3 x 6"),
    ],
)
def test_an_image_of_another_size_is_found(tmp_path, encoding, message):
    dataset = write_tiny_dataset(tmp_path / "out", num_shards=2, encoding=encoding)
    smaller = encode_example(
        captcha_fields(height_px=3, width_px=6, num_positions=2, encoding=encoding),
        {"image": np.zeros((3, 6, 3), np.uint8), "label": np.array([1, 2])},
    )
    fields = tiny_fields(encoding)
    replace_records(dataset, "train", 0, [*tiny_records("train", 2, fields), smaller])
    ((file, number, received),) = problems_of(dataset)
    assert (file, number) == (FIRST, 2)
    assert message in received


def test_one_bad_record_does_not_hide_the_next(dataset):
    good = tiny_record("train", 1, MAP_FIELDS)
    replace_records(dataset, "train", 0, [b"", good, b""])
    assert [(file, record) for file, record, _ in problems_of(dataset)] == [(FIRST, 0), (FIRST, 2)]


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
    ("provenance.json", '"0123456789"', '"9876543210"'),
    ("provenance.json", '"seed": 0', '"seed": 1'),
    ("provenance.json", '"seed": 0', '"seed": 0.0'),
    ("provenance.json", '"seed": 0,', '"seed": 0,\n  "note": "mine",'),
    ("provenance.json", '"generator"', '"Generator"'),
    ("provenance.json", '  "seed": 0', '   "seed": 0'),
    ("provenance.json", "\n", "\r\n"),
    ("provenance.json", '"seed": 0', '"seed": 7, "seed": 0'),
    ("provenance.json", "{", ""),
]


@pytest.mark.parametrize(("file", "old", "new"), EDITS)
def test_an_edited_description_is_found(dataset, file, old, new):
    path = dataset / file
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())
    assert files_with_problems(dataset) == {file}


@pytest.mark.parametrize(
    "file", ["data_info.csv", "features.json", "dataset_info.json", "provenance.json"]
)
def test_a_flipped_bit_anywhere_in_a_description_is_one_problem(dataset, file):
    whole = (dataset / file).read_bytes()
    for index in range(0, len(whole), 5):
        damaged = bytearray(whole)
        damaged[index] ^= 1 << index % 8
        (dataset / file).write_bytes(damaged)
        assert [(found, record) for found, record, _ in problems_of(dataset)] == [(file, None)]


@pytest.mark.parametrize("change", ["flipped", "cut", "missing"])
def test_what_else_came_with_a_dataset_is_checked_too(tmp_path, change):
    def add_preview(folder):
        (folder / "preview.png").write_bytes(b"a picture")

    dataset = write_tiny_dataset(tmp_path / "out", before_finish=add_preview)
    assert problems_of(dataset) == []
    preview = dataset / "preview.png"
    if change == "missing":
        preview.unlink()
    else:
        preview.write_bytes(b"a picturf" if change == "flipped" else b"a pict")
    ((file, record, message),) = problems_of(dataset)
    assert (file, record) == ("preview.png", None)
    assert ("No such file" if change == "missing" else "SHA-256 must be") in message


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

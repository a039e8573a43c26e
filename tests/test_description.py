import os
import re
import shutil

import pytest
from tiny_dataset import PROVENANCE, tiny_fields, write_tiny_dataset
from wrong_writer import edit_provenance

from records.description import check_hashes, check_sizes, load_description


@pytest.fixture
def dataset(tmp_path):
    return write_tiny_dataset(tmp_path / "captcha_data", num_shards=2)


def test_a_description_says_all_that_a_later_stage_must_know(dataset):
    description = load_description(str(dataset))
    assert description.dataset_dir == dataset
    assert description.fields == tiny_fields()
    assert description.alphabet == "0123456789"
    assert description.num_positions == 2
    assert description.image_shape == (4, 6, 3)
    assert description.num_examples("train") == 5
    assert description.num_examples("test") == 2
    assert description.provenance["seed"] == PROVENANCE["seed"]


def test_shards_come_in_their_order_with_their_sizes(dataset):
    shards = load_description(dataset).shards("train")
    assert [(shard.file, shard.examples) for shard in shards] == [
        ("train/captcha-train.tfrecord-00000-of-00002", 3),
        ("train/captcha-train.tfrecord-00001-of-00002", 2),
    ]
    assert [shard.bytes for shard in shards] == [
        (dataset / shard.file).stat().st_size for shard in shards
    ]


def test_a_map_is_part_of_the_description(tmp_path):
    out = write_tiny_dataset(tmp_path / "out", with_map=True)
    assert load_description(out).fields == tiny_fields(with_map=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shutil.rmtree, "which does not exist. Write it: python data_gen --out {}"),
        (
            lambda path: path.rename(path.with_name("captcha_data.partial")),
            "which is not finished: .* Write it: python data_gen --out {}",
        ),
        (
            lambda path: (path / "provenance.json").unlink(),
            "which has no provenance.json. Name a dataset, or write one: python data_gen",
        ),
    ],
    ids=["missing", "unfinished", "other_folder"],
)
def test_a_folder_that_is_no_finished_dataset_is_refused_with_the_command(dataset, change, message):
    change(dataset)
    with pytest.raises(ValueError, match=message.format(re.escape(str(dataset)))) as caught:
        load_description(dataset)
    assert f"received '{dataset}'" in str(caught.value)


def delete(*keys):
    def edit(provenance):
        *parents, last = keys
        for key in parents:
            provenance = provenance[key]
        del provenance[last]

    return edit


def put(value, *keys):
    def edit(provenance):
        *parents, last = keys
        for key in parents:
            provenance = provenance[key]
        provenance[last] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (delete("label"), "`alphabet` must be .* received None"),
        (put("001", "label", "alphabet"), "`alphabet` must be .* received '001'"),
        (put([0, 1], "label", "alphabet"), r"`alphabet` must be .* received \[0, 1\]"),
        (put(3, "label", "length"), "must say of the label what provenance.json says"),
        (put([6, 4, 3], "image", "shape"), "must say of the image what provenance.json says"),
        (put({"name": "map_raw"}, "map"), "must say of the map what provenance.json says"),
        (delete("shards"), "`shards` must list the splits train, test, received None"),
        (delete("shards", "test"), "`shards` must list the splits train, test"),
        (put([], "shards", "test"), r"`shards.test` must be a list of one or more, received \[\]"),
        (delete("shards", "train", 0), r"`shards.train\[0\]` must have the file .*00000-of-00001"),
        (put("../x", "shards", "train", 1, "file"), r"`shards.train\[1\]` must have the file"),
        (put(0, "shards", "train", 1, "examples"), r"`shards.train\[1\]` .* \(1 or more\)"),
        (put(True, "shards", "train", 1, "examples"), r"`shards.train\[1\]`"),
        (put("5", "shards", "train", 1, "bytes"), r"`shards.train\[1\]`"),
        (put("abc", "shards", "train", 1, "sha256"), r"`shards.train\[1\]`"),
        (delete("shards", "train", 1, "sha256"), r"`shards.train\[1\]`"),
        (put(7, "shards", "train", 1), r"`shards.train\[1\]` .* received 7"),
    ],
    ids=lambda value: None if callable(value) else value[:40],
)
def test_a_provenance_that_was_written_wrong_is_refused(dataset, edit, message):
    edit_provenance(dataset, edit)
    with pytest.raises(ValueError, match=message):
        load_description(dataset)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b"9" * 5000],
    ids=["empty", "cut", "list", "not_text", "deep", "huge_number"],
)
def test_a_provenance_that_is_no_json_object_is_refused(dataset, content):
    (dataset / "provenance.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"provenance\.json: ") as caught:
        load_description(dataset)
    assert caught.value.file == "provenance.json"
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "line 1 must be name,feature"),
        (
            "name,feature,dtype,shape,storage\n"
            "image_raw,image,uint8,6x4x3,raw\nlabel,label,int64,2,int64_list\n",
            "must say of the image what provenance.json says, .*4, 6, 3.*received .*6, 4, 3",
        ),
    ],
    ids=["no_table", "other_size"],
)
def test_a_data_info_that_disagrees_is_refused(dataset, text, message):
    (dataset / "data_info.csv").write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        load_description(dataset)
    assert caught.value.file == "data_info.csv"


def test_a_missing_data_info_is_an_os_error(dataset):
    (dataset / "data_info.csv").unlink()
    with pytest.raises(FileNotFoundError):
        load_description(dataset)


def test_whole_shards_pass_both_checks(dataset):
    description = load_description(dataset)
    check_sizes(description)
    check_hashes(description)


FIRST = "train/captcha-train.tfrecord-00000-of-00002"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.unlink(), f"{FIRST}: the shard must be there"),
        (lambda path: os.truncate(path, 0), f"{FIRST}: the shard must have .* bytes, received 0"),
        (lambda path: path.rename(path.with_name("captcha")), f"{FIRST}: the shard must be there"),
        (
            lambda path: shutil.copy(path, path.with_name("captcha-train.tfrecord-00002-of-00002")),
            "00002-of-00002: a file that may be taken for data must be listed",
        ),
    ],
    ids=["missing", "emptied", "renamed", "one_more"],
)
def test_wrong_files_are_found_without_reading_them(dataset, change, message):
    description = load_description(dataset)
    change(dataset / FIRST)
    with pytest.raises(ValueError, match=message):
        check_sizes(description)


def test_a_flipped_bit_changes_the_hash_and_not_the_size(dataset):
    description = load_description(dataset)
    content = bytearray((dataset / FIRST).read_bytes())
    content[40] ^= 1
    (dataset / FIRST).write_bytes(content)
    check_sizes(description)
    with pytest.raises(ValueError, match=f"{FIRST}: SHA-256 must be"):
        check_hashes(description)


def test_hashes_of_a_missing_shard_are_a_problem_and_no_crash(dataset):
    description = load_description(dataset)
    (dataset / FIRST).unlink()
    with pytest.raises(ValueError, match=f"{FIRST}: must be readable"):
        check_hashes(description)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"seed": 0', '"seed": 1', "`seal` must be the SHA-256 of all else in the file, .* edited"),
        ('"seed": 0', '"seed":  0', r"line 3 must be .*\"seed\": 0.*received .*\"seed\":  0"),
        ('"seal"', '"sealed"', "`seal` must end the file, received none: .* before there were"),
        ('"seed": 0', '"seed": NaN', "all must be JSON as we write it, .* not JSON compliant"),
        ('"seed": 0', r'"seed": "\\ud800"', "all must be JSON as we write it, .* surrogates"),
    ],
    ids=["value", "spelling", "no_seal", "nan", "half_a_surrogate_pair"],
)
def test_a_provenance_that_was_edited_by_hand_is_refused(dataset, old, new, message):
    path = dataset / "provenance.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new.replace(r"\\", "\\"), 1))
    with pytest.raises(ValueError, match=message) as caught:
        load_description(dataset)
    assert caught.value.file == "provenance.json"


@pytest.mark.parametrize(
    "files",
    [
        None,
        {},
        {"../../etc/passwd": "0" * 64},
        {"/etc/passwd": "0" * 64},
        {"preview.png": "abc"},
        {"": "0" * 64},
    ],
    ids=["none", "too_few", "above", "absolute", "no_hash", "the_folder"],
)
def test_files_that_are_not_those_of_the_dataset_are_refused(dataset, files):
    def edit(provenance):
        provenance["files"] = files and {**provenance["files"], **files}

    edit_provenance(dataset, edit)
    with pytest.raises(ValueError, match=r"`files` must have the SHA-256 of data_info\.csv, "):
        load_description(dataset)


def test_another_file_that_was_changed_is_refused_by_its_hash(tmp_path):
    dataset = write_tiny_dataset(
        tmp_path / "out", before_finish=lambda folder: (folder / "report.txt").write_text("4")
    )
    description = load_description(dataset)
    check_hashes(description)
    (dataset / "report.txt").write_text("5")
    check_sizes(description)
    with pytest.raises(ValueError, match=r"report\.txt: SHA-256 must be"):
        check_hashes(description)


def test_a_miscounted_shard_is_refused_by_what_it_holds(dataset):
    def miscount(provenance):
        provenance["shards"]["train"][0]["examples"] = 4

    edit_provenance(dataset, miscount)
    description = load_description(dataset)
    check_sizes(description)
    with pytest.raises(ValueError, match=f"{FIRST}: the shard must hold 4 records, .* received 3"):
        check_hashes(description)

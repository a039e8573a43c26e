import hashlib
import json
import math
import os
import pathlib
import subprocess
import sys

import pytest
from tiny_dataset import (
    ALPHABET,
    NUM_EXAMPLES,
    PROVENANCE,
    files_of,
    tiny_fields,
    tiny_records,
    write_tiny_dataset,
)

from records import staged_folder
from records.dataset_writer import DatasetWriter
from records.exchange import exchange
from records.shard_writer import plan_num_shards
from records.tfrecord import read_records
from records.verify import verify_dataset

FIELDS = tiny_fields()
ROOT = pathlib.Path(__file__).resolve().parent.parent


def new_writer(out_dir, **options):
    return DatasetWriter(out_dir, fields=FIELDS, alphabet=ALPHABET, **options)


def write_train(writer):
    with writer.split("train", num_examples=2) as sink:
        sink.add(tiny_records("train", 2, FIELDS))


@pytest.fixture
def old(tmp_path):
    """A dataset that is there already; its seed tells it from a new one."""
    return write_tiny_dataset(tmp_path / "captcha_data", provenance={"seed": 99})


def test_the_records_lie_where_the_design_says_and_in_their_order(tmp_path):
    out = write_tiny_dataset(tmp_path / "captcha_data", num_shards=2)
    assert sorted(files_of(out)) == [
        "data_info.csv",
        "dataset_info.json",
        "features.json",
        "provenance.json",
        "test/captcha-test.tfrecord-00000-of-00002",
        "test/captcha-test.tfrecord-00001-of-00002",
        "train/captcha-train.tfrecord-00000-of-00002",
        "train/captcha-train.tfrecord-00001-of-00002",
    ]
    for split, num_examples in NUM_EXAMPLES.items():
        read = [record for path in sorted((out / split).iterdir()) for record in read_records(path)]
        assert read == tiny_records(split, num_examples, FIELDS)


def test_nothing_else_is_left_beside_the_dataset(tmp_path):
    write_tiny_dataset(tmp_path / "captcha_data")
    assert os.listdir(tmp_path) == ["captcha_data"]


def test_equal_input_gives_equal_bytes_in_every_file(tmp_path):
    first = files_of(write_tiny_dataset(tmp_path / "first", num_shards=2))
    assert first == files_of(write_tiny_dataset(tmp_path / "second", num_shards=2))


@pytest.mark.parametrize("block", [1, 2, 5], ids=["one_by_one", "in_twos", "at_once"])
def test_how_records_are_handed_over_does_not_matter(tmp_path, block):
    records = tiny_records("train", 5, FIELDS)
    with new_writer(tmp_path / "out") as writer:
        with writer.split("train", num_examples=5) as sink:
            for start in range(0, 5, block):
                sink.add(records[start : start + block])
        with writer.split("test", num_examples=2) as sink:
            sink.add(tiny_records("test", 2, FIELDS))
        writer.finish(PROVENANCE)
    assert files_of(tmp_path / "out") == files_of(write_tiny_dataset(tmp_path / "other"))


def test_sizes_of_shards_differ_by_one_example_at_most(tmp_path):
    out = write_tiny_dataset(tmp_path / "out", num_shards=3)
    shards = sorted((out / "train").iterdir())
    assert [len(list(read_records(shard))) for shard in shards] == [2, 2, 1]


@pytest.mark.parametrize(
    ("num_examples", "bytes_per_example", "num_shards"),
    [
        (1, 9061, 1),
        (2_000, 9061, 1),  # 18 MB
        (5_000, 9061, 4),  # 45 MB
        (50_000, 9061, 10),  # 453 MB
        (500_000, 9061, 71),  # 4.5 GB, 64 MB each
        (10, 100_000_000, 10),  # One each, though each is above 64 MB.
        (1, 100_000_000, 1),
    ],
)
def test_number_of_shards(num_examples, bytes_per_example, num_shards):
    assert plan_num_shards(num_examples, bytes_per_example) == num_shards


@pytest.mark.parametrize("bytes_per_example", [100, 9061, 2_500_000])
def test_shards_are_ten_or_more_of_ten_megabytes_and_none_above_64(bytes_per_example):
    for num_examples in (1, 7, 100, 1_103, 11_037, 110_371, 1_103_717):
        num_shards = plan_num_shards(num_examples, bytes_per_example)
        largest = math.ceil(num_examples / num_shards) * bytes_per_example
        smallest = num_examples // num_shards * bytes_per_example
        assert largest <= 64e6
        assert smallest >= 10e6 or num_shards == 1
        assert num_shards >= 10 or num_examples // 10 * bytes_per_example < 10e6 + bytes_per_example


def test_provenance_has_what_was_given_and_what_was_written(tmp_path):
    out = write_tiny_dataset(tmp_path / "out", provenance={"seed": 7, "style": {"font": "Ä"}})
    text = (out / "provenance.json").read_text(encoding="utf-8")
    provenance = json.loads(text)
    assert '"font": "Ä"' in text
    assert provenance["seed"] == 7
    assert provenance["image"] == {"name": "image_raw", "shape": [4, 6, 3], "storage": "raw"}
    assert provenance["label"] == {
        "name": "label",
        "alphabet": "0123456789",
        "length": 2,
        "storage": "int64_list",
    }
    assert [shard["examples"] for shard in provenance["shards"]["train"]] == [5]


def test_what_the_caller_puts_into_the_folder_comes_with_the_dataset(tmp_path):
    with new_writer(tmp_path / "out") as writer:
        write_train(writer)
        with writer.split("test", num_examples=1) as sink:
            sink.add(tiny_records("test", 1, FIELDS))
        (writer.path / "preview.png").write_bytes(b"picture")
        writer.finish(PROVENANCE)
    assert (tmp_path / "out" / "preview.png").read_bytes() == b"picture"


def test_every_file_but_the_shards_has_its_hash_in_the_provenance(tmp_path):
    def add_report(folder):
        (folder / "report").mkdir()
        (folder / "report/size.txt").write_text("4 x 6")

    out = write_tiny_dataset(tmp_path / "out", before_finish=add_report)
    listed = json.loads((out / "provenance.json").read_text())["files"]
    assert list(listed) == [
        "data_info.csv",
        "dataset_info.json",
        "features.json",
        "report/size.txt",
    ]
    for file, digest in listed.items():
        assert hashlib.sha256((out / file).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "train/more").write_text("of another writer"),
        lambda folder: next((folder / "train").iterdir()).unlink(),
        lambda folder: next((folder / "train").iterdir()).write_bytes(b"of another writer"),
    ],
    ids=["one_more", "missing", "another_size"],
)
def test_a_split_that_does_not_hold_its_shards_is_not_finished(tmp_path, change):
    with pytest.raises(ValueError, match="must hold the shards that were written and nothing else"):
        write_tiny_dataset(tmp_path / "out", before_finish=change)
    assert os.listdir(tmp_path) == []


def test_a_provenance_that_json_cannot_say_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_tiny_dataset(tmp_path / "out", provenance={"tilt": float("nan")})
    assert os.listdir(tmp_path) == []


def test_folders_above_are_made(tmp_path):
    assert write_tiny_dataset(tmp_path / "a" / "b" / "captcha_data").is_dir()


def test_an_existing_dataset_is_refused_before_any_work(old):
    before = files_of(old)
    with (
        pytest.raises(ValueError, match=r"must not exist yet, .*--overwrite"),
        new_writer(old),
    ):
        pytest.fail("the block must not be entered")
    assert files_of(old) == before
    assert os.listdir(old.parent) == [old.name]


def test_overwrite_replaces_the_old_dataset(old):
    (old / "notes.txt").write_text("of the old one")
    write_tiny_dataset(old, overwrite=True)
    assert json.loads((old / "provenance.json").read_text())["seed"] == PROVENANCE["seed"]
    assert not (old / "notes.txt").exists()
    assert os.listdir(old.parent) == [old.name]


def test_overwrite_follows_a_symbolic_link(old, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(old)
    write_tiny_dataset(link, overwrite=True)
    assert link.is_symlink()
    assert json.loads((old / "provenance.json").read_text())["seed"] == PROVENANCE["seed"]


@pytest.mark.parametrize(
    "make",
    [
        lambda path: (path.mkdir(), (path / "thesis.tex").write_text("years of work")),
        lambda path: path.write_text("a file"),
    ],
    ids=["folder", "file"],
)
def test_overwrite_never_replaces_what_is_no_dataset(tmp_path, make):
    make(tmp_path / "mine")
    before = files_of(tmp_path)
    with (
        pytest.raises(ValueError, match="--overwrite replaces finished datasets only"),
        new_writer(tmp_path / "mine", overwrite=True),
    ):
        pytest.fail("the block must not be entered")
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_exception_leaves_what_was_there(tmp_path, overwrite, error):
    out = tmp_path / "captcha_data"
    if overwrite:
        write_tiny_dataset(out, provenance={"seed": 99})
    before = files_of(tmp_path)

    def work():
        with new_writer(out, overwrite=overwrite) as writer:
            write_train(writer)
            raise error

    with pytest.raises(type(error)):
        work()
    assert files_of(tmp_path) == before
    assert out.exists() == overwrite
    assert os.listdir(tmp_path) == [out.name] * overwrite


def test_leaving_without_finish_leaves_nothing(tmp_path):
    with new_writer(tmp_path / "out") as writer:
        write_train(writer)
    assert os.listdir(tmp_path) == []


@pytest.fixture
def no_swap(monkeypatch):
    """As on a file system that cannot swap two names in one step."""
    monkeypatch.setattr(staged_folder, "exchange", lambda first, second: False)


def test_overwrite_replaces_where_names_cannot_be_swapped(old, no_swap):
    write_tiny_dataset(old, overwrite=True)
    assert json.loads((old / "provenance.json").read_text())["seed"] == PROVENANCE["seed"]
    assert os.listdir(old.parent) == [old.name]


@pytest.mark.parametrize("swapped", [False, True])
def test_an_interrupt_while_swapping_loses_neither_dataset(old, monkeypatch, swapped):
    def interrupted(first, second):
        if swapped:
            assert exchange(first, second)
        raise KeyboardInterrupt

    before = files_of(old)
    monkeypatch.setattr(staged_folder, "exchange", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_tiny_dataset(old, overwrite=True)
    assert (files_of(old) == before) != swapped
    assert list(verify_dataset(old)) == []
    assert os.listdir(old.parent) == [old.name]


@pytest.mark.parametrize("step", [1, 2], ids=["old_aside", "new_in_place"])
def test_an_interrupt_while_renaming_loses_neither_dataset(old, monkeypatch, no_swap, step):
    steps = []

    def rename(source, target):
        os.replace(source, target)
        steps.append(target)
        if len(steps) == step:
            raise KeyboardInterrupt

    before = files_of(old)
    monkeypatch.setattr(staged_folder.os, "rename", rename)
    with pytest.raises(KeyboardInterrupt):
        write_tiny_dataset(old, overwrite=True)
    seed = json.loads((old / "provenance.json").read_text())["seed"]
    assert seed == (99 if step == 1 else PROVENANCE["seed"])
    assert (files_of(old) == before) == (step == 1)
    assert os.listdir(old.parent) == [old.name]


KILLED_WRITER = """
import os, pathlib, sys
sys.path[:0] = sys.argv[2:]
from tiny_dataset import *
from records.dataset_writer import DatasetWriter
if sys.argv[1].endswith("captcha_data"):
    from records import staged_folder
    # Dies between the two renames of a replacement, where names cannot be swapped.
    staged_folder.exchange = lambda first, second: False
    staged_folder.os.rename = lambda source, target: (os.replace(source, target), os._exit(9))
    write_tiny_dataset(sys.argv[1], overwrite=True)
with DatasetWriter(sys.argv[1], fields=tiny_fields(), alphabet=ALPHABET) as writer:
    with writer.split("train", num_examples=2) as sink:
        sink.add(tiny_records("train", 1, tiny_fields()))
        os._exit(9)
"""


def kill_a_writer_of(out):
    paths = [str(ROOT), str(ROOT / "tests")]
    process = subprocess.run(
        [sys.executable, "-c", KILLED_WRITER, str(out), *paths], check=False, timeout=60
    )
    assert process.returncode == 9


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path):
    kill_a_writer_of(tmp_path / "out")
    assert (tmp_path / "out.partial" / "train").is_dir()
    write_tiny_dataset(tmp_path / "out")
    assert os.listdir(tmp_path) == ["out"]
    assert files_of(tmp_path / "out") == files_of(write_tiny_dataset(tmp_path / "other"))


def test_a_dataset_that_a_killed_run_had_moved_aside_comes_back(old):
    before = files_of(old)
    kill_a_writer_of(old)
    assert not old.exists()
    with pytest.raises(ValueError, match="must not exist yet"):
        write_tiny_dataset(old)
    assert files_of(old) == before
    assert os.listdir(old.parent) == [old.name]


def test_two_writers_refuse_each_other(tmp_path):
    with new_writer(tmp_path / "out") as writer:
        write_train(writer)
        with (
            pytest.raises(
                ValueError, match=r"only one program at a time .*out.partial.lock is lock"
            ),
            new_writer(tmp_path / "out"),
        ):
            pytest.fail("the block must not be entered")
        with writer.split("test", num_examples=1) as sink:
            sink.add(tiny_records("test", 1, FIELDS))
        writer.finish(PROVENANCE)
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("num_added", [1, 3], ids=["too_few", "too_many"])
def test_another_number_of_examples_than_promised_is_refused(tmp_path, num_added):
    def work():
        with (
            new_writer(tmp_path / "out") as writer,
            writer.split("train", num_examples=2) as sink,
        ):
            sink.add(tiny_records("train", num_added, FIELDS))

    with pytest.raises(ValueError, match=f"`num_examples` of 2 records, received {num_added}"):
        work()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda writer: writer.split("dev", num_examples=1), "received 'dev' after none"),
        (lambda writer: writer.split("test", num_examples=0), "must be 1 or more, received 0"),
        (
            lambda writer: (write_train(writer), write_train(writer)),
            "each once, received 'train' after train",
        ),
        (
            lambda writer: (write_train(writer), writer.finish({})),
            "must have the splits train, test, received train",
        ),
    ],
    ids=["unknown_split", "empty_split", "split_twice", "split_missing"],
)
def test_wrong_splits_are_refused(tmp_path, work, message):
    with pytest.raises(ValueError, match=message), new_writer(tmp_path / "out") as writer:
        work(writer)


def test_a_provenance_that_takes_our_keys_is_refused(tmp_path):
    with pytest.raises(ValueError, match="received label, shards"):
        write_tiny_dataset(tmp_path / "out", provenance={"label": 1, "shards": 2, "seed": 0})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("fields", "alphabet", "message"),
    [
        (FIELDS[:1], ALPHABET, "must be the feature 'label'"),
        (FIELDS, "0", "2 or more characters that can be seen, each once, received '0'"),
        (FIELDS, "0120", "received '0120'"),
        (FIELDS, "01 2", "received '01 2'"),
        (FIELDS, "01\x00", "received '01"),
    ],
    ids=["no_label", "one_character", "repeated", "space", "unprintable"],
)
def test_a_dataset_that_makes_no_sense_is_refused(tmp_path, fields, alphabet, message):
    with pytest.raises(ValueError, match=message):
        DatasetWriter(tmp_path / "out", fields=fields, alphabet=alphabet)


def test_a_folder_that_cannot_be_made_is_an_os_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"), new_writer(tmp_path / "file" / "out"):
        pytest.fail("the block must not be entered")

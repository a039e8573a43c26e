import csv
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from records import dump as dump_module
from records.description import load_description
from records.dump import dump
from records.show import show
from tests.tiny_dataset import files_of, tiny_values, write_tiny_dataset
from tests.wrong_writer import replace_records

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run_records(*arguments, cwd) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "records"), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def dataset(tmp_path):
    """5 train and 2 test examples, two shards a split."""
    return write_tiny_dataset(tmp_path / "data", num_shards=2)


def shard_of(dataset, split, index=0):
    return sorted((dataset / split).iterdir())[index]


def flip_a_bit(path, position):
    damaged = bytearray(path.read_bytes())
    damaged[position] ^= 1
    path.write_bytes(damaged)


def test_verify_of_a_good_dataset_is_one_line_of_totals(dataset, tmp_path):
    process = run_records("verify", "data", cwd=tmp_path)
    assert process.returncode == 0
    assert process.stdout == (
        "data: all as written; train 5 examples in 2 shards, 0.0 MB; "
        "test 2 examples in 2 shards, 0.0 MB\n"
    )


def test_verify_lists_each_problem_on_a_line_with_file_and_record(dataset, tmp_path):
    frame_bytes = shard_of(dataset, "train").stat().st_size // 3
    flip_a_bit(shard_of(dataset, "train"), 2 * frame_bytes + 40)  # In record 2.
    shard_of(dataset, "test", 1).unlink()
    (dataset / "test/one-more.tfrecord").write_bytes(b"")
    process = run_records("verify", "data", cwd=tmp_path)
    assert process.returncode == 1
    lines = process.stdout.splitlines()
    damaged, missing = (
        "train/captcha-train.tfrecord-00000-of-00002",
        "test/captcha-test.tfrecord-00001-of-00002",
    )
    assert any(line.startswith(f"{damaged}, record 2: ") and "checksum" in line for line in lines)
    assert any(line.startswith(f"{missing}: the shard must be there") for line in lines)
    assert any(line.startswith("test/one-more.tfrecord: ") for line in lines)
    assert all(line.split(": ")[0].split(",")[0].count("tfrecord") == 1 for line in lines)
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("provenance.json", lambda path: flip_a_bit(path, 40)),
        ("data_info.csv", lambda path: flip_a_bit(path, 40)),
        ("data_info.csv", lambda path: path.unlink()),
    ],
    ids=["provenance", "data_info", "no_data_info"],
)
def test_verify_of_a_damaged_description_is_a_line_with_its_file(dataset, tmp_path, file, damage):
    damage(dataset / file)
    process = run_records("verify", "data", cwd=tmp_path)
    assert process.returncode == 1
    (line,) = process.stdout.splitlines()
    assert line.startswith(f"{file}: ")
    assert "error" not in process.stderr


def test_verify_lists_fifty_problems_and_the_number_of_the_others(tmp_path):
    dataset = write_tiny_dataset(tmp_path / "data")
    replace_records(dataset, "train", 0, [b""] * 60)
    process = run_records("verify", "data", cwd=tmp_path)
    assert process.returncode == 1
    lines = process.stdout.splitlines()
    assert len(lines) == 51
    assert lines[49].startswith("train/captcha-train.tfrecord-00000-of-00001, record 49: ")
    assert lines[50] == "and 10 more"


def test_show_writes_a_sheet_with_the_first_images(dataset, tmp_path):
    process = run_records("show", "data", "--split=test", cwd=tmp_path)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout == "data-test.png: 2 of 2 of test\n"
    sheet = np.asarray(Image.open(tmp_path / "data-test.png"))
    scale = 200 // 6
    for index in range(2):
        enlarged = np.kron(
            tiny_values("test", index)["image"], np.ones((scale, scale, 1), np.uint8)
        )
        assert contains(sheet, enlarged), f"image {index}"


def contains(picture: np.ndarray, part: np.ndarray) -> bool:
    height, width = part.shape[:2]
    corners = np.argwhere((picture == part[0, 0]).all(axis=2))
    return any(
        np.array_equal(picture[top : top + height, left : left + width], part)
        for top, left in corners
    )


def test_show_takes_no_more_than_asked_for_and_makes_the_folder(dataset, tmp_path):
    process = run_records("show", "data", "--n", "3", "--out", "new/sheet.png", cwd=tmp_path)
    assert process.stdout == "new/sheet.png: 3 of 5 of train\n"
    one = tmp_path / "one.png"
    assert show(load_description(dataset), "train", 1, one) == 1
    assert Image.open(tmp_path / "new/sheet.png").width > 2 * Image.open(one).width


@pytest.mark.parametrize("encoding", ["raw", "png", "jpeg"])
def test_dump_writes_the_images_of_a_split_and_their_labels(tmp_path, encoding):
    write_tiny_dataset(tmp_path / "data", encoding=encoding, num_shards=2)
    process = run_records("dump", "data", "--split=train", "--out=new/png", cwd=tmp_path)
    assert process.returncode == 0
    assert process.stdout == "new/png: 5 images of train and labels.csv\n"
    with (tmp_path / "new/png/labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{"file": f"{i}_{i}{9 - i}.png", "label": f"{i}{9 - i}"} for i in range(5)]
    for index, row in enumerate(rows):
        image = np.asarray(Image.open(tmp_path / "new/png" / row["file"])).astype(int)
        difference = np.abs(image - tiny_values("train", index)["image"])
        assert difference.max() <= (30 if encoding == "jpeg" else 0)
    assert sorted(os.listdir(tmp_path / "new/png")) == [row["file"] for row in rows] + [
        "labels.csv"
    ]


def test_dump_takes_no_more_than_asked_for(dataset, tmp_path):
    assert dump(load_description(dataset), "train", 4, tmp_path / "png") == 4
    assert len(list((tmp_path / "png").glob("*.png"))) == 4


def test_names_count_as_many_digits_as_the_split_has_whatever_is_dumped(tmp_path, monkeypatch):
    description = load_description(write_tiny_dataset(tmp_path / "data"))
    monkeypatch.setattr(type(description), "num_examples", lambda *_: 12345)
    dump(description, "train", 1, tmp_path / "png")
    assert sorted(os.listdir(tmp_path / "png")) == ["00000_09.png", "labels.csv"]


def test_a_slash_in_a_label_does_not_leave_the_folder(dataset, tmp_path, monkeypatch):
    image = tiny_values("train", 0)["image"]
    monkeypatch.setattr(dump_module, "read_labelled_images", lambda *_: [(image, "a/b")])
    dump(load_description(dataset), "train", 1, tmp_path / "png")
    assert sorted(os.listdir(tmp_path / "png")) == ["0_a_b.png", "labels.csv"]
    assert "0_a_b.png,a/b\n" in (tmp_path / "png/labels.csv").read_text()


@pytest.mark.parametrize(
    "error", [OSError("disk full"), KeyboardInterrupt()], ids=["full", "ctrl_c"]
)
@pytest.mark.parametrize("command", ["show", "dump"])
def test_what_is_interrupted_leaves_nothing(dataset, tmp_path, monkeypatch, command, error):
    calls = []

    def save(self, path, *_):
        pathlib.Path(path).write_bytes(b"half")
        calls.append(path)
        if command == "show" or len(calls) == 3:
            raise error

    monkeypatch.setattr(Image.Image, "save", save)
    out = tmp_path / "out.png"
    with pytest.raises(type(error)):
        (show if command == "show" else dump)(load_description(dataset), "train", 5, out)
    assert calls
    assert os.listdir(tmp_path) == ["data"]


def test_info_lists_counts_sizes_and_origin(dataset, tmp_path):
    process = run_records("info", "data", cwd=tmp_path)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout == (
        "dataset    data\n"
        "train      5 examples in 2 shards, 0.0 MB\n"
        "test       2 examples in 2 shards, 0.0 MB\n"
        "alphabet   0123456789\n"
        "image      4 x 6 x 3 uint8, stored as raw in image_raw\n"
        "label      2 int64, stored as int64_list in label\n"
        "generator  tests/tiny_dataset.py\n"
        "seed       0\n"
    )


def test_info_writes_nested_facts_with_dots_and_lists_with_commas(tmp_path):
    origin = {"style": {"font_sizes_px": [21, 25], "dots": {"num": 30}}}
    write_tiny_dataset(tmp_path / "data", provenance=origin)
    stdout = run_records("info", "data", cwd=tmp_path).stdout
    assert "\nstyle.font_sizes_px  21, 25\n" in stdout
    assert "\nstyle.dots.num       30\n" in stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            "a command and a folder are needed, verify|show|dump|info|label|audit DIR, received ",
        ),
        (
            ["info"],
            "a command and a folder are needed, verify|show|dump|info|label|audit DIR, received ",
        ),
        (["list", "data"], "received 'list data'"),
        (["info", "data", "more"], "received 'info data more'"),
        (["info", "nowhere"], "received 'nowhere', which does not exist"),
        (["verify", "nowhere"], "received 'nowhere', which does not exist"),
        (["info", "data/train"], "received 'data/train', which has no provenance.json"),
        (["info", "data", "--n=3"], "`--n` goes with show, dump, label and audit only, received i"),
        (["verify", "data", "--split=test"], "`--split` goes with show and dump only"),
        (["show", "data", "--split=dev"], "--split=dev: value should be one of <train|test>"),
        (["show", "data", "--out=mine.png"], "`--out` must not exist yet, received 'mine.png'"),
        (["dump", "data"], "`--out` must name a new folder for dump, received none"),
        (["dump", "data", "--out=mine"], "`--out` must not exist yet, received 'mine'"),
        (["dump", "data", "--out=mine.png/png"], "File exists"),
    ],
    ids=lambda value: "_".join(value).replace("--", "") if isinstance(value, list) else "",
)
def test_each_error_is_one_line_and_changes_nothing(dataset, tmp_path, arguments, message):
    (tmp_path / "mine.png").write_text("mine")
    (tmp_path / "mine").mkdir()
    before = files_of(tmp_path)
    process = run_records(*arguments, cwd=tmp_path)
    assert process.returncode == 1
    assert process.stdout == ""
    (line,) = process.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert files_of(tmp_path) == before


@pytest.mark.parametrize(
    ("program", "num_images", "out", "message"),
    [
        (show, 0, "new.png", r"`--n` must be in \[1, 1000\] for show, received 0"),
        (show, 1001, "new.png", r"`--n` must be in \[1, 1000\] for show, received 1001"),
        (show, 1, "new.jpg", r"`--out` must be a \.png, received '.*new\.jpg'"),
        (show, 1, "data.png", r"`--out` must not exist yet, received '.*data\.png'"),
        (dump, 0, "new", r"`--n` must be 1 or more, received 0"),
        (dump, 1, "data.png", r"`--out` must not exist yet, received '.*data\.png'"),
    ],
    ids=["show_0", "show_1001", "show_jpg", "show_existing", "dump_0", "dump_existing"],
)
def test_show_and_dump_refuse(dataset, tmp_path, program, num_images, out, message):
    (tmp_path / "data.png").symlink_to("nowhere")  # Even a link to nothing is not replaced.
    with pytest.raises(ValueError, match=message):
        program(load_description(dataset), "train", num_images, tmp_path / out)
    assert sorted(os.listdir(tmp_path)) == ["data", "data.png"]


@pytest.mark.parametrize("program", [show, dump])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda shard: flip_a_bit(shard, 40), "00000-of-00002, record 0 at byte 0: "),
        (lambda shard: shard.write_bytes(b""), "00000-of-00002: the shard must have"),
        (lambda shard: shard.unlink(), "00000-of-00002: the shard must be there"),
        (lambda shard: shutil.copy(shard, f"{shard}.copy"), "copy: a file that may be taken for"),
    ],
    ids=["bit_flip", "cut", "missing", "one_more"],
)
def test_show_and_dump_of_a_damaged_dataset_write_nothing(
    dataset, tmp_path, program, damage, message
):
    damage(shard_of(dataset, "train"))
    with pytest.raises(ValueError, match=message):
        program(load_description(dataset), "train", 5, tmp_path / "out.png")
    assert os.listdir(tmp_path) == ["data"]


def test_a_label_outside_the_alphabet_is_named(dataset, tmp_path):
    description = load_description(dataset)
    description.provenance["label"]["alphabet"] = "012"
    with pytest.raises(
        ValueError, match=r"00000-of-00002, record 0: the label must be .* \[0, 2\]"
    ):
        dump(description, "train", 1, tmp_path / "png")


@pytest.mark.parametrize("command", ["verify", "show", "dump", "info"])
def test_no_command_loads_tensorflow(dataset, tmp_path, command):
    options = ["--out=out.png"] if command in ("show", "dump") else []
    program = (
        "import atexit, runpy, sys\n"
        "atexit.register(lambda: print('tensorflow' in sys.modules))\n"
        f"sys.argv = {['records', command, 'data', *options]}\n"
        f"sys.path.insert(0, '')\nrunpy.run_path({str(ROOT / 'records')!r}, run_name='__main__')"
    )
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.endswith("False\n")

import csv
import os
import pathlib
import subprocess
import sys

import exported_network
import numpy as np
import pytest
from PIL import Image

from data_gen.import_config import ImportConfig
from data_gen.import_images import import_images
from export.reader import Reader
from labelling.propose import ProposeConfig, propose_labels
from records.description import load_description
from records.labelled_images import read_labelled_images
from tests.tiny_dataset import files_of

ROOT = pathlib.Path(__file__).resolve().parent.parent
PICTURES = exported_network.pictures(12)


@pytest.fixture(scope="module")
def readings(saved_model):
    return list(Reader(saved_model).read_images(PICTURES))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Twelve pictures, some of them in a folder below; the working directory is above it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new/more").mkdir(parents=True)
    for index, image in enumerate(PICTURES):
        Image.fromarray(image).save(tmp_path / "new" / name_of(index))
    return tmp_path / "new"


def name_of(index):
    return f"{'more/' if index % 3 == 0 else ''}{index:02d}.png"


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_doubtful_come_first_with_what_the_network_reads(folder, saved_model, readings):
    proposed = propose_labels(ProposeConfig(folder="new", saved_model=saved_model))
    assert (proposed.num_labels, proposed.num_shown, proposed.unreadable) == (12, 12, [])
    rows = rows_of(folder.parent / "new_labels.csv")
    order = sorted(range(12), key=lambda index: readings[index].confidence)
    assert [row["file"] for row in rows] == [f"new/{name_of(index)}" for index in order]
    assert [row["label"] for row in rows] == [readings[index].text for index in order]
    for row, index in zip(rows, order, strict=True):
        assert float(row["confidence"]) == pytest.approx(readings[index].confidence, abs=1e-5)


@pytest.mark.parametrize(
    ("named", "out", "file"),
    [
        ("new", None, "new/01.png"),
        ("new/", None, "new/01.png"),
        ("{tmp}/new", None, "new/01.png"),
        ("new", "elsewhere/deep/list.csv", "../../new/01.png"),
        ("new", "{tmp}/list.CSV", "new/01.png"),
        ("linked", "list.csv", "new/01.png"),
    ],
)
def test_the_list_is_imported_as_it_is(folder, saved_model, readings, named, out, file):
    tmp = folder.parent
    (tmp / "linked").symlink_to("new")
    config = ProposeConfig(
        folder=named.format(tmp=tmp),
        saved_model=saved_model,
        out=out and out.format(tmp=tmp),
    )
    propose_labels(config)
    assert config.csv_path.resolve() == (tmp / (out or "new_labels.csv").format(tmp=tmp)).resolve()
    assert file in {row["file"] for row in rows_of(config.csv_path)}
    import_images(ImportConfig(source=config.csv_path, out_dir=tmp / "data", num_workers=1))
    data = load_description(tmp / "data")
    imported = {
        image.tobytes(): label
        for split in ("train", "test")
        for image, label in read_labelled_images(data, split)
    }
    wanted = {
        image.tobytes(): reading.text for image, reading in zip(PICTURES, readings, strict=True)
    }
    assert imported == wanted


def test_the_folder_may_be_where_one_is(folder, saved_model, monkeypatch):
    monkeypatch.chdir(folder)
    config = ProposeConfig(folder=".", saved_model=saved_model)
    propose_labels(config)
    assert rows_of(folder.parent / "new_labels.csv")[0]["file"].startswith("new/")
    assert str(config.csv_path) == "../new_labels.csv"


def test_the_sheet_shows_the_first_lines(folder, saved_model):
    for num_shown, name in ((1, "one"), (12, "all"), (99, "more")):
        propose_labels(
            ProposeConfig(
                folder="new", saved_model=saved_model, out=f"{name}.csv", num_shown=num_shown
            )
        )
    one, everything, more = (
        np.asarray(Image.open(f"{name}.png")) for name in ("one", "all", "more")
    )
    assert one.shape < everything.shape
    np.testing.assert_array_equal(everything, more)
    first = rows_of(pathlib.Path("one.csv"))[0]["file"]
    scale = 200 // exported_network.IMAGE_SHAPE[1]
    enlarged = np.kron(np.asarray(Image.open(first)), np.ones((scale, scale, 1), np.uint8))
    assert contains(one, enlarged)


def contains(picture, part):
    height, width = part.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(picture, (height, width, 3))
    return any((window == part).all() for row in windows for window in row)


def test_pictures_of_any_size_share_a_list_and_a_sheet(folder, saved_model):
    Image.new("L", (300, 100), 90).save(folder / "large.jpg")
    assert propose_labels(ProposeConfig(folder="new", saved_model=saved_model)).num_labels == 13


def test_what_cannot_be_read_is_told_and_the_others_are_labelled(folder, saved_model):
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("hello")
    (folder / "line\nbreak.png").write_bytes((folder / "01.png").read_bytes())
    (folder / os.fsdecode(b"\xff.png")).write_bytes((folder / "01.png").read_bytes())
    proposed = propose_labels(ProposeConfig(folder="new", saved_model=saved_model))
    assert proposed.num_labels == 12
    assert sorted(error.reason.partition(",")[0] for error in proposed.unreadable) == [
        "empty",
        "its name is no text that a CSV can have: rename it",
        "its name is no text that a CSV can have: rename it",
        "no picture or cut short",
    ]


@pytest.mark.parametrize("name", ["a,b.png", 'a"b.png', " a.png", "ä 字.png", "a;b.png"])
def test_a_file_name_of_any_characters_is_imported(folder, saved_model, name):
    for picture in folder.rglob("*.png"):
        picture.rename(folder / f"{name[:-4]}{picture.name}")
    propose_labels(ProposeConfig(folder="new", saved_model=saved_model))
    import_images(
        ImportConfig(
            source=pathlib.Path("new_labels.csv"), out_dir=pathlib.Path("d"), num_workers=1
        )
    )
    data = load_description("d")
    assert data.num_examples("train") + data.num_examples("test") == 12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folder": "nowhere"}, "a folder of pictures, received 'nowhere', which does not exist"),
        ({"folder": "new/01.png"}, "received 'new/01.png', a file. Single files are read by: pyth"),
        ({"num_shown": 0}, r"`--n` must be in \[1, 1000\], received 0"),
        ({"num_shown": 1001}, r"`--n` must be in \[1, 1000\], received 1001"),
        ({"out": "list.txt"}, r"`--out` must be a \.csv, received 'list\.txt'"),
        ({"out": "new/list.csv"}, "`--out` must lie outside of 'new', received 'new/list.csv'"),
        ({"out": "new/more/list.csv"}, "`--out` must lie outside of 'new'"),
        ({"out": "mine.csv"}, "'mine.csv' must not exist yet, received one: corrections in it"),
        ({"out": "sheet.csv"}, "'sheet.png' must not exist yet"),
        ({"saved_model": "nowhere"}, "`saved_model` must be a SavedModel"),
    ],
    ids=[
        "missing",
        "file",
        "no_sheet",
        "large_sheet",
        "no_csv",
        "inside",
        "deep_inside",
        "existing",
        "existing_sheet",
        "no_model",
    ],
)
def test_bad_input_is_refused_and_nothing_changes(folder, saved_model, options, message):
    pathlib.Path("mine.csv").write_text("mine")
    pathlib.Path("sheet.png").write_text("mine")
    before = files_of(".")
    with pytest.raises(ValueError, match=message):
        propose_labels(ProposeConfig(**{"folder": "new", "saved_model": saved_model, **options}))
    assert files_of(".") == before


def test_a_folder_without_a_picture_is_refused(tmp_path, saved_model):
    (tmp_path / "new").mkdir()
    (tmp_path / "new/notes.txt").write_text("hello")
    config = ProposeConfig(folder=str(tmp_path / "new"), saved_model=saved_model)
    with pytest.raises(
        ValueError, match=r"must be a picture to label, received none: \S* a folder without"
    ):
        propose_labels(config)


def test_overwrite_replaces_list_and_sheet(folder, saved_model):
    for name in ("new_labels.csv", "new_labels.png"):
        pathlib.Path(name).write_text("old")
    propose_labels(ProposeConfig(folder="new", saved_model=saved_model, overwrite=True))
    assert len(rows_of(pathlib.Path("new_labels.csv"))) == 12
    Image.open("new_labels.png").load()


def run_label(*arguments, cwd):
    command = [sys.executable, str(ROOT / "records"), "label", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_command_names_bad_files_and_says_what_to_do_next(folder, saved_model):
    (folder / "bad.png").write_text("hello")
    arguments = ("new", f"--saved_model={saved_model}", "--n=5")
    result = run_label(*arguments, cwd=folder.parent)
    assert result.returncode == 1
    assert result.stdout == (
        "new_labels.csv: 12 labels proposed, the doubtful first; 5 of them are in new_labels.png\n"
        "correct it, then: python data_gen --from_images new_labels.csv --out my_data\n"
    )
    *_, last = result.stderr.splitlines()
    assert last == "new/bad.png: no picture or cut short, it starts with b'hello'"
    (folder / "bad.png").unlink()
    again = run_label(*arguments, cwd=folder.parent)
    assert again.returncode == 1
    assert "error: 'new_labels.csv' must not exist yet" in again.stderr
    assert run_label(*arguments, "--overwrite", cwd=folder.parent).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["label", "new"],
            "`--saved_model` must name an exported network for label, received none",
        ),
        (
            ["audit", "new"],
            "`--saved_model` must name an exported network for audit, received none",
        ),
        (["label", "new", "--seed=1"], "`--seed` goes with audit only, received it with label"),
        (
            ["audit", "new", "--overwrite"],
            "`--overwrite` goes with label only, received it with aud",
        ),
        (["info", "new", "--saved_model=m"], "`--saved_model` goes with label and audit only"),
    ],
)
def test_flags_that_do_not_go_together_are_one_line(folder, arguments, message):
    result = subprocess.run(
        [sys.executable, str(ROOT / "records"), *arguments],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line

"""provenance.json is enough to make a dataset again, byte for byte."""

import json
import pathlib
import shutil

import pytest
from captcha.image import DEFAULT_FONTS
from PIL import Image
from tiny_dataset import files_of, write_tiny_dataset

STYLE = """
length = [2, 3]
alphabet = "XYZ7"
fonts = ["mine.ttf"]
background = "pictures"
background_pictures = ["photo.png"]
rotation = [-12.5, 3]
"""


@pytest.fixture
def drawn(tmp_path, run_program):
    """A dataset that uses a font, a picture and a style file of its own."""
    shutil.copy(DEFAULT_FONTS[0], tmp_path / "mine.ttf")
    Image.effect_noise((80, 60), 50).save(tmp_path / "photo.png")
    (tmp_path / "style.toml").write_text(STYLE)
    done = run_program(
        "data_gen", f"--style={tmp_path / 'style.toml'}", "--n=40", "--n_test=9", "--seed=5",
        "--encoding=png", "--with_map", f"--out={tmp_path / 'first'}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return tmp_path / "first"


def again(run_program, dataset, *arguments):
    out = dataset.with_name("again")
    return run_program("data_gen", f"--like={dataset}", f"--out={out}", *arguments)


def test_every_file_is_the_same_again(drawn, run_program):
    done = again(run_program, drawn, "--workers=2")
    assert done.returncode == 0, done.stderr
    assert "all 2 shards have the same SHA-256" in done.stdout
    assert files_of(drawn) == files_of(drawn.with_name("again"))


def test_a_font_that_changed_is_refused_before_anything_is_drawn(drawn, run_program):
    with (drawn.parent / "mine.ttf").open("ab") as file:
        file.write(b"\0")
    done = again(run_program, drawn)
    assert done.returncode == 1
    assert "mine.ttf must be the file that the dataset was drawn with" in done.stderr
    assert not drawn.with_name("again").exists()


def test_an_import_is_made_again(tmp_path, run_program):
    (tmp_path / "pictures").mkdir()
    for label in ("17", "28", "39", "40", "51", "62"):
        Image.new("RGB", (20, 10), f"#{label}{label}ff").save(
            tmp_path / "pictures" / f"{label}.png"
        )
    run_program("data_gen", f"--from_images={tmp_path / 'pictures'}", f"--out={tmp_path / 'first'}")
    done = again(run_program, tmp_path / "first")
    assert done.returncode == 0, done.stderr
    assert files_of(tmp_path / "first") == files_of(tmp_path / "again")
    pictures = [tmp_path / "pictures" / f"{label}.png" for label in ("17", "28", "39")]
    for path in pictures:
        Image.new("RGB", (20, 10), f"#0000{path.stem}").save(path)
    done = run_program("data_gen", f"--like={tmp_path / 'first'}", f"--out={tmp_path / 'third'}")
    assert done.returncode == 1
    assert "must have the SHA-256 that it has in" in done.stderr


def test_a_dataset_of_another_program_is_refused(tmp_path, run_program):
    dataset = write_tiny_dataset(tmp_path / "first")
    done = again(run_program, dataset)
    assert done.returncode == 1
    assert "--like needs a dataset that data_gen made, received" in done.stderr


def test_other_versions_are_named_before_drawing(drawn, monkeypatch, caplog):
    from absl import logging

    import data_gen.like as module
    from records.description import load_description

    monkeypatch.setattr(module, "versions", lambda: {"captcha": "0.0.1"})
    logging.set_verbosity(logging.INFO)
    with caplog.at_level("WARNING"):
        module.config_like(
            load_description(drawn), pathlib.Path("x"), overwrite=False, num_workers=1
        )
    assert "drawn with captcha 0.7.1, here is 0.0.1" in caplog.text
    assert json.loads((drawn / "provenance.json").read_text())["versions"]["captcha"] == "0.7.1"

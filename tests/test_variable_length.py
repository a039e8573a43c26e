"""Captchas of 3 to 6 characters, from records to texts that predict.py prints."""

import csv
import io
import json

import mixed_dataset
import numpy as np
import pytest
from PIL import Image

import predict
import train
from export.exporter import ExportConfig, export_model
from export.reader import Reader
from records.description import load_description
from records.dump import dump
from records.labelled_images import read_labelled_images
from records.show import show
from records.summary import summary

TEXTS = [mixed_dataset.mixed_text("test", index) for index in range(64)]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return mixed_dataset.write_mixed_dataset(tmp_path_factory.mktemp("mixed") / "captcha_data")


@pytest.fixture(scope="module")
def description(dataset):
    return load_description(dataset)


def test_the_description_says_what_a_label_holds(description):
    assert description.has_blank
    assert description.num_positions == 6
    assert description.num_classes == 4
    assert description.provenance["label"] == {
        "name": "label",
        "alphabet": "abc",
        "length": 6,
        "blank": 3,
        "storage": "int64_list",
    }
    assert description.provenance["length"] == {
        "name": "length",
        "shape": [1],
        "storage": "int64_list",
    }


def test_labels_are_read_without_blanks(description):
    assert {len(text) for text in TEXTS} == {3, 4, 5, 6}
    assert [label for _, label in read_labelled_images(description, "test")] == TEXTS


def test_info_says_that_there_is_a_blank(description):
    facts = dict(line.split("  ", 1) for line in summary(description).splitlines())
    assert facts["blank"].strip() == "class 3, fills labels up to 6 positions"
    assert facts["length"].strip() == "1 int64, stored as int64_list in length"


def test_a_dump_is_named_by_texts_without_blanks(description, tmp_path):
    dump(description, "test", None, tmp_path / "out")
    rows = list(csv.reader((tmp_path / "out" / "labels.csv").open(encoding="utf-8")))[1:]
    assert rows == [[f"{index:02d}_{text}.png", text] for index, text in enumerate(TEXTS)]
    for file, text in rows:
        image = Image.open(tmp_path / "out" / file)
        np.testing.assert_array_equal(image, mixed_dataset.mixed_image(text))


def test_a_sheet_shows_texts_of_any_length(description, tmp_path):
    assert show(description, "test", 9, tmp_path / "sheet.png") == 9
    assert Image.open(tmp_path / "sheet.png").width > 24


def config(dataset, model_dir, **options):
    return train.TrainConfig(
        **{
            "data_dir": str(dataset),
            "model_dir": str(model_dir),
            "batch_size": 32,
            "warmup_steps": 10,
            "dropout": 0.0,
            "shift_rows": 0,
            "shift_columns": 0,
            "precision": "float32",
            **options,
        }
    )


@pytest.fixture(scope="module")
def trained(dataset, tmp_path_factory):
    """A network after 250 steps, exported: its metrics and the folder."""
    folder = tmp_path_factory.mktemp("trained")
    metrics = train.run(config(dataset, folder / "model", max_steps=250, eval_steps=250))
    export_model(ExportConfig(model_dir=str(folder / "model"), out=str(folder / "export")))
    return metrics, folder / "export"


@pytest.mark.slow
def test_a_network_learns_where_a_text_ends(trained):
    metrics, _ = trained
    # Of 64 captchas, 16 of each length; the classes at chance are 1 in 4 at six positions.
    assert metrics["sequence_accuracy"] > 0.75
    assert metrics["sequence_accuracy"] <= metrics["character_accuracy"] <= 1


@pytest.mark.slow
def test_the_export_reads_what_the_evaluation_counted(trained):
    metrics, export = trained
    reader = Reader(export)
    extra = json.loads((reader.path / "assets.extra" / "model.json").read_text())
    assert (extra["has_blank"], extra["num_positions"], extra["alphabet"]) == (True, 6, "abc")
    readings = reader.read_images(np.stack([mixed_dataset.mixed_image(text) for text in TEXTS]))
    assert readings.probabilities.shape == (64, 6, 4)
    right = [text for found, text in zip(readings.texts, TEXTS, strict=True) if found == text]
    assert len(right) / len(TEXTS) == pytest.approx(metrics["sequence_accuracy"])
    assert {len(text) for text in right} == {3, 4, 5, 6}


@pytest.mark.slow
def test_predict_prints_texts_of_their_own_length(trained, description, tmp_path, capsys):
    _, export = trained
    dump(description, "test", None, tmp_path / "out")
    pictures = sorted((tmp_path / "out").glob("*.png"))
    names = tuple(map(str, pictures))
    assert predict.run(predict.PredictConfig(names=names, saved_model=str(export))) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))[1:]
    images = np.stack([np.asarray(Image.open(picture)) for picture in pictures])
    readings = Reader(export).read_images(images)
    assert [row[1] for row in rows] == readings.texts
    assert all(set(row[1]) <= set("abc") and len(row[1]) <= 6 for row in rows)


@pytest.mark.slow
def test_a_model_of_mixed_lengths_and_data_of_one_length_do_not_go_together(
    trained, dataset, small_dataset
):
    _, export = trained
    model_dir = export.parent / "model"
    with pytest.raises(ValueError, match="has_blank True against False"):
        train.run(config(small_dataset, model_dir, max_steps=250))

import csv
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from toy_export import export_toy_network
from toy_pictures import ALPHABET, toy_picture, write_toy_pictures

from data_gen.import_config import ImportConfig
from data_gen.import_images import import_images
from labelling import audit as audit_module
from labelling.audit import audit
from labelling.audit_config import AuditConfig
from labelling.out_of_fold import FoldPlan
from records.description import load_description
from records.labelled_images import read_labelled_images
from tests.tiny_dataset import files_of

NUM_PICTURES = 320
WRONG = {3: "11", 40: "47", 41: "74", 99: "14", 150: "77", 222: "44", 300: "71"}
# Enough for these pictures, and less to wait for than what an audit does.
NUM_STEPS = 200
PLAN = functools.partial(FoldPlan, num_folds=3, num_repeats=1)


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    return str(export_toy_network(tmp_path_factory.mktemp("export")).parent)


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A dataset with seven wrong labels, and the right labels by pixels."""
    folder = tmp_path_factory.mktemp("toy")
    labels = write_toy_pictures(folder / "pictures", NUM_PICTURES, WRONG)
    assert all(labels[index] != wrong for index, wrong in WRONG.items())
    import_images(
        ImportConfig(
            source=folder / "pictures", out_dir=folder / "data", num_workers=1, alphabet=ALPHABET
        )
    )
    right = {toy_picture(label, index).tobytes(): label for index, label in enumerate(labels)}
    return folder / "data", right


def make_quick(patch):
    patch.setattr(audit_module, "_FEWEST_STEPS", NUM_STEPS)
    patch.setattr(audit_module, "FoldPlan", PLAN)


@pytest.fixture
def quick(monkeypatch):
    make_quick(monkeypatch)


@pytest.fixture(scope="module")
def audited(imported, saved_model, tmp_path_factory):
    """The folder that an audit of `imported` leaves."""
    with pytest.MonkeyPatch.context() as patch:
        make_quick(patch)
        out = tmp_path_factory.mktemp("audited") / "deep" / "audit"
        config = AuditConfig(
            dataset_dir=str(imported[0]), saved_model=saved_model, out=str(out), num_shown=4
        )
        result = audit(config)
    assert result == (NUM_PICTURES, len(WRONG))
    return out


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pixels_of(path):
    return Image.open(path).tobytes()


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_the_networks_have_the_activation_that_the_export_was_trained_with(
    imported, tmp_path, monkeypatch, activation
):
    class EnoughError(Exception):
        pass

    def built(start, examples, reader, exported, network, alphabet):
        raise EnoughError(network.activation)

    monkeypatch.setattr(audit_module, "choose_start", built)
    exported = export_toy_network(tmp_path, activation=activation)
    config = AuditConfig(
        dataset_dir=str(imported[0]), saved_model=str(exported.parent), out=str(tmp_path / "audit")
    )
    with pytest.raises(EnoughError, match=f"^{activation}$"):
        audit(config)


@pytest.mark.slow
def test_the_wrong_labels_are_listed_with_the_right_ones_proposed(audited, imported):
    rows = rows_of(audited / "audit.csv")
    _, right = imported
    assert list(rows[0]) == ["file", "label", "proposed", "certainty", "split", "index", "source"]
    assert sorted(row["label"] for row in rows) == sorted(WRONG.values())
    for row in rows:
        assert row["proposed"] == right[pixels_of(audited / row["file"])] != row["label"]
    certainties = [float(row["certainty"]) for row in rows]
    assert certainties == sorted(certainties, reverse=True)
    assert 0.5 <= certainties[-1] <= certainties[0] <= 1


@pytest.mark.slow
def test_a_line_leads_back_to_its_record(audited, imported):
    examples = {
        split: list(read_labelled_images(load_description(imported[0]), split))
        for split in ("train", "test")
    }
    for row in rows_of(audited / "audit.csv"):
        image, label = examples[row["split"]][int(row["index"])]
        assert label == row["label"]
        assert image.tobytes() == pixels_of(audited / row["file"])


@pytest.mark.slow
def test_the_list_of_labels_has_every_picture_and_the_suspects_first(audited):
    suspects = rows_of(audited / "audit.csv")
    rows = rows_of(audited / "labels.csv")
    assert len({row["file"] for row in rows}) == len(rows) == NUM_PICTURES
    for suspect, row in zip(suspects, rows, strict=False):
        assert row == {
            "file": suspect["file"],
            "label": suspect["proposed"],
            "published": suspect["label"],
            "certainty": suspect["certainty"],
        }
    for row in rows[len(suspects) :]:
        assert (row["label"], row["certainty"]) == (row["published"], "")


@pytest.mark.slow
@pytest.mark.parametrize("kept", [0, 2], ids=["as_proposed", "corrected"])
def test_what_was_audited_is_imported_again_with_the_same_pixels(audited, imported, tmp_path, kept):
    _, right = imported
    lines = (audited / "labels.csv").read_text().splitlines()
    wanted = dict(right)
    for number in range(1, 1 + kept):  # Somebody who insists on the published label.
        file, _, published, certainty = lines[number].split(",")
        lines[number] = f"{file},{published},{published},{certainty}"
        wanted[pixels_of(audited / file)] = published
    shutil.copytree(audited, tmp_path / "mine")
    (tmp_path / "mine/labels.csv").write_text("\n".join(lines) + "\n")
    import_images(
        ImportConfig(
            source=tmp_path / "mine/labels.csv", out_dir=tmp_path / "corrected", num_workers=1
        )
    )
    data = load_description(tmp_path / "corrected")
    found = {
        image.tobytes(): label
        for split in ("train", "test")
        for image, label in read_labelled_images(data, split)
    }
    assert found == wanted


@pytest.mark.slow
def test_the_folder_holds_what_it_promises_and_nothing_else(audited):
    assert sorted(os.listdir(audited)) == ["audit.csv", "audit.png", "labels.csv", "pictures"]
    assert os.listdir(audited.parent) == ["audit"]
    sheet = Image.open(audited / "audit.png")
    assert sheet.width > 4 * 200 > sheet.height  # Four pictures side by side.


@pytest.mark.slow
def test_the_same_audit_writes_the_same_bytes(audited, imported, saved_model, tmp_path, quick):
    config = AuditConfig(
        dataset_dir=str(imported[0]),
        saved_model=saved_model,
        out=str(tmp_path / "again"),
        num_shown=4,
    )
    audit(config)
    assert files_of(tmp_path / "again") == files_of(audited)


@pytest.mark.slow
def test_a_dataset_that_knows_the_names_of_its_files_has_them_in_the_list(
    imported, saved_model, tmp_path, quick, monkeypatch
):
    data = tmp_path / "data"
    shutil.copytree(imported[0], data)
    with (data / "sources.csv").open("w") as file:
        file.write("split,index,file,label\n")
        for split in ("train", "test"):
            for index in range(load_description(data).num_examples(split)):
                file.write(f"{split},{index},{split} of {index}.png,11\n")
    monkeypatch.setattr(audit_module, "_FEWEST_STEPS", 25)  # It is not about what is found.
    out = tmp_path / "audit"
    audit(
        AuditConfig(
            dataset_dir=str(data), saved_model=saved_model, out=str(out), min_certainty=0.001
        )
    )
    rows = rows_of(out / "audit.csv")
    assert rows
    for row in rows:
        assert row["source"] == f"{row['split']} of {row['index']}.png"


@pytest.mark.slow
@pytest.mark.parametrize(
    "labels",
    [lambda label: label.replace("7", "x"), lambda label: label if label[1] == "4" else label[0]],
    ids=["other_characters", "lengths_that_vary"],
)
def test_a_network_for_other_labels_will_do_too(saved_model, tmp_path, quick, labels):
    right = write_toy_pictures(tmp_path / "pictures", NUM_PICTURES)
    with (tmp_path / "pictures/labels.csv").open("w") as file:
        file.write("file,label\n")
        for index, label in enumerate(right):
            text = labels(label)
            toy_picture(text.replace("x", "7"), index).save(tmp_path / f"pictures/{index:04d}.png")
            file.write(f"{index:04d}.png,{WRONG[index][0] if index in WRONG else text}\n")
    lengths = (1, 2)
    import_images(
        ImportConfig(
            source=tmp_path / "pictures", out_dir=tmp_path / "data", num_workers=1, lengths=lengths
        )
    )
    out = tmp_path / "audit"
    audit(AuditConfig(dataset_dir=str(tmp_path / "data"), saved_model=saved_model, out=str(out)))
    found = {row["label"]: row["proposed"] for row in rows_of(out / "audit.csv")}
    assert len(rows_of(out / "audit.csv")) >= 5
    assert set("".join(found.values())) <= set("147x")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("disk full")])
def test_an_audit_that_is_interrupted_leaves_nothing(
    imported, saved_model, tmp_path, monkeypatch, error
):
    def stop(*_):
        assert (tmp_path / "audit.partial/pictures").is_dir()
        raise error

    monkeypatch.setattr(audit_module, "find_slips", stop)
    monkeypatch.setattr(audit_module, "read_out_of_fold", lambda *_: None)
    config = AuditConfig(
        dataset_dir=str(imported[0]), saved_model=saved_model, out=str(tmp_path / "audit")
    )
    with pytest.raises(type(error)):
        audit(config)
    assert os.listdir(tmp_path) == []


def test_networks_that_read_little_are_no_judges_and_that_is_said(
    imported, saved_model, tmp_path, monkeypatch, caplog
):
    def blind(network, pixels, labels, *_):
        generator = np.random.default_rng(0)
        return np.log(generator.dirichlet(np.ones(3), (2, *labels.shape))).astype(np.float32)

    monkeypatch.setattr(audit_module, "read_out_of_fold", blind)
    caplog.set_level("WARNING", "absl")
    audit(
        AuditConfig(
            dataset_dir=str(imported[0]), saved_model=saved_model, out=str(tmp_path / "audit")
        )
    )
    (line,) = [record.getMessage() for record in caplog.records]
    assert "too little to tell wrong labels from what networks cannot read" in line


def test_no_suspects_is_a_list_without_lines_and_no_sheet(
    imported, saved_model, tmp_path, monkeypatch
):
    def agreeing(network, pixels, labels, *_):
        return np.log(0.001 + 0.997 * np.eye(3, dtype=np.float32)[labels])[None]

    monkeypatch.setattr(audit_module, "read_out_of_fold", agreeing)
    out = tmp_path / "audit"
    audit(AuditConfig(dataset_dir=str(imported[0]), saved_model=saved_model, out=str(out)))
    assert len((out / "audit.csv").read_text().splitlines()) == 1
    assert sorted(os.listdir(out)) == ["audit.csv", "labels.csv", "pictures"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dataset_dir": "nowhere"}, "received 'nowhere', which does not exist"),
        ({"dataset_dir": "few"}, "must have 100 pictures or more, received 60 in 'few'"),
        ({"saved_model": "nowhere"}, "`saved_model` must be a SavedModel or a folder of its"),
        ({"out": "mine"}, "the output folder must not exist yet, received 'mine'"),
        ({"start": "warm"}, "`--start` must be one of auto, model, fresh, received 'warm'"),
        ({"min_certainty": 0.0}, r"`--min_certainty` must be in \(0, 1\), received 0.0"),
        ({"min_certainty": 1.0}, r"`--min_certainty` must be in \(0, 1\), received 1.0"),
        ({"min_certainty": float("nan")}, r"`--min_certainty` must be in \(0, 1\), received nan"),
        ({"num_shown": 0}, r"`--n` must be in \[1, 1000\], received 0"),
        ({"seed": -1}, r"`--seed` must be in \[0, 2\*\*31\), received -1"),
    ],
    ids=lambda value: "_".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_bad_input_is_refused_and_nothing_changes(
    imported, saved_model, tmp_path, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "data").symlink_to(imported[0])
    write_toy_pictures(tmp_path / "pictures", 60)
    import_images(
        ImportConfig(source=tmp_path / "pictures", out_dir=tmp_path / "few", num_workers=1)
    )
    before = files_of(tmp_path)
    with pytest.raises(ValueError, match=message):
        audit(AuditConfig(**{"dataset_dir": "data", "saved_model": saved_model, **options}))
    assert files_of(tmp_path) == before


def test_a_damaged_dataset_is_refused(imported, saved_model, tmp_path):
    shutil.copytree(imported[0], tmp_path / "data")
    next((tmp_path / "data/test").iterdir()).write_bytes(b"")
    config = AuditConfig(
        dataset_dir=str(tmp_path / "data"), saved_model=saved_model, out=str(tmp_path / "audit")
    )
    with pytest.raises(ValueError, match="the shard must have"):
        audit(config)
    assert os.listdir(tmp_path) == ["data"]


@pytest.mark.parametrize("folder", ["data", "data/", "deep/../data"])
def test_the_folder_is_called_after_the_dataset_and_lies_here(folder):
    assert AuditConfig(dataset_dir=folder, saved_model="m").out_dir == pathlib.Path("data_audit")


@pytest.mark.slow
def test_the_command_says_what_it_does_and_what_to_do_next(imported, saved_model, tmp_path):
    shutil.copytree(imported[0], tmp_path / "my_data")
    root = pathlib.Path(audit_module.__file__).resolve().parent.parent
    arguments = ["records", "audit", "my_data", f"--saved_model={saved_model}", "--seed=3"]
    # As `python records audit my_data ...`, but with fewer steps.
    program = (
        f"import runpy, sys\nsys.path[:0] = [{str(root)!r}, {str(root)!r}]\n"
        f"from labelling import audit\naudit._FEWEST_STEPS = {NUM_STEPS}\nsys.argv = {arguments}\n"
        f"runpy.run_path({str(root / 'records')!r}, run_name='__main__')"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    first, second = result.stdout.splitlines()
    assert re.fullmatch(
        rf"my_data_audit: \d+ of {NUM_PICTURES} labels are probably wrong, the surest first in "
        r"audit\.csv and audit\.png",
        first,
    )
    assert second == (
        "correct the first lines of labels.csv, which has all pictures with the labels proposed, "
        "then: python data_gen --from_images my_data_audit/labels.csv --out corrected_data"
    )
    for line in (
        "audit | networks start from the weights of",
        f"audit | 320 pictures | 8 networks of {NUM_STEPS} steps each: 4 folds, 2 times",
        "audit | network 8 of 8 | trained on 240, reads 80 others",
        "audit | out of fold ",
    ):
        assert line in result.stderr

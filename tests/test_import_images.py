import csv
import json
import os
import pathlib
import re
import signal

import numpy as np
import pytest
from PIL import Image
from tiny_dataset import files_of

from data_gen.import_config import ImportConfig
from data_gen.import_images import import_images
from data_gen.import_report import report_lines
from data_gen.picture_split import split as split_pictures
from records.description import load_description
from records.example_proto import decode_example
from records.labels import read_label
from records.tfrecord import read_records


def picture(seed, size=(70, 30), mode="RGB"):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def write_folder(folder, n=20, **options):
    folder.mkdir()
    for index in range(n):
        picture(index, **options).save(folder / f"{1000 + index}.png")
    return folder


def run(source, out, **options):
    import_images(ImportConfig(source=source, out_dir=out, num_workers=1, **options))
    description = load_description(out)
    values = {}
    for split in ("train", "test"):
        values[split] = [
            decode_example(description.fields, record)
            for path in sorted((out / split).iterdir())
            for record in read_records(path)
        ]
    return description, values


def labels_of(description, values):
    return [read_label(description.fields, value, description.alphabet) for value in values]


def all_labels(description, values):
    return sorted(label for split in values.values() for label in labels_of(description, split))


def rejections(out):
    with (out / "rejected.csv").open(newline="") as file:
        return {row["file"]: row["reason"] for row in csv.DictReader(file)}


def report_of(out):
    return json.loads((out / "import_report.json").read_text(encoding="utf-8"))


def test_a_folder_of_named_pictures_becomes_a_dataset_of_the_same_pixels(tmp_path):
    folder = write_folder(tmp_path / "in")
    description, values = run(folder, tmp_path / "out")
    assert description.image_shape == (30, 70, 3)
    assert description.alphabet == "0123456789"
    assert description.num_positions == 4
    assert (len(values["train"]), len(values["test"])) == (18, 2)
    seen = {}
    for split in values.values():
        for label, value in zip(labels_of(description, split), split, strict=True):
            seen[label] = value["image"]
    assert set(seen) == {str(1000 + index) for index in range(20)}
    for index in range(20):
        np.testing.assert_array_equal(seen[str(1000 + index)], np.asarray(picture(index)))


@pytest.mark.parametrize(
    ("names", "pattern", "labels"),
    [
        (["3887.png", "0042.png"], None, {"3887", "0042"}),
        (["3887_0001.png", "3887_0002.png", "0042_1.png"], None, {"3887", "0042"}),
        (["0001_3887.png", "0002_0042.png"], r"\d+_(\d+)", {"3887", "0042"}),
        (["aB3x.png", "Zz09.png"], None, {"aB3x", "Zz09"}),
    ],
    ids=["label", "label_number", "number_label", "letters"],
)
def test_file_names_carry_the_label(tmp_path, names, pattern, labels):
    (tmp_path / "in").mkdir()
    for index, name in enumerate(names):
        picture(index).save(tmp_path / "in" / name)
    options = {} if pattern is None else {"label_pattern": pattern}
    description, values = run(tmp_path / "in", tmp_path / "out", **options)
    found = {label for split in values.values() for label in labels_of(description, split)}
    assert found == labels


@pytest.mark.parametrize("inside", [True, False], ids=["labels.csv_in_folder", "path_of_a_csv"])
def test_a_csv_is_believed_rather_than_file_names(tmp_path, inside):
    folder = write_folder(tmp_path / "in", n=4)
    rows = "\n".join(f"{1000 + k}.png,{7770 + k}" for k in range(4))
    name = "labels.csv" if inside else "mine.csv"
    (folder / name).write_text(f"file,label\n{rows}\n")
    description, values = run(folder if inside else folder / name, tmp_path / "out")
    found = {label for split in values.values() for label in labels_of(description, split)}
    assert found == {"7770", "7771", "7772", "7773"}


@pytest.mark.timeout(60)  # A pipe that is opened would be waited for.
def test_what_cannot_be_used_is_listed_with_its_reason_and_the_rest_is_imported(tmp_path):
    folder = write_folder(tmp_path / "in")
    (folder / "2001.png").write_bytes(b"")
    (folder / "2002.png").write_bytes(b"no picture")
    (folder / "2003.png").write_bytes((folder / "1000.png").read_bytes()[:300])
    (folder / "2004.png").mkdir()
    picture(50).save(folder / "20055.png")
    picture(51, size=(71, 30)).save(folder / "2006.png")
    picture(52).save(folder / "2007.png")
    picture(52).save(folder / "2008.gif.png", "PNG")  # The same picture under another label.
    os.mkfifo(folder / "2009.png")
    (folder / "2010.png").symlink_to("gone.png")
    picture(53).save(folder / "2 11.png")
    picture(54).save(folder / "_.png")
    Image.new("1", (5000, 5000)).save(folder / "2012.png")
    picture(55).save(folder / os.fsdecode(b"\xff.png"))
    _, values = run(folder, tmp_path / "out")
    assert len(values["train"]) + len(values["test"]) == 20
    expected = {
        "2001.png": "empty, 0 bytes",
        "2002.png": "no picture or cut short, it starts with b'no picture'",
        "2003.png": "damaged: ",
        "2004.png": "a folder, not a file",
        "20055.png": "label '20055' is not 4 characters long",
        "2006.png": "it is 71 x 30 px, not 70 x 30; --resize=stretch or pad takes it",
        "2007.png": "the same picture is labelled '2007' in 2007.png and '2008.gif' in",
        "2008.gif.png": "the same picture is labelled '2007' in 2007.png and '2008.gif' in",
        "2009.png": "no regular file",
        "2010.png": "a link to what does not exist, gone.png",
        "2 11.png": "label '2 11' has ' ', which no label can have",
        "_.png": "its name does not match ([^_]+)(?:_.*)?",
        "2012.png": "too large, more than 16777216 pixels",
        "\\udcff.png": "which no label can have",
    }
    reasons = rejections(tmp_path / "out")
    assert reasons.keys() == expected.keys()
    for name, reason in expected.items():
        assert reason in reasons[name]
    report = report_of(tmp_path / "out")
    assert (report["files"], report["accepted"], report["rejected"]) == (34, 20, 14)
    assert [entry["reason"] for entry in report["rejected_files"]] == list(reasons.values())
    assert sum(report["rejected_by_kind"].values()) == 14


def test_the_report_is_logged_and_lies_with_the_dataset(tmp_path, caplog):
    caplog.set_level("INFO", "absl")
    folder = write_folder(tmp_path / "in", n=30)
    picture(0).save(folder / "1000_again.bmp")
    for index in range(25):
        (folder / f"3{index:03d}.png").touch()
    run(folder, tmp_path / "out")
    lines = [record.getMessage() for record in caplog.records]
    assert lines.count("rejected | 3000.png | empty, 0 bytes") == 1
    assert sum(line.startswith("rejected | 3") for line in lines) == 20
    assert f"rejected | and 5 more, all in {tmp_path / 'out' / 'rejected.csv'}" in lines
    report = report_of(tmp_path / "out")
    assert report["duplicates"] == [{"label": "1000", "files": ["1000.png", "1000_again.bmp"]}]
    assert [line for line in lines if line.startswith("import |")] == [
        f"import | {line}" for line in report_lines(report)
    ]
    provenance = load_description(tmp_path / "out").provenance
    written = {"import_report.json", "rejected.csv", "sources.csv", "preview.png"}
    assert written <= provenance["files"].keys()


def test_sources_say_which_file_each_example_was(tmp_path):
    folder = write_folder(tmp_path / "in", n=12)
    _, values = run(folder, tmp_path / "out", seed=3)
    with (tmp_path / "out" / "sources.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    for row in rows:
        stored = values[row["split"]][int(row["index"])]["image"]
        np.testing.assert_array_equal(stored, np.asarray(Image.open(folder / row["file"])))


@pytest.mark.parametrize(
    ("options", "labels", "length", "variable"),
    [
        ({}, ["1", "12", "123", "1234"], 4, True),
        ({"lengths": (2, 3)}, ["12", "123"], 3, True),
        ({"lengths": (2, 6)}, ["12", "123", "1234"], 6, True),
        ({"lengths": (3, 3)}, ["123"], 3, False),
    ],
    ids=["as_they_are", "some", "some_longer_ones_will_come", "one"],
)
def test_labels_may_vary_in_length(tmp_path, options, labels, length, variable):
    (tmp_path / "in").mkdir()
    for index, label in enumerate(["1", "12", "123", "1234"] * 2):
        picture(index).save(tmp_path / "in" / f"{label}_{index}.png")
    description, values = run(tmp_path / "in", tmp_path / "out", **options)
    assert all_labels(description, values) == sorted(labels * 2)
    assert (description.num_positions, description.has_blank) == (length, variable)
    assert len(rejections(tmp_path / "out")) == 8 - 2 * len(labels)


def test_the_case_of_labels_is_as_wanted(tmp_path):
    (tmp_path / "in").mkdir()
    for index, label in enumerate(["aB", "Ab", "AB", "ab"]):
        picture(index).save(tmp_path / "in" / f"{label}_{index}.png")
    description, values = run(tmp_path / "in", tmp_path / "upper", label_case="upper")
    assert (all_labels(description, values), description.alphabet) == (["AB"] * 4, "AB")
    description, values = run(tmp_path / "in", tmp_path / "keep")
    assert all_labels(description, values) == ["AB", "Ab", "aB", "ab"]


def test_a_picture_of_several_formats_is_one_picture(tmp_path):
    (tmp_path / "in").mkdir()
    for index in range(20):
        for suffix, mode in (("png", "RGB"), ("bmp", "RGB"), ("gif", "P")):
            image = picture(index).quantize(8)
            image.convert(mode).save(tmp_path / "in" / f"{1000 + index}_{suffix}.{suffix}")
    description, values = run(tmp_path / "in", tmp_path / "out")
    assert len(report_of(tmp_path / "out")["duplicates"]) == 20
    train, test = (set(labels_of(description, values[split])) for split in ("train", "test"))
    assert len(test) == 2
    assert not train & test


def test_identical_pictures_lie_on_one_side_of_the_split(tmp_path):
    (tmp_path / "in").mkdir()
    for index in range(30):
        for copy in range(3):
            picture(index).save(tmp_path / "in" / f"{1000 + index}_{copy}.png")
    for seed in range(3):
        description, values = run(tmp_path / "in", tmp_path / f"out{seed}", seed=seed)
        train, test = (set(labels_of(description, values[split])) for split in ("train", "test"))
        assert not train & test
        assert len(test) == 3


def test_the_split_is_a_function_of_the_seed(tmp_path):
    folder = write_folder(tmp_path / "in")
    tests = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        description, values = run(folder, tmp_path / name, seed=seed, num_test=5)
        tests.append(labels_of(description, values["test"]))
    assert tests[0] == tests[1] != tests[2]
    assert len(tests[0]) == 5


@pytest.mark.parametrize("resize", ["stretch", "pad"])
def test_other_sizes_are_resized_when_asked_for(tmp_path, resize):
    folder = write_folder(tmp_path / "in", n=4)
    Image.new("RGB", (35, 30), (10, 20, 30)).save(folder / "2000.png")
    description, values = run(folder, tmp_path / "out", resize=resize)
    found = [value for split in values.values() for value in split]
    labels = labels_of(description, values["train"]) + labels_of(description, values["test"])
    image = found[labels.index("2000")]["image"]
    assert image.shape == (30, 70, 3)
    border = [255, 255, 255] if resize == "pad" else [10, 20, 30]
    np.testing.assert_array_equal(image[15, 2], border)
    np.testing.assert_array_equal(image[15, 35], [10, 20, 30])


@pytest.mark.parametrize("same_label", [True, False])
def test_pictures_that_become_identical_by_resizing_count_as_identical(tmp_path, same_label):
    folder = write_folder(tmp_path / "in")
    for index in range(10):
        tall, wide = ("2000", "2000" if same_label else "2001")
        colour = (index, 2 * index, 3 * index)
        Image.new("RGB", (10, 90), colour).save(folder / f"{tall}_{index}.png")
        Image.new("RGB", (91, 33), colour).save(folder / f"{wide}_{index}_.png")
    _, values = run(folder, tmp_path / "out", resize="stretch")
    report = report_of(tmp_path / "out")
    assert report["resized"] == (20 if same_label else 0)
    assert len(report["duplicates"]) == (10 if same_label else 0)
    assert len(report["conflicts"]) == (0 if same_label else 10)
    assert report["rejected"] == (0 if same_label else 20)
    sides = [{value["image"].tobytes() for value in values[split]} for split in values]
    assert not sides[0] & sides[1]


def test_a_picture_that_changes_meanwhile_stops_the_import(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "in")

    def change_it(*arguments):
        picture(99).save(folder / "1003.png")
        return split_pictures(*arguments)

    monkeypatch.setattr("data_gen.import_images.split", change_it)
    with pytest.raises(ValueError, match=r"1003\.png must stay as it is .* received other pixels"):
        run(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_picture_that_goes_meanwhile_stops_the_import(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "in")

    def remove_it(*arguments):
        (folder / "1003.png").unlink()
        return split_pictures(*arguments)

    monkeypatch.setattr("data_gen.import_images.split", remove_it)
    with pytest.raises(ValueError, match=r"1003\.png must stay as it is .* No such file"):
        run(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def kill_own_process(_):
    os.kill(os.getpid(), signal.SIGKILL)  # As the kernel does for want of memory.


def test_a_worker_that_dies_is_one_line(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "in", n=4)
    monkeypatch.setattr("data_gen.picture_work.inspect", kill_own_process)
    monkeypatch.setattr("data_gen.picture_work._WORTH_A_PROCESS", 1)
    with pytest.raises(OSError, match="every worker process must live to the end, one of 2 died"):
        import_images(ImportConfig(source=folder, out_dir=tmp_path / "out", num_workers=2))
    assert not (tmp_path / "out").exists()


def test_the_files_do_not_depend_on_the_number_of_workers(tmp_path, monkeypatch):
    monkeypatch.setattr("data_gen.picture_work._WORTH_A_PROCESS", 1)
    monkeypatch.setattr("data_gen.picture_work._BLOCK", 3)
    folder = write_folder(tmp_path / "in")
    picture(50, size=(71, 30)).save(folder / "2006.png")
    for num_workers in (1, 2):
        import_images(
            ImportConfig(
                source=folder,
                out_dir=tmp_path / str(num_workers),
                num_workers=num_workers,
                resize="pad",
            )
        )
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2")


def test_provenance_is_enough_to_import_again(tmp_path):
    folder = write_folder(tmp_path / "in")
    for index in range(9):
        picture(100 + index).save(folder / f"{20000 + index}.png")
    (folder / "README.md").write_text("mine")
    run(folder, tmp_path / "first", seed=3, label_case="lower")
    made = load_description(tmp_path / "first")
    assert made.provenance["lengths"] == [4, 5]
    assert made.provenance["label_case"] == "lower"
    run(
        pathlib.Path(made.provenance["source"]),
        tmp_path / "again",
        label_pattern=made.provenance["label_pattern"],
        label_case=made.provenance["label_case"],
        num_test=made.num_examples("test"),
        seed=made.provenance["seed"],
        width_px=made.image_shape[1],
        height_px=made.image_shape[0],
        lengths=tuple(made.provenance["lengths"]),
        alphabet=made.alphabet,
        resize=made.provenance["resize"],
    )
    assert files_of(tmp_path / "first") == files_of(tmp_path / "again")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resize": "crop"}, "`resize` must be one of error, stretch, pad, received 'crop'"),
        ({"num_test": 0}, "`n_test` must be at least 1"),
        ({"num_test": 20}, "`n_test` must leave pictures to train on, received 20 of 20"),
        ({"label_pattern": "("}, "must be a regular expression"),
        ({"label_pattern": r"\d+"}, "must have one group"),
        ({"lengths": (7, 7)}, "received 0 that can be used"),
        ({"alphabet": "234"}, "not in --alphabet"),
    ],
)
def test_an_import_refuses(tmp_path, options, message):
    folder = write_folder(tmp_path / "in")
    with pytest.raises(ValueError, match=message):
        run(folder, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_an_existing_dataset_is_kept_without_overwrite(tmp_path):
    folder = write_folder(tmp_path / "in")
    run(folder, tmp_path / "out")
    before = (tmp_path / "out" / "provenance.json").read_bytes()
    with pytest.raises(ValueError, match="replace it with --overwrite"):
        run(folder, tmp_path / "out", seed=1)
    assert (tmp_path / "out" / "provenance.json").read_bytes() == before
    run(folder, tmp_path / "out", seed=1, overwrite=True)
    assert (tmp_path / "out" / "provenance.json").read_bytes() != before


def test_a_taken_folder_is_refused_before_the_pictures_are_looked_at(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "in", n=2)
    (tmp_path / "out").mkdir()
    monkeypatch.setattr("data_gen.import_images.find_labels", None)
    with pytest.raises(ValueError, match="the output folder must not exist yet"):
        run(folder, tmp_path / "out")


def test_a_csv_without_its_columns_is_refused(tmp_path):
    (tmp_path / "mine.csv").write_text("name,text\n1.png,2\n")
    with pytest.raises(
        ValueError, match="must have the columns file,label, each once, received name,text"
    ):
        run(tmp_path / "mine.csv", tmp_path / "out")


def test_files_of_which_none_can_be_used_are_logged_all_the_same(tmp_path, caplog):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.png").write_bytes(b"")
    (tmp_path / "in" / "2\n.png").write_bytes(b"")
    with pytest.raises(
        ValueError, match="2 rejected, 2 of them no picture that can be read: empty"
    ):
        run(tmp_path / "in", tmp_path / "out")
    assert [record.getMessage() for record in caplog.records] == [
        "rejected | 1.png | empty, 0 bytes",
        r"rejected | '2\n.png' | empty, 0 bytes",
    ]


def test_labels_of_one_character_only_need_an_alphabet(tmp_path):
    (tmp_path / "in").mkdir()
    for index in range(4):
        picture(index).save(tmp_path / "in" / f"aa_{index}.png")
    with pytest.raises(ValueError, match=re.escape("2 different characters, received 'a' alone")):
        run(tmp_path / "in", tmp_path / "out")
    description, _ = run(tmp_path / "in", tmp_path / "out", alphabet="ab")
    assert description.alphabet == "ab"

import csv

import numpy as np
import pytest
from PIL import Image

from data_gen.import_images import ImportConfig, import_images
from records.description import load_description
from records.example_proto import decode_example
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
    return ["".join(description.alphabet[k] for k in value["label"]) for value in values]


def rejections(out):
    with (out / "rejected.csv").open(newline="") as file:
        return {row["file"].rsplit("/", 1)[-1]: row["reason"] for row in csv.DictReader(file)}


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


def test_what_cannot_be_used_is_listed_with_its_reason_and_the_rest_is_imported(tmp_path):
    folder = write_folder(tmp_path / "in")
    (folder / "2001.png").write_bytes(b"")
    (folder / "2002.png").write_bytes(b"no picture")
    (folder / "2003.png").write_bytes((folder / "1000.png").read_bytes()[:300])
    (folder / "2004.png").mkdir()
    picture(50).save(folder / "20055.png")
    picture(51, size=(71, 30)).save(folder / "2006.png")
    picture(52).save(folder / "2007.png")
    picture(52).save(folder / "2008.png")  # The same picture under another label.
    _, values = run(folder, tmp_path / "out")
    assert len(values["train"]) + len(values["test"]) == 20
    reasons = rejections(tmp_path / "out")
    assert set(reasons) == {
        f"{name}.png" for name in (2001, 2002, 2003, 2004, 20055, 2006, 2007, 2008)
    }
    assert "not 4 characters long" in reasons["20055.png"]
    assert "it is 71 x 30 px, not 70 x 30" in reasons["2006.png"]
    assert reasons["2007.png"] == reasons["2008.png"]
    assert "labelled '2007' in 2007.png and '2008' in 2008.png" in reasons["2007.png"]


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


def test_a_csv_without_its_columns_is_refused(tmp_path):
    (tmp_path / "mine.csv").write_text("name,text\n1.png,2\n")
    with pytest.raises(ValueError, match="must have the columns file,label, each once, received name,text"):
        run(tmp_path / "mine.csv", tmp_path / "out")

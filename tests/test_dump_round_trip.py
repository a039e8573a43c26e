"""A dataset that is dumped and imported again has the same pixels with the same labels on them."""

import collections
import os
import pathlib

import numpy as np
import pytest

from data_gen.import_images import ImportConfig, import_images
from records.dataset_writer import DatasetWriter
from records.description import DatasetDescription, load_description
from records.dump import dump
from records.example_proto import encode_example
from records.labelled_images import read_labelled_images
from records.labels import write_label
from records.schema import captcha_fields

NUM_EXAMPLES = {"train": 24, "test": 12}


def write_dataset(
    out_dir: pathlib.Path, alphabet: str, lengths: tuple[int, int], encoding: str = "raw"
) -> DatasetDescription:
    """A dataset of noise, on which every character and every length comes."""
    fewest, most = lengths
    fields = captcha_fields(
        height_px=4,
        width_px=6,
        num_positions=most,
        encoding=encoding,
        variable_length=fewest < most,
    )
    with DatasetWriter(out_dir, fields=fields, alphabet=alphabet) as writer:
        for split_id, (split, num_examples) in enumerate(NUM_EXAMPLES.items()):
            rng = np.random.default_rng((8, split_id, 0))
            with writer.split(split, num_examples=num_examples) as sink:
                for index in range(num_examples):
                    length = fewest + index % (most - fewest + 1)
                    label = "".join(alphabet[(index + k) % len(alphabet)] for k in range(length))
                    image = rng.integers(0, 256, [4, 6, 3], np.uint8)
                    values = {"image": image, **write_label(fields, label, alphabet)}
                    sink.add([encode_example(fields, values)])
        writer.finish({"generator": "tests/test_dump_round_trip.py"})
    return load_description(out_dir)


def contents(description: DatasetDescription, *splits: str) -> collections.Counter:
    return collections.Counter(
        (image.tobytes(), label)
        for split in splits
        for image, label in read_labelled_images(description, split)
    )


def round_trip(description: DatasetDescription, tmp_path, split: str, source="png", **options):
    dump(description, split, None, tmp_path / "png")
    import_images(
        ImportConfig(source=tmp_path / source, out_dir=tmp_path / "again", num_workers=1, **options)
    )
    return load_description(tmp_path / "again")


ALPHABETS = {
    "digits": "0123456789",
    "both_cases": "aAbBzZ",
    "no_file_name_may_have_them": '/\\:*?"<>|',
    "dots": ".:,;",
    "of_csv": ",;\"'`",
    "formulas": "=+-@#%",
    "of_patterns": "_()[]{}^$|",
    "accents": "éèüñß",
    "accents_of_their_own": "e\u0301\u0308u",
    "the_same_when_normalised": "\u212b\u00c5\u2126\u03a9",
    "chinese": "验证码图",
    "arabic_digits": "٠١٢٣",
    "hebrew": "אבגד",
    "beyond_16_bits": "😀🎉𝔄𝔅",
    "like_a_file": "png.",
}


@pytest.mark.parametrize("lengths", [(3, 3), (1, 4)], ids=["fixed", "mixed"])
@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS.keys())
def test_labels_of_any_alphabet_come_back(tmp_path, alphabet, lengths):
    description = write_dataset(tmp_path / "data", alphabet, lengths)
    again = round_trip(description, tmp_path, "train")
    assert contents(again, "train", "test") == contents(description, "train")
    assert again.has_blank == description.has_blank
    assert again.num_positions == description.num_positions
    assert again.image_shape == description.image_shape


@pytest.mark.parametrize("encoding", ["raw", "png", "jpeg"])
@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("source", ["png", "png/labels.csv"], ids=["folder", "list"])
def test_any_split_comes_back_by_its_folder_or_its_list(tmp_path, source, split, encoding):
    description = write_dataset(tmp_path / "data", "0123456789", (4, 4), encoding)
    again = round_trip(description, tmp_path, split, source)
    assert contents(again, "train", "test") == contents(description, split)
    assert (tmp_path / "again" / "rejected.csv").read_text() == "file,reason\n"


def test_classes_come_back_too_with_the_alphabet(tmp_path):
    description = write_dataset(tmp_path / "data", "zyx", (2, 2))
    again = round_trip(description, tmp_path, "train", alphabet="zyx")
    assert again.alphabet == "zyx"
    assert contents(again, "train", "test") == contents(description, "train")


def test_the_longest_labels_make_file_names(tmp_path):
    description = write_dataset(tmp_path / "data", "验证", (100, 100))
    again = round_trip(description, tmp_path, "train")
    assert contents(again, "train", "test") == contents(description, "train")
    assert max(len(os.fsencode(path)) for path in os.listdir(tmp_path / "png")) <= 255


def test_names_of_files_have_the_label_as_far_as_names_can(tmp_path):
    description = write_dataset(tmp_path / "data", 'a/\\:*?"<>|', (2, 2))
    dump(description, "test", 2, tmp_path / "png")
    assert sorted(os.listdir(tmp_path / "png")) == ["00_a_.png", "01___.png", "labels.csv"]

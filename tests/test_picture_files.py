import numpy as np
import pytest
from PIL import Image

from data_gen.label_source import LabelledFile
from data_gen.picture_files import inspect, pixels_at, resized_pictures
from data_gen.rejection import NO_LABEL, NO_PICTURE, Rejected

WHITE = [255, 255, 255]


def inspected(tmp_path, *images):
    files = []
    for index, image in enumerate(images):
        path = tmp_path / f"{index}.png"
        image.save(path)
        files.append(LabelledFile(path.name, str(path), "17"))
    pictures, rejected = inspect(files)
    assert not rejected
    return pictures


def test_a_picture_has_its_size_and_its_label(tmp_path):
    (picture,) = inspected(tmp_path, Image.new("L", (7, 3)))
    assert (picture.name, picture.label, picture.size) == ("0.png", "17", (7, 3))


def test_equal_pixels_of_equal_size_are_one_hash(tmp_path):
    first, grey, tall, other = inspected(
        tmp_path,
        Image.new("RGB", (7, 3)),
        Image.new("L", (7, 3)),
        Image.new("RGB", (3, 7)),
        Image.new("L", (7, 3), 1),
    )
    assert first.pixel_hash == grey.pixel_hash
    assert len({first.pixel_hash, tall.pixel_hash, other.pixel_hash}) == 3


def test_what_cannot_be_used_has_its_kind_and_reason(tmp_path):
    (tmp_path / "a.png").touch()
    files = [
        LabelledFile("a.png", str(tmp_path / "a.png"), "17"),
        LabelledFile("b.png", str(tmp_path / "b.png"), "", "it has no label"),
    ]
    assert inspect(files) == (
        [],
        [
            Rejected("a.png", NO_PICTURE, "empty, 0 bytes"),
            Rejected("b.png", NO_LABEL, "it has no label"),
        ],
    )


@pytest.mark.parametrize(
    ("size", "resize", "white"),
    [
        ((8, 4), "error", []),
        ((4, 4), "stretch", []),
        ((16, 4), "stretch", []),
        ((4, 4), "pad", [(slice(None), slice(0, 2)), (slice(None), slice(6, 8))]),
        ((8, 2), "pad", [(slice(0, 1), slice(None)), (slice(3, 4), slice(None))]),
        ((16, 8), "pad", []),
        ((8, 8), "pad", [(slice(None), slice(0, 2)), (slice(None), slice(6, 8))]),
        ((4000, 1), "pad", [(slice(0, 1), slice(None)), (slice(2, 4), slice(None))]),
    ],
    ids=[
        "as_it_is",
        "wider",
        "narrower",
        "left_and_right",
        "above_and_below",
        "smaller",
        "smaller_with_white",
        "a_line",
    ],
)
def test_pixels_at_a_size(tmp_path, size, resize, white):
    pictures = inspected(tmp_path, Image.new("RGB", size, (10, 20, 30)))
    (picture,) = resized_pictures(pictures, (8, 4), resize)
    expected = np.full([4, 8, 3], (10, 20, 30), np.uint8)
    for part in white:
        expected[part] = WHITE
    np.testing.assert_array_equal(pixels_at(picture, (8, 4), resize), expected)


def test_pixels_that_are_not_those_that_were_looked_at_are_refused(tmp_path):
    (picture,) = inspected(tmp_path, Image.new("RGB", (8, 4)))
    Image.new("RGB", (8, 4), "white").save(picture.path)
    with pytest.raises(ValueError, match=r"0\.png must stay as it is .* received other pixels"):
        pixels_at(picture, (8, 4), "error")

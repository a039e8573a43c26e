import numpy as np
import pytest

from records.contact_sheet import contact_sheet

RED = (200, 0, 0)


def images(count: int, height: int = 30, width: int = 100) -> np.ndarray:
    return np.full((count, height, width, 3), RED, np.uint8)


def red_boxes(sheet) -> list[tuple[int, int, int, int]]:
    """(left, top, width, height) of every upright red rectangle, in reading order."""
    red = (np.asarray(sheet) == RED).all(axis=2)
    corners = red & ~np.pad(red, ((1, 0), (0, 0)))[:-1] & ~np.pad(red, ((0, 0), (1, 0)))[:, :-1]
    boxes = []
    for top, left in np.argwhere(corners):
        width = np.argmin(np.append(red[top, left:], False))
        height = np.argmin(np.append(red[top:, left], False))
        boxes.append((int(left), int(top), int(width), int(height)))
    return boxes


@pytest.mark.parametrize(
    ("count", "columns", "images_in_rows"),
    [(1, 8, [1]), (8, 8, [8]), (9, 8, [8, 1]), (5, 2, [2, 2, 1]), (3, 1, [1, 1, 1])],
    ids=["one", "full_row", "one_left_over", "short_last_row", "one_column"],
)
def test_images_stand_in_rows_of_equal_pitch(count, columns, images_in_rows):
    boxes = red_boxes(contact_sheet(images(count), ["0427"] * count, columns=columns))
    tops = sorted({top for _, top, _, _ in boxes})
    assert [sum(box[1] == top for box in boxes) for top in tops] == images_in_rows
    assert {box[2:] for box in boxes} == {(100, 30)}  # Whole, unscaled, none over another.
    assert len(set(np.diff(tops))) <= 1


def test_the_pixels_are_the_images_own_in_reading_order():
    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 256, (3, 8, 40, 3), np.uint8)
    sheet = np.asarray(contact_sheet(pictures, ["a", "b", "c"], columns=2))
    places = red_boxes(contact_sheet(images(3, 8, 40), ["a", "b", "c"], columns=2))
    for picture, (left, top, width, height) in zip(pictures, places, strict=True):
        np.testing.assert_array_equal(sheet[top : top + height, left : left + width], picture)


def test_scale_repeats_each_pixel():
    picture = np.random.default_rng(1).integers(0, 256, (1, 4, 60, 3), np.uint8)
    sheet = np.asarray(contact_sheet(picture, ["0427"], scale=3))
    ((left, top, width, height),) = red_boxes(contact_sheet(images(1, 4, 60), ["0427"], scale=3))
    assert (width, height) == (180, 12)
    enlarged = np.kron(picture[0], np.ones((3, 3, 1), np.uint8))
    np.testing.assert_array_equal(sheet[top : top + height, left : left + width], enlarged)


def test_each_caption_is_drawn_under_its_own_image():
    blank = np.asarray(contact_sheet(images(2), ["", ""])).astype(int)
    second = np.asarray(contact_sheet(images(2), ["", "0427"])).astype(int)
    changed_rows, changed_columns = np.nonzero(np.abs(blank - second).sum(axis=2))
    _, (left, top, width, height) = red_boxes(contact_sheet(images(2), ["", ""]))
    assert top + height < changed_rows.min()
    assert left <= changed_columns.min()
    assert changed_columns.max() < left + width
    # Legible: dark on white, and digits of at least 8 pixels.
    assert second[changed_rows, changed_columns].min() < 80
    assert np.ptp(changed_rows) >= 8


def test_a_caption_wider_than_its_image_widens_the_columns():
    captions = ["0427 (read 0421)", "0427 (read 0421)"]
    narrow, wide = images(2, width=20), images(2, width=200)
    (first, second) = red_boxes(contact_sheet(narrow, captions))
    assert second[0] - first[0] > 100
    (first, second) = red_boxes(contact_sheet(wide, captions))
    assert second[0] - first[0] < 200 + 30


@pytest.mark.parametrize(
    ("pictures", "captions", "options", "message"),
    [
        (images(2), ["a"], {}, r"one line for each of the 2 images, received 1\. Pass ''"),
        (images(0), [], {}, r"at least one image, received uint8 \[0, 30, 100, 3\]"),
        (images(1).astype(np.float32), ["a"], {}, r"received float32 \[1, 30, 100, 3\]"),
        (images(1)[..., :1], ["a"], {}, r"received uint8 \[1, 30, 100, 1\]\. Stack RGB"),
        (images(1)[0], ["a"] * 30, {}, r"received uint8 \[30, 100, 3\]"),
        (images(1), ["a"], {"columns": 0}, r"`columns` must be 1 or more, received 0"),
        (images(1), ["a"], {"scale": 0}, r"`scale` must be 1 or more, received 0"),
    ],
    ids=["captions", "no_images", "dtype", "grey", "one_image", "columns", "scale"],
)
def test_contact_sheet_rejects(pictures, captions, options, message):
    with pytest.raises(ValueError, match=message):
        contact_sheet(pictures, captions, **options)

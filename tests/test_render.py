import pathlib
import subprocess
import sys

import captcha.image
import numpy as np
import pytest
from captcha.image import ImageCaptcha
from PIL import Image
from tiny_captchas import draw_tiny_captchas

from data_gen.example import SPLIT_IDS, make_example
from data_gen.render import render, render_with_map
from data_gen.style import Style

GOLDEN = pathlib.Path(__file__).parent / "golden"
STYLE = Style()


def rng(index=3):
    return np.random.default_rng((7, 0, index))


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("04a7", "received '04a7' .'a' at index 2."),
        ("42", "must have 4 characters, received 2: '42'"),
        ("04٣7", "at index 2"),
        ("", "received 0: ''"),
    ],
    ids=["letter", "not_zero_padded", "arabic_digit", "empty"],
)
def test_render_refuses(label, message):
    with pytest.raises(ValueError, match=message):
        render(STYLE, label, rng())


def test_render_gives_the_canvas_of_the_style():
    for style in (STYLE, Style(width_px=160, height_px=60, num_positions=3)):
        image = render(style, "0427"[: style.num_positions], rng())
        assert image.shape == (style.height_px, style.width_px, 3)
        assert image.dtype == np.uint8


def test_render_depends_on_its_arguments_alone():
    first = render(STYLE, "0427", rng())
    render(STYLE, "9999", rng(4))  # A neighbour leaves no trace.
    np.testing.assert_array_equal(first, render(STYLE, "0427", rng()))
    assert (first != render(STYLE, "0427", rng(4))).any()
    assert (first != render(STYLE, "0428", rng())).any()


def test_seeds_give_the_pictures_that_they_gave_before():
    with Image.open(GOLDEN / "captchas_default.png") as golden:
        np.testing.assert_array_equal(draw_tiny_captchas(), np.asarray(golden))


def test_rendering_leaves_the_library_itself_unseeded():
    import secrets

    render(STYLE, "0427", rng())
    assert captcha.image.secrets is secrets


def test_the_map_marks_the_pixels_of_each_character_and_leaves_the_picture_as_it_is():
    for index in range(10):
        image, character_map = render_with_map(STYLE, "0427", rng(index))
        np.testing.assert_array_equal(image, render(STYLE, "0427", rng(index)))
        assert character_map.shape == (30, 100)
        assert character_map.dtype == np.uint8
        assert set(np.unique(character_map)) == {0, 1, 2, 3, 4}
        centers = [np.nonzero(character_map == k)[1].mean() for k in (1, 2, 3, 4)]
        assert centers == sorted(centers), "characters stand from left to right"


def test_the_map_lies_on_the_ink():
    """Pixels of characters differ from the background far more than the others do."""
    on, off = [], []
    for index in range(20):
        image, character_map = render_with_map(STYLE, "8888", rng(index))
        difference = np.abs(image.astype(int) - np.median(image, axis=(0, 1))).sum(axis=-1)
        on.append(difference[character_map > 0].mean())
        off.append(difference[character_map == 0].mean())
    assert np.mean(on) > 3 * np.mean(off)


@pytest.mark.slow
def test_pictures_have_the_statistics_of_the_unmodified_library():
    """Means over 1,500 pictures of each agree within 4 standard errors of their difference."""
    n = 1500
    library = ImageCaptcha(100, 30, font_sizes=STYLE.font_sizes_px)
    ours = np.stack([make_example(STYLE, 11, "train", i).image for i in range(n)])
    labels = [make_example(STYLE, 11, "train", i).label for i in range(n)]
    theirs = np.stack([np.asarray(library.generate_image(label)) for label in labels])
    for name, statistic in {
        "luminance": lambda x: x.mean(axis=(1, 2, 3)),
        "contrast": lambda x: x.std(axis=(1, 2, 3)),
        "ink coverage": lambda x: (
            (np.median(x, axis=(1, 2), keepdims=True) - x > 24).any(axis=-1).mean(axis=(1, 2))
        ),
        "ink in the right third": lambda x: x[:, :, 67:].std(axis=(1, 2, 3)),
    }.items():
        a, b = statistic(ours.astype(np.float32)), statistic(theirs.astype(np.float32))
        error = np.sqrt(a.var() / n + b.var() / n)
        assert abs(a.mean() - b.mean()) < 4 * error, f"{name}: {a.mean()} against {b.mean()}"


def test_examples_are_a_function_of_seed_split_and_index():
    base = make_example(STYLE, 0, "train", 5)
    again = make_example(STYLE, 0, "train", 5)
    np.testing.assert_array_equal(base.image, again.image)
    assert base.label == again.label
    for other in ((1, "train", 5), (0, "test", 5), (0, "fresh", 5), (0, "train", 6)):
        assert (make_example(STYLE, *other).image != base.image).any(), other


def test_no_two_streams_meet():
    """Different (seed, split, index) give different pictures: 2 x 3 x 100 of them, all distinct."""
    pictures = {
        make_example(STYLE, seed, split, index).image.tobytes()
        for seed in (0, 1)
        for split in SPLIT_IDS
        for index in range(100)
    }
    assert len(pictures) == 600


def test_labels_are_uniform_with_repeats_and_leading_zeros():
    digits = np.stack(
        [
            np.random.default_rng((0, 0, index)).integers(10, size=4)  # As make_example draws.
            for index in range(20000)
        ]
    )
    np.testing.assert_array_equal(digits[17], make_example(STYLE, 0, "train", 17).digits)
    for position in range(4):
        counts = np.bincount(digits[:, position], minlength=10)
        chi_squared = ((counts - 2000) ** 2 / 2000).sum()
        assert chi_squared < 27.9, "9 degrees of freedom, p = 0.001"
    numbers = digits @ [1000, 100, 10, 1]
    distinct = len(np.unique(numbers))
    # 10000 (1 - (1 - 1e-4)^20000) = 8647 of all strings are expected to occur.
    assert 8500 < distinct < 8800
    assert (numbers < 1000).mean() == pytest.approx(0.1, abs=0.01)
    assert (digits[:, 0] == digits[:, 1]).mean() == pytest.approx(0.1, abs=0.01)


def test_the_label_spells_the_digits():
    style = Style(alphabet="XYZ", num_positions=3)
    for index in range(20):
        example = make_example(style, 0, "train", index)
        assert example.label == "".join("XYZ"[digit] for digit in example.digits)


def test_no_glyph_is_cut_at_the_scaled_sizes_and_many_are_at_the_librarys():
    """The reason for scaling: at 42 to 56 pt glyphs are taller than 30 px."""
    from PIL import ImageFont

    def tallest(sizes):
        font = ImageFont.truetype(captcha.image.DEFAULT_FONTS[0], max(sizes))
        return max(font.getbbox(char)[3] - font.getbbox(char)[1] for char in STYLE.alphabet)

    assert tallest(STYLE.font_sizes_px) <= STYLE.height_px
    assert tallest((42, 50, 56)) > STYLE.height_px


def test_rendering_does_not_load_tensorflow():
    """It would cost every rendering process 3 s and 500 MB."""
    code = (
        "import sys, data_gen.generate, data_gen.import_images; print('tensorflow' in sys.modules)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert process.stdout == "False\n"

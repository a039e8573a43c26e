import concurrent.futures
import pathlib
import random
import subprocess
import sys

import captcha.image
import numpy as np
import pytest
from captcha.image import ImageCaptcha
from PIL import Image
from tiny_captchas import draw_tiny_captchas

from data_gen.example import SPLIT_IDS, make_example
from data_gen.example_stream import example_stream
from data_gen.kernels import layout
from data_gen.random_words import at_character, draw_words
from data_gen.render import RENDERERS, check_can_draw, render, render_with_map, warm_up
from data_gen.style import Style
from data_gen.style_file import PRESETS

GOLDEN = pathlib.Path(__file__).parent / "golden"
STYLE = Style()

# Knobs that the library has, each far from its default.
LIBRARY_KNOBS = {
    "default": {},
    "its_own_size": {"width_px": 160, "height_px": 60},
    "letters": {"alphabet": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "font_sizes": (0.5, 0.6, 0.65)},
    "lengths": {"min_length": 1, "max_length": 5},
    "crowded": {"gap_probability": 1.0, "overlap": 0.0},
    "heaped": {"overlap": 0.9},
    "upright": {"rotation_degrees": (0, 0)},
    "lying": {"rotation_degrees": (90, 90)},
    "lying_on_the_other_side": {"rotation_degrees": (-90, -90)},
    "upside_down": {"rotation_degrees": (180, 180)},
    "any_way": {"rotation_degrees": (-180, 180)},
    "not_warped": {"warp_x": (0, 0), "warp_y": (0, 0)},
    "not_changed": {"warp_x": (0, 0), "warp_y": (0, 0), "rotation_degrees": (0, 0)},
    "warped": {"warp_x": (0, 1), "warp_y": (0, 1)},
    "dark": {"text_colour": (0, 9), "contrast": 10},
    "light_on_dark": {"text_colour": (200, 255), "background_colour": (0, 40)},
    "pale": {"contrast": 0.3},
    "transparent": {"text_opacity": (1, 60)},
    "coloured": {"colour_per_character": True},
    "dots": {"num_dots": (0, 90), "dot_width_px": 6},
    "curves": {"num_curves": (0, 6)},
    "bare": {"num_dots": (0, 0), "num_curves": (0, 0)},
}


def rng(index=3):
    return np.random.default_rng((7, 0, index))


def some_label(style, index):
    draw = random.Random(index)
    length = draw.randint(style.min_length, style.max_length)
    return "".join(draw.choices(style.alphabet, k=length))


@pytest.mark.parametrize("knobs", LIBRARY_KNOBS.values(), ids=LIBRARY_KNOBS)
def test_both_renderers_draw_the_same_bytes(knobs):
    """What `fast` draws is the library's picture, and the map with it."""
    style = Style(**knobs)
    for index in range(25):
        label = some_label(style, index)
        fast, fast_map = render_with_map(style, label, rng(index))
        slow, slow_map = render_with_map(style, label, rng(index), "captcha")
        np.testing.assert_array_equal(fast, slow, err_msg=f"{label}, {index}")
        np.testing.assert_array_equal(fast_map, slow_map, err_msg=f"{label}, {index}")


@pytest.mark.slow
def test_both_renderers_draw_the_same_bytes_in_styles_at_random():
    """All knobs of the library at once; 60 styles, 900 pictures."""
    draw = random.Random(1)

    def between(low, high):
        return tuple(sorted((draw.uniform(low, high), draw.uniform(low, high))))

    def between_whole(low, high):
        return tuple(sorted((draw.randint(low, high), draw.randint(low, high))))

    for number in range(60):
        max_length = draw.randint(1, 4)
        style = Style(
            width_px=draw.randint(100, 200),
            height_px=draw.choice([24, 30, 31, 60]),
            min_length=draw.randint(1, max_length),
            max_length=max_length,
            alphabet=draw.choice(["0123456789", "fjyQg@|.,-_'", "äöüÅÇ"]),
            font_sizes=tuple(draw.uniform(0.3, 0.6) for _ in range(draw.randint(1, 4))),
            rotation_degrees=between(-180, 180),
            warp_x=between(0, 1),
            warp_y=between(0, 1),
            gap_probability=draw.random(),
            overlap=draw.uniform(0, 0.9),
            text_colour=between_whole(0, 255),
            text_opacity=between_whole(1, 255),
            colour_per_character=draw.random() < 0.5,
            contrast=draw.uniform(0.1, 10),
            background_colour=between_whole(0, 255),
            num_dots=between_whole(0, 60),
            dot_width_px=draw.randint(1, 9),
            num_curves=between_whole(0, 4),
        )
        for index in range(15):
            label = some_label(style, index)
            fast, fast_map = render_with_map(style, label, rng(number + index))
            slow, slow_map = render_with_map(style, label, rng(number + index), "captcha")
            np.testing.assert_array_equal(fast, slow, err_msg=repr(style))
            np.testing.assert_array_equal(fast_map, slow_map, err_msg=repr(style))


def test_the_library_unchanged_draws_them_from_the_same_random_words(monkeypatch):
    """Nothing of ours but the words: in the order in which the library asks for them."""
    library = ImageCaptcha(100, 30, font_sizes=STYLE.font_sizes_px)

    class Secrets:
        def randbits(self, _):
            return next(self.words)

        def randbelow(self, bound):
            return next(self.words) * bound >> 32

        def choice(self, items):
            return items[self.randbelow(len(items))]

    secrets = Secrets()
    monkeypatch.setattr(captcha.image, "secrets", secrets)
    for index in range(200):
        words = draw_words(STYLE, rng(index)).tolist()
        asked = words[layout.BACKGROUND : layout.BACKGROUND + 3]
        asked += words[layout.TEXT : layout.TEXT + 4]
        shifts = []
        for position in range(4):
            own = words[at_character(position) : at_character(position + 1)]
            asked.append(own[layout.OF_GAP])
            if own[layout.OF_GAP] / 2**32 > 0.5:
                asked += own[layout.OF_SPACER : layout.OF_SPACER + 10]
                shifts.append(own[layout.OF_SPACER_SHIFT])
            asked += own[layout.OF_GLYPH : layout.OF_GLYPH + 10]
            shifts.append(own[layout.OF_GLYPH_SHIFT])
        curve, dots = np.split(np.array(words[at_character(4) :]), [6])
        secrets.words = iter([*asked, *shifts, *dots.tolist(), *curve.tolist()])
        theirs = np.asarray(library.generate_image(f"{index:04d}"))
        np.testing.assert_array_equal(render(STYLE, f"{index:04d}", rng(index)), theirs)
        assert next(secrets.words, None) is None, "all words are used"


@pytest.mark.parametrize(
    ("knobs", "named"),
    [
        ({"background": "gradient"}, "sets `background`. "),
        ({"smooth": False, "pixel_noise": (0, 9)}, "sets `smooth`, `pixel_noise`. "),
        ({"curve_width_px": 2}, "sets `curve_width`. "),
    ],
    ids=["background", "two", "curves"],
)
def test_the_library_is_not_asked_for_what_it_cannot_draw(knobs, named):
    style = Style(**knobs)
    check_can_draw(style, "fast")
    with pytest.raises(ValueError, match=named):
        check_can_draw(style, "captcha")
    with pytest.raises(ValueError, match=named):
        render(style, "0427", rng(), "captcha")


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("04a7", "received '04a7' .'a' at index 2."),
        ("42", "must have 4 to 4 characters, received 2: '42'"),
        ("04٣7", "at index 2"),
        ("", "received 0: ''"),
    ],
    ids=["letter", "not_zero_padded", "arabic_digit", "empty"],
)
@pytest.mark.parametrize("renderer", RENDERERS)
def test_render_refuses(renderer, label, message):
    with pytest.raises(ValueError, match=message):
        render(STYLE, label, rng(), renderer)


@pytest.mark.parametrize("renderer", RENDERERS)
def test_render_gives_the_canvas_of_the_style(renderer):
    for style in (STYLE, Style(width_px=160, height_px=60, min_length=3, max_length=3)):
        image = render(style, "0427"[: style.max_length], rng(), renderer)
        assert image.shape == (style.height_px, style.width_px, 3)
        assert image.dtype == np.uint8


@pytest.mark.parametrize("renderer", RENDERERS)
def test_render_depends_on_its_arguments_alone(renderer):
    first = render(STYLE, "0427", rng(), renderer)
    render(STYLE, "9999", rng(4), renderer)  # A neighbour leaves no trace.
    render(Style(width_px=120), "9999", rng(4), renderer)
    np.testing.assert_array_equal(first, render(STYLE, "0427", rng(), renderer))
    assert (first != render(STYLE, "0427", rng(4), renderer)).any()
    assert (first != render(STYLE, "0428", rng(), renderer)).any()


@pytest.mark.parametrize("renderer", RENDERERS)
def test_threads_draw_side_by_side(renderer):
    expected = [render(STYLE, "0427", rng(index), renderer) for index in range(40)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        drawn = pool.map(lambda index: render(STYLE, "0427", rng(index), renderer), range(40))
        np.testing.assert_array_equal(list(drawn), expected)


@pytest.mark.parametrize("preset", PRESETS)
def test_seeds_give_the_pictures_that_they_gave_before(preset):
    with Image.open(GOLDEN / f"captchas_{preset}.png") as golden:
        np.testing.assert_array_equal(draw_tiny_captchas(preset), np.asarray(golden))


def test_every_preset_has_a_golden_picture_and_no_other_is_left():
    found = {path.stem.removeprefix("captchas_") for path in GOLDEN.glob("captchas_*.png")}
    assert found == set(PRESETS)


def test_rendering_leaves_the_library_itself_unseeded():
    import secrets

    render(STYLE, "0427", rng(), "captcha")
    assert captcha.image.secrets is secrets


def test_another_knob_leaves_the_other_draws_as_they_are():
    """The characters lie where they lay, whatever their ink, and what is under and over them."""
    _, expected = render_with_map(STYLE, "0427", rng())
    for knobs in (
        {"num_dots": (0, 300)},
        {"num_curves": (5, 5), "curve_width_px": 4},
        {"text_colour": (0, 0), "text_opacity": (100, 255)},
        {"colour_per_character": True},
        {"background": "gradient", "background_colour": (0, 255)},
        {"pixel_noise": (1, 30)},
    ):
        _, character_map = render_with_map(Style(**knobs), "0427", rng())
        np.testing.assert_array_equal(character_map, expected, err_msg=str(knobs))


def test_another_character_leaves_the_others_where_they_are():
    """In a font whose characters are all as wide."""
    _, one = render_with_map(STYLE, "0427", rng())
    _, other = render_with_map(STYLE, "0487", rng())
    for position in (1, 4):
        np.testing.assert_array_equal(one == position, other == position)
    assert ((one == 3) != (other == 3)).any()


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


def test_unsmoothed_pictures_are_the_smoothed_ones_before_the_filter():
    from PIL import ImageFilter

    sharp = render(Style(smooth=False), "0427", rng())
    smoothed = Image.fromarray(sharp).filter(ImageFilter.SMOOTH)
    np.testing.assert_array_equal(render(STYLE, "0427", rng()), np.asarray(smoothed))


def test_noise_is_added_last_uniform_and_within_its_bounds():
    """Twenty pictures of 9,000 bytes; a grey in the middle, so that nothing is clipped."""
    plain = {"background_colour": (128, 128), "text_colour": (100, 100)}
    added = np.stack(
        [
            render(Style(pixel_noise=(7, 7), **plain), "0427", rng(index)).astype(int)
            - render(Style(**plain), "0427", rng(index))
            for index in range(20)
        ]
    )
    values, counts = np.unique(added, return_counts=True)
    np.testing.assert_array_equal(values, range(-7, 8))
    expected = added.size / 15
    assert (((counts - expected) ** 2) / expected).sum() < 36.1, "14 degrees of freedom, p = 0.001"
    assert np.abs(added.mean(axis=0)).max() < 7, "another noise in each picture"


def test_the_amount_of_noise_is_drawn_for_each_picture():
    style = Style(pixel_noise=(0, 3), background_colour=(128, 128), text_colour=(100, 100))
    plain = Style(background_colour=(128, 128), text_colour=(100, 100))
    amounts = {
        int(np.abs(render(style, "0427", rng(i)).astype(int) - render(plain, "0427", rng(i))).max())
        for i in range(30)
    }
    assert amounts == {0, 1, 2, 3}


def test_warming_up_needs_no_label():
    warm_up(Style(min_length=2, max_length=3), "fast")
    warm_up(STYLE, "captcha")


@pytest.mark.slow
def test_pictures_have_the_statistics_of_the_unmodified_library():
    """Means over 1,500 pictures of each agree within 4 standard errors of their difference."""
    n = 1500
    library = ImageCaptcha(100, 30, font_sizes=STYLE.font_sizes_px)
    examples = [make_example(STYLE, 11, "train", i) for i in range(n)]
    ours, labels = np.stack([e.image for e in examples]), [e.label for e in examples]
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


def test_other_processes_load_what_one_has_compiled():
    """In 0.2 s and not in 10."""
    code = """
import numpy as np
from data_gen.kernels.captcha import draw_captcha
from data_gen.render import render
from data_gen.style import Style
from data_gen.style_file import PRESETS
render(Style(), "0427", np.random.default_rng(0))
print(sum(draw_captcha.stats.cache_hits.values()), sum(draw_captcha.stats.cache_misses.values()))
"""
    warm_up(STYLE, "fast")
    process = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert process.stdout == "1 0\n"


def test_labels_are_uniform_with_repeats_and_leading_zeros():
    digits = np.stack(
        [
            example_stream(0, 0, index).integers(10, size=4)  # As make_example draws.
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
    style = Style(alphabet="XYZ", min_length=3, max_length=3)
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

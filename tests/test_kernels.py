"""Each kernel against the function of Pillow or Python that it stands for, byte for byte."""

import math
import random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from data_gen.fast_renderer import fast_renderer
from data_gen.fonts import load_font
from data_gen.glyphs import load_glyphs
from data_gen.kernels import arc, arithmetic, captcha, compiling, layout, resampling, rotation
from data_gen.style import Style

COLOUR = np.array([233, 190, 30, 77])  # Opacity, red, green, blue.


def bytes_of(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, size=shape).astype(np.uint8)


def rgba_text(colour, mask):
    """Text as ImageDraw leaves it on a transparent picture."""
    opacity, red, green, blue = (int(part) for part in colour)
    image = Image.new("RGBA", mask.shape[::-1])
    ImageDraw.Draw(image).bitmap((0, 0), Image.fromarray(mask), fill=(red, green, blue, opacity))
    return image


def inks_of(colour):
    inks, premultiplied = np.empty(1024, np.uint8), np.empty(1024)
    lightest = rotation.fill_inks(colour, inks, premultiplied)
    return inks, premultiplied, lightest


def test_15_digits_are_rounded_as_python_rounds_them():
    """One in ten of the last digits hangs on what a product of two floats loses."""
    angles = np.concatenate([np.linspace(-math.pi, math.pi, 20001), np.radians(range(360))])
    for value in np.concatenate([np.sin(angles), np.cos(angles)]).tolist():
        assert arithmetic.rounded_15(value) == round(value, 15)


def test_alpha_is_divided_out_as_pillow_does():
    values, alphas = np.meshgrid(np.arange(256), np.arange(256))
    pixels = np.stack([values, values, values, alphas], axis=-1).astype(np.uint8)
    pillow = np.asarray(Image.frombytes("RGBa", (256, 256), pixels.tobytes()).convert("RGBA"))
    for value, alpha, expected in zip(
        values.ravel().tolist(), alphas.ravel().tolist(), pillow[..., 0].ravel(), strict=True
    ):
        assert arithmetic.unpremultiplied(value, alpha) == expected


@pytest.mark.parametrize(
    ("size_in", "size_out"),
    [(17, 20), (20, 17), (1, 9), (9, 1), (5, 5), (115, 100), (100, 115), (200, 31), (31, 200)],
)
@pytest.mark.parametrize("channels", [3, 4])
def test_lines_are_resampled_as_image_resize_does(size_in, size_out, channels):
    lines = bytes_of(size_in, 7, channels)
    mode = {3: "RGB", 4: "RGBa"}[channels]
    image = Image.frombytes(mode, (7, size_in), lines.tobytes())
    resampled = np.empty(size_out * 7 * channels, np.uint8)
    resampling.resample(lines.ravel(), 7 * channels, size_in, size_out, resampled)
    assert resampled.tobytes() == image.resize((7, size_out)).tobytes()


@pytest.mark.parametrize("channels", [3, 4])
def test_transposing_exchanges_rows_and_columns(channels):
    pixels = bytes_of(5, 8, channels)
    turned = np.empty(pixels.size, np.uint8)
    resampling.transpose(pixels.ravel(), 5, 8, channels, turned)
    np.testing.assert_array_equal(turned.reshape(8, 5, channels), pixels.swapaxes(0, 1))


@pytest.mark.parametrize("opacity", [255, 233, 127, 60, 1])
def test_text_leaves_the_inks_that_imagedraw_leaves(opacity):
    colour = np.array([opacity, 190, 30, 77])
    inks, premultiplied, lightest = inks_of(colour)
    text = rgba_text(colour, np.arange(256, dtype=np.uint8)[None])
    assert inks.tobytes() == text.tobytes()
    assert premultiplied.astype(np.uint8).tobytes() == text.convert("RGBa").tobytes()
    left = text.getbbox()
    assert lightest == left[0]


@pytest.mark.parametrize("straight", [True, False])
def test_text_is_rotated_as_image_rotate_does(straight):
    inks, premultiplied, _ = inks_of(COLOUR)
    random.seed(1)
    # Of all numbers just below 0, the remainder by 360 is 360.
    angles = [0.0, 90.0, -90.0, 180.0, 270.0, -180.0, 45.0, -1e-20]
    for index, angle in enumerate(angles + [random.uniform(-180, 180) for _ in range(300)]):
        height, width = random.randint(1, 30), random.randint(1, 30)
        mask = bytes_of(height, width, seed=index)
        mask[mask < 90] = 0  # Holes.
        pillow = rgba_text(COLOUR, mask).rotate(angle, Image.Resampling.BILINEAR, expand=True)
        _, _, _, _, new_width, new_height = rotation.rotation(angle % 360.0, width, height)
        assert (new_width, new_height) == pillow.size
        turned = np.empty(new_width * new_height * 4, np.uint8)
        coverage = np.pad(mask, 1, mode="edge").ravel()
        rotation.rotate(
            inks, premultiplied, coverage, width, height, angle % 360.0, straight, turned
        )
        columns = np.asarray(pillow if straight else pillow.convert("RGBa"))
        rows = turned.reshape(new_width, new_height, 4).swapaxes(0, 1)
        np.testing.assert_array_equal(rows, columns, err_msg=str(angle))


def test_arcs_are_those_of_imagedraw():
    """Of all boxes and angles that the library draws, lying and upright, thin and thick."""
    random.seed(2)
    for index in range(3000):
        width, height = random.choice([(100, 30), (160, 60), (40, 80), (23, 17)])
        thickness = random.choice([1, 1, 1, 2, 3, 7, 20])
        x1 = random.randint(0, width // 5)
        x2 = random.randint(width // 5, width)
        y1 = random.randint(height // 5, height - height // 5)
        y2 = random.randint(y1, height - height // 5)
        start = 0 if index % 5 == 0 else random.randint(0, 20)
        end = 180 if index % 7 == 0 else random.randint(160, 200)
        page = np.zeros(height * width * 3, np.uint8)
        arc.draw_arc(x1, y1, x2, y2, start, end, thickness, COLOUR, width, height, page)
        image = Image.new("RGB", (width, height))
        ImageDraw.Draw(image).arc([x1, y1, x2, y2], start, end, fill=(190, 30, 77), width=thickness)
        assert page.tobytes() == image.tobytes(), (x1, y1, x2, y2, start, end, thickness)


@pytest.mark.parametrize("dot_width_px", [1, 2, 3, 4, 7, 10])
def test_a_dot_is_the_same_stamp_everywhere(dot_width_px):
    """Also where the edge cuts it."""
    width, height = 43, 31
    style = Style(
        width_px=width,
        height_px=height,
        max_length=1,
        min_length=1,
        font_sizes=(0.5,),
        dot_width_px=dot_width_px,
        contrast=0.1,
        text_colour=(0, 0),
        gap_probability=0,
        num_dots=(1, 1),
        num_curves=(0, 0),
        smooth=False,
    )
    at_dot = layout.CHARACTERS + layout.WORDS_PER_CHARACTER
    words = np.zeros(at_dot + 2, np.uint32)

    class Words:
        def integers(self, *_, **__):
            return words

    for x in range(width + 1):
        for y in range(height + 1):
            words[at_dot] = -(-(x << 32) // (width + 1))
            words[at_dot + 1] = -(-(y << 32) // (height + 1))
            drawn = fast_renderer(style).render("1", Words())
            image = Image.new("RGB", (width, height), (238, 238, 238))
            ImageDraw.Draw(image).line(((x, y), (x - 1, y - 1)), fill=0, width=dot_width_px)
            np.testing.assert_array_equal(drawn, np.asarray(image), err_msg=f"{x}, {y}")


@pytest.mark.parametrize(("height", "width"), [(30, 100), (3, 3), (2, 9), (9, 2), (1, 1)])
def test_smoothing_is_pillows_filter(height, width):
    page = bytes_of(height, width, 3)
    smoothed = np.empty(page.size, np.uint8)
    captcha._finish(page.ravel(), width * 3, height, True, smoothed)
    pillow = Image.fromarray(page).filter(ImageFilter.SMOOTH)
    assert smoothed.tobytes() == pillow.tobytes()


def test_multiplication_and_addition_are_not_fused():
    """A fused one rounds once and not twice: then bytes would depend on the processor."""
    rotation.rotation(33.0, 10, 20)
    for code in rotation.rotation.inspect_asm().values():
        assert "mulsd" in code or "fmul" in code, "the code of this test's own multiplications"
        assert "fmadd" not in code
        assert "fmla" not in code


def test_glyphs_are_measured_and_drawn_as_the_library_does():
    style = Style(alphabet="0127", font_sizes=(0.7, 0.9))
    glyphs = load_glyphs(style)
    table = glyphs.table.reshape(2, 4, layout.GLYPH_COLUMNS)
    for size_px, spacer, rows in zip(style.font_sizes_px, glyphs.spacers, table, strict=True):
        font = load_font(style.fonts[0], size_px)
        draw = ImageDraw.Draw(Image.new("RGB", (1, 1)))
        assert spacer == draw.multiline_textbbox((1, 1), " ", font=font)[2]
        for char, row in zip(style.alphabet, rows, strict=True):
            _, _, width, height = draw.multiline_textbbox((1, 1), char, font=font)
            assert tuple(row[layout.GLYPH_WIDTH :]) == (width, height)
            image = Image.new("L", (width, height))
            ImageDraw.Draw(image).text((0, 0), char, font=font, fill=255)
            ink = np.asarray(image.crop(image.getbbox()))
            at = row[layout.GLYPH_AT]
            padded = glyphs.pool[at : at + (ink.shape[0] + 2) * (ink.shape[1] + 2)]
            np.testing.assert_array_equal(
                padded.reshape(ink.shape[0] + 2, -1), np.pad(ink, 1, mode="edge")
            )
            assert (row[layout.GLYPH_LEFT], row[layout.GLYPH_TOP]) == image.getbbox()[:2]


def test_kernels_are_compiled_anew_when_any_of_their_files_changed(monkeypatch, tmp_path):
    """numba itself looks at the file of the called function alone."""
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))

    def hits_and_misses(sources):
        monkeypatch.setattr(compiling, "_sources", lambda: sources)

        def make(sources):
            def double(number):
                _ = sources
                return 2 * number

            return double

        function = compiling.entry_point(make)
        assert function(21) == 42
        stats = function.stats
        return sum(stats.cache_hits.values()), sum(stats.cache_misses.values())

    assert hits_and_misses(1) == (0, 1)
    assert hits_and_misses(1) == (1, 0)
    assert hits_and_misses(2) == (0, 1)


def test_the_hash_of_the_sources_covers_every_kernel(monkeypatch, tmp_path):
    for name, text in (("compiling.py", "one"), ("arc.py", "two")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(compiling, "__file__", str(tmp_path / "compiling.py"))
    before = compiling._sources.__wrapped__()
    (tmp_path / "arc.py").write_text("three")
    assert compiling._sources.__wrapped__() != before


def test_kernels_work_where_nothing_can_be_kept(monkeypatch):
    import numba

    real = numba.njit
    real(lambda number: number)(1)  # Now, as it compiles functions of its own the first time.

    def njit(**options):
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    monkeypatch.setattr(numba, "njit", njit)

    def make(sources):
        def triple(number):
            _ = sources
            return 3 * number

        return triple

    assert compiling.entry_point(make)(14) == 42

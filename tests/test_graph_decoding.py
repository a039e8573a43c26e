import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from export.graph_decoding import decode_pictures
from records.image_decoding import to_rgb

HEIGHT, WIDTH = 12, 20
RNG = np.random.default_rng((4, 0, 0))
RGBA = RNG.integers(0, 256, [HEIGHT, WIDTH, 4], np.uint8)
COLOUR = Image.fromarray(RGBA[:, :, :3])
GREY = Image.fromarray(RGBA[:, :, 0])
GREY_16 = Image.fromarray(RNG.integers(0, 2**16, [HEIGHT, WIDTH], np.uint16))


def encoded(image: Image.Image, file_format: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def pillow_pixels(content: bytes) -> np.ndarray:
    return np.asarray(to_rgb(Image.open(io.BytesIO(content))))


def graph_pixels(contents: list[bytes], shape=(HEIGHT, WIDTH, 3)) -> np.ndarray:
    decode = tf.function(
        lambda image_bytes: decode_pictures(image_bytes, shape),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    return decode(tf.constant(contents, tf.string)).numpy()


def palette(num_colours: int) -> Image.Image:
    return COLOUR.quantize(num_colours)


EQUAL_TO_PILLOW = {
    "png_rgb": encoded(COLOUR, "PNG"),
    "png_rgb_with_alpha": encoded(Image.fromarray(RGBA), "PNG"),
    "png_rgb_with_one_colour_transparent": encoded(
        COLOUR, "PNG", transparency=COLOUR.getpixel((3, 3))
    ),
    "png_grey": encoded(GREY, "PNG"),
    "png_grey_with_alpha": encoded(Image.fromarray(RGBA).convert("LA"), "PNG"),
    "png_grey_with_one_level_transparent": encoded(GREY, "PNG", transparency=GREY.getpixel((3, 3))),
    "png_grey_16_bit": encoded(GREY_16, "PNG"),
    "png_black_and_white": encoded(GREY.convert("1"), "PNG"),
    "png_black_transparent": encoded(GREY.convert("1"), "PNG", transparency=0),
    "png_palette_of_2": encoded(palette(2), "PNG"),  # Bit depth 1.
    "png_palette_of_4": encoded(palette(4), "PNG"),  # Bit depth 2.
    "png_palette_of_16": encoded(palette(16), "PNG"),  # Bit depth 4.
    "png_palette_of_200": encoded(palette(200), "PNG"),  # Bit depth 8.
    "png_palette_with_alpha": encoded(palette(4), "PNG", transparency=bytes([3, 0, 120])),
    "png_palette_with_one_colour_transparent": encoded(palette(200), "PNG", transparency=7),
    "jpeg_rgb": encoded(COLOUR, "JPEG", quality=90, subsampling=0),
    "jpeg_rgb_with_halved_colour": encoded(COLOUR, "JPEG", quality=60, subsampling=2),
    "jpeg_rgb_progressive": encoded(COLOUR, "JPEG", progressive=True),
    "jpeg_grey": encoded(GREY, "JPEG"),
    "bmp_rgb": encoded(COLOUR, "BMP"),
    "bmp_grey": encoded(GREY, "BMP"),
    "gif": encoded(palette(200), "GIF"),
}


@pytest.mark.parametrize("content", EQUAL_TO_PILLOW.values(), ids=EQUAL_TO_PILLOW.keys())
def test_the_graph_decodes_to_the_very_pixels_of_pillow(content):
    np.testing.assert_array_equal(graph_pixels([content])[0], pillow_pixels(content))


def test_cmyk_jpeg_is_within_one_level_of_pillow():
    content = encoded(Image.fromarray(RGBA, "CMYK"), "JPEG", quality=95)
    difference = graph_pixels([content])[0].astype(int) - pillow_pixels(content)
    assert np.abs(difference).max() <= 1


def test_a_transparent_png_lies_on_white():
    content = encoded(Image.new("RGBA", (WIDTH, HEIGHT), (10, 20, 30, 0)), "PNG")
    assert (graph_pixels([content]) == 255).all()


def test_files_of_different_formats_and_sizes_make_one_batch_in_their_order():
    small = Image.new("RGB", (3, 2), "red")
    large = Image.new("L", (200, 300), 77)
    pixels = graph_pixels([encoded(small, "PNG"), encoded(COLOUR, "BMP"), encoded(large, "JPEG")])
    assert pixels.shape == (3, HEIGHT, WIDTH, 3)
    assert (pixels[0] == (255, 0, 0)).all()
    np.testing.assert_array_equal(pixels[1], np.asarray(COLOUR))
    assert (pixels[2] == 77).all()


@pytest.mark.parametrize("size", [(50, 31), (7, 5), (20, 30)], ids=["down", "up", "one_side"])
def test_another_size_is_resized_as_pillow_resizes_within_one_level(size):
    picture = COLOUR.resize(size, Image.Resampling.BICUBIC)
    expected = np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)).astype(int)
    # Pillow rounds after the columns and after the rows, with 22 bits of weights.
    assert np.abs(graph_pixels([encoded(picture, "PNG")])[0] - expected).max() <= 1


def test_resizing_rounds_to_the_nearest_level():
    row = np.array([[0, 1], [0, 1]], np.uint8)
    # Half-pixel centres: the columns of 4 lie at -0.25, 0.25, 0.75, 1.25 of the 2.
    content = encoded(Image.fromarray(row * 10), "PNG")
    pixels = graph_pixels([content], shape=(2, 4, 3))[0, :, :, 0]
    np.testing.assert_array_equal(pixels, [[0, 2, 8, 10]] * 2)  # 2.5 and 7.5, half to even.


def test_no_files_give_no_pictures():
    assert graph_pixels([]).shape == (0, HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(
    "content",
    [b"", b"no picture", EQUAL_TO_PILLOW["png_rgb"][:60], EQUAL_TO_PILLOW["png_rgb"][:20]],
    ids=["empty", "text", "png_cut_in_its_pixels", "png_cut_in_its_header"],
)
def test_what_cannot_be_decoded_is_refused(content):
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"Invalid PNG|Unknown image|Input is empty"
    ):
        graph_pixels([EQUAL_TO_PILLOW["png_rgb"], content])

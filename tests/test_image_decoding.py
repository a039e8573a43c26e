import builtins
import errno
import io
import os
import pickle
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from records.image_decoding import FORMATS, ImageError, decode_image_file, to_rgb

RNG = np.random.default_rng((3, 0, 0))
RGB = RNG.integers(0, 256, [6, 9, 3], np.uint8)
GREY = RGB[:, :, 0]
ALPHA = RNG.integers(0, 256, [6, 9, 1], np.uint8)
ALPHA[0, :2, 0] = 0, 255  # Both ends are in it.
GREY_16 = RNG.integers(0, 2**16, [6, 9], np.uint16)
RGB_16 = RNG.integers(0, 2**16, [6, 9, 3], np.uint16)
ALPHA_16 = RNG.integers(0, 2**16, [6, 9, 1], np.uint16)


def grey(channel: np.ndarray) -> np.ndarray:
    return np.repeat(channel[:, :, None], 3, axis=2)


def on_white(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = alpha.astype(float) / 255
    return np.rint(colour * share + 255 * (1 - share)).astype(np.uint8)


def palette_image(transparency: bytes | int | None = None) -> tuple[Image.Image, np.ndarray]:
    indices = np.arange(54, dtype=np.uint8).reshape(6, 9) % 4
    colours = np.array([[10, 20, 30], [200, 0, 100], [0, 0, 0], [255, 250, 5]], np.uint8)
    image = Image.fromarray(indices).convert("P")
    image.putdata(indices.ravel())
    image.putpalette(colours.tobytes())
    if transparency is not None:
        image.info["transparency"] = transparency
    return image, colours[indices]


def saved(tmp_path, image: Image.Image, name: str, **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


def png_chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def png(depth: int, colour_type: int, pixels: np.ndarray, transparent: list[int] = ()) -> bytes:
    """A PNG written by hand, as Pillow does not write these; `pixels` are not yet packed."""
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    if depth == 16:
        packed = [row.astype(">u2").tobytes() for row in rows]
    else:
        bits = (rows[:, :, None] >> np.arange(depth - 1, -1, -1)) & 1
        packed = [np.packbits(row).tobytes() for row in bits.reshape(height, -1)]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0))]
    if transparent:
        chunks.append((b"tRNS", struct.pack(f">{len(transparent)}H", *transparent)))
    chunks.append((b"IDAT", zlib.compress(b"".join(b"\0" + row for row in packed))))
    chunks.append((b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def levels(depth: int) -> np.ndarray:
    return (np.arange(54).reshape(6, 9) % 2**depth).astype(np.uint8)


def where_transparent(picture: np.ndarray, transparent: np.ndarray) -> np.ndarray:
    return np.where(transparent[:, :, None], 255, picture).astype(np.uint8)


def upper_8(channels: np.ndarray) -> np.ndarray:
    return (channels >> 8).astype(np.uint8)


PNGS = {
    **{
        f"grey_of_{depth}_bits": (png(depth, 0, levels(depth)), grey(levels(depth) * factor))
        for depth, factor in ((1, 255), (2, 85), (4, 17))
    },
    **{
        f"grey_of_{depth}_bits_with_a_transparent_level": (
            png(depth, 0, levels(depth), [1]),
            where_transparent(grey(levels(depth) * factor), levels(depth) == 1),
        )
        for depth, factor in ((1, 255), (2, 85), (4, 17), (8, 1))
    },
    "grey_of_16_bits_with_a_transparent_level": (
        png(16, 0, GREY_16, [int(GREY_16[2, 3])]),
        where_transparent(grey(upper_8(GREY_16)), GREY_16[2, 3] == GREY_16),
    ),
    "rgb_with_a_transparent_colour": (
        png(8, 2, RGB, RGB[2, 3].tolist()),
        where_transparent(RGB, (RGB[2, 3] == RGB).all(axis=2)),
    ),
    "rgb_of_16_bits": (png(16, 2, RGB_16), upper_8(RGB_16)),
    "rgb_of_16_bits_with_a_transparent_colour": (
        png(16, 2, RGB_16, RGB_16[2, 3].tolist()),
        where_transparent(upper_8(RGB_16), (RGB_16[2, 3] == RGB_16).all(axis=2)),
    ),
    "grey_with_alpha_of_16_bits": (
        png(16, 4, np.concatenate([GREY_16[:, :, None], ALPHA_16], axis=2)),
        on_white(grey(upper_8(GREY_16)), upper_8(ALPHA_16)),
    ),
    "rgb_with_alpha_of_16_bits": (
        png(16, 6, np.concatenate([RGB_16, ALPHA_16], axis=2)),
        on_white(upper_8(RGB_16), upper_8(ALPHA_16)),
    ),
}


@pytest.mark.parametrize(("content", "expected"), PNGS.values(), ids=PNGS.keys())
def test_every_depth_of_a_png_becomes_the_8_bits_it_shows(tmp_path, content, expected):
    (tmp_path / "a.png").write_bytes(content)
    np.testing.assert_array_equal(np.asarray(decode_image_file(tmp_path / "a.png")), expected)


EXACT = {
    "rgb_png": (Image.fromarray(RGB), "a.png", RGB),
    "rgb_bmp": (Image.fromarray(RGB), "a.bmp", RGB),
    "rgb_webp": (Image.fromarray(RGB), "a.webp", RGB),
    "rgb_with_alpha_webp": (
        Image.fromarray(np.concatenate([RGB, ALPHA], axis=2)),
        "a.webp",
        on_white(RGB, ALPHA),
    ),
    "rgb_tiff": (Image.fromarray(RGB), "a.tif", RGB),
    "rgb_ppm": (Image.fromarray(RGB), "a.ppm", RGB),
    "grey_png": (Image.fromarray(GREY), "a.png", grey(GREY)),
    "grey_gif": (Image.fromarray(GREY), "a.gif", grey(GREY)),
    "grey_16_bit_png": (Image.fromarray(GREY_16), "a.png", grey((GREY_16 >> 8).astype(np.uint8))),
    "grey_16_bit_tiff": (Image.fromarray(GREY_16), "a.tif", grey((GREY_16 >> 8).astype(np.uint8))),
    "black_and_white": (
        Image.fromarray(GREY > 127),
        "a.png",
        grey(np.where(GREY > 127, 255, 0).astype(np.uint8)),
    ),
    "rgb_with_alpha": (
        Image.fromarray(np.concatenate([RGB, ALPHA], axis=2)),
        "a.png",
        on_white(RGB, ALPHA),
    ),
    "grey_with_alpha": (
        Image.fromarray(np.stack([GREY, ALPHA[:, :, 0]], axis=2)),
        "a.png",
        on_white(grey(GREY), ALPHA),
    ),
    "palette": (palette_image()[0], "a.png", palette_image()[1]),
    "palette_gif": (palette_image()[0], "a.gif", palette_image()[1]),
    "palette_with_alpha": (
        palette_image(transparency=bytes([0, 128, 255, 255]))[0],
        "a.png",
        on_white(
            palette_image()[1],
            np.array([0, 128, 255, 255])[np.arange(54).reshape(6, 9) % 4][:, :, None],
        ),
    ),
    # CMYK to RGB: what the black leaves, times what the colour leaves.
    "cmyk": (
        Image.new("CMYK", (9, 6), (255, 0, 51, 0)),
        "a.tif",
        np.full([6, 9, 3], [0, 255, 204]),
    ),
}


@pytest.mark.parametrize(("image", "name", "expected"), EXACT.values(), ids=EXACT.keys())
def test_every_mode_becomes_the_rgb_pixels_it_shows(tmp_path, image, name, expected):
    options = {"lossless": True, "exact": True} if name.endswith("webp") else {}
    decoded = decode_image_file(saved(tmp_path, image, name, **options))
    assert decoded.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(decoded), expected)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGB", (200, 100, 0), (200, 100, 0)),
        ("L", 77, (77, 77, 77)),
        ("CMYK", (255, 0, 51, 0), (0, 255, 204)),
    ],
    ids=["rgb", "grey", "cmyk"],
)
def test_jpegs_of_every_mode_keep_their_colour_within_the_loss_of_jpeg(
    tmp_path, mode, colour, expected
):
    path = saved(tmp_path, Image.new(mode, (16, 8), colour), "a.jpg", quality=95)
    pixels = np.asarray(decode_image_file(path)).astype(int)
    assert np.abs(pixels - expected).max() <= 2


# EXIF says where the first row and column of the pixels belong; by its number, what is shown.
SHOWN = {
    1: lambda pixels: pixels,
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),  # A quarter turn clockwise.
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: np.rot90,
    0: lambda pixels: pixels,  # No such orientation, as the next.
    99: lambda pixels: pixels,
}


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "jpg"])
@pytest.mark.parametrize("orientation", SHOWN)
def test_a_rotation_that_exif_tells_is_undone(tmp_path, orientation, suffix):
    pixels = np.zeros([16, 24, 3], np.uint8)  # Dark, one corner bright, and a grey edge beside it.
    pixels[:8, :8], pixels[:8, 8:] = 255, 128
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"webp": {"lossless": True}, "jpg": {"quality": 95, "subsampling": 0}}
    path = saved(
        tmp_path, Image.fromarray(pixels), f"a.{suffix}", exif=exif, **options.get(suffix, {})
    )
    decoded = np.asarray(decode_image_file(path)).astype(int)
    shown = SHOWN[orientation](pixels)
    assert decoded.shape == shown.shape
    assert np.abs(decoded - shown).max() <= 2


def test_exif_that_cannot_be_read_turns_nothing_and_spoils_nothing(tmp_path):
    path = saved(tmp_path, Image.fromarray(RGB), "a.png", exif=b"garbage")
    np.testing.assert_array_equal(np.asarray(decode_image_file(path)), RGB)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_the_first_frame_of_an_animation_is_read(tmp_path, suffix):
    frames = [Image.new("RGB", (9, 6), colour) for colour in ("red", "blue")]
    options = {"lossless": True} if suffix == "webp" else {}
    path = saved(
        tmp_path, frames[0], f"a.{suffix}", save_all=True, append_images=frames[1:], **options
    )
    with Image.open(path) as image:
        assert image.n_frames == 2
    assert decode_image_file(path).getpixel((0, 0)) == (255, 0, 0)


def test_a_format_is_told_by_what_is_in_the_file_and_not_by_its_name(tmp_path):
    path = saved(tmp_path, Image.fromarray(RGB), "a.bmp").rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(np.asarray(decode_image_file(path)), RGB)


def test_the_picture_outlives_its_file(tmp_path):
    path = saved(tmp_path, Image.fromarray(RGB), "a.png")
    decoded = decode_image_file(path)
    path.unlink()
    np.testing.assert_array_equal(np.asarray(decoded), RGB)


def test_every_format_of_the_table_is_known_to_pillow_by_its_suffixes():
    Image.init()
    for name, suffixes in FORMATS.items():
        assert {Image.EXTENSION[suffix] for suffix in suffixes} == {name}


def test_to_rgb_makes_a_new_image_of_one_that_is_rgb_already():
    image = Image.fromarray(RGB.copy())
    to_rgb(image).putpixel((0, 0), (1, 2, 3))
    np.testing.assert_array_equal(np.asarray(image), RGB)


def png_bytes(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def jpeg_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.tile(RGB, [9, 9, 1])).save(buffer, "JPEG")
    return buffer.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + pixels + png_chunk(b"IEND", b"")


def jpeg_of_many_scans() -> bytes:
    """A small progressive JPEG whose second scan comes a thousand times more."""
    buffer = io.BytesIO()
    Image.new("L", (16, 16), 77).save(buffer, "JPEG", progressive=True)
    content = buffer.getvalue()
    start = content.index(b"\xff\xda", content.index(b"\xff\xda") + 1)
    end = content.index(b"\xff\xda", start + 1)
    return content[:start] + 1000 * content[start:end] + content[start:]


def tiff_of_19_channels() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, "TIFF")
    samples_per_pixel = struct.Struct("<HHII")  # Tag, type (short), count, value.
    before, after = (samples_per_pixel.pack(277, 3, 1, number) for number in (3, 19))
    assert before in buffer.getvalue()
    return buffer.getvalue().replace(before, after)


def flipped(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :]


PNG = png_bytes(Image.fromarray(RGB))
BROKEN = {
    "empty": (b"", "empty, 0 bytes"),
    "text": (
        b"hello, I am no\npicture",
        r"no picture or cut short, it starts with b'hello, I am '",
    ),
    "signature_alone": (PNG[:8], "no picture"),
    "png_cut_in_its_pixels": (PNG[: PNG.index(b"IDAT") + 60], "damaged: .*truncated"),
    "png_with_a_flipped_byte": (flipped(PNG, PNG.index(b"IDAT") + 40), "damaged: "),
    "png_with_a_damaged_header": (flipped(PNG, PNG.index(b"IHDR") + 6), "no picture|damaged"),
    "jpeg_cut": (jpeg_bytes()[:-400], "damaged: .*truncated"),
    "bomb_that_pillow_warns_of": (bomb(10000, 10000), "too large, more than 16777216 pixels"),
    "bomb_that_pillow_refuses": (bomb(60000, 60000), "too large, more than 16777216 pixels"),
    "jpeg_of_many_scans": (jpeg_of_many_scans(), "a JPEG of more than 100 scans"),
    "tiff_of_19_channels": (tiff_of_19_channels(), "no picture"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 6\n", "no picture"),
}


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_one_line_with_its_name_and_the_reason(tmp_path, caplog, content, reason):
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=rf"^{path}: ({reason})") as caught:
        decode_image_file(path)
    assert "\n" not in str(caught.value)
    assert not caplog.records


def test_a_missing_file_is_an_image_error(tmp_path):
    with pytest.raises(ImageError, match="cannot be read: No such file"):
        decode_image_file(tmp_path / "none.png")


def test_a_link_to_nowhere_is_an_image_error(tmp_path):
    (tmp_path / "link.png").symlink_to("gone.png")
    with pytest.raises(ImageError, match=r"a link to what does not exist, gone\.png"):
        decode_image_file(tmp_path / "link.png")


def test_a_link_to_a_picture_is_the_picture(tmp_path):
    (tmp_path / "link.png").symlink_to(saved(tmp_path, Image.fromarray(RGB), "a.png"))
    np.testing.assert_array_equal(np.asarray(decode_image_file(tmp_path / "link.png")), RGB)


def test_a_name_that_no_file_can_have_is_an_image_error():
    with pytest.raises(ImageError, match="cannot be read: embedded null byte"):
        decode_image_file("a\0.png")


def test_a_file_that_no_picture_needs_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(10**12)  # A hole: it takes no disk.
    with pytest.raises(ImageError, match="too large, more than 100000000 bytes"):
        decode_image_file(tmp_path / "huge.png")


def test_a_folder_is_an_image_error(tmp_path):
    with pytest.raises(ImageError, match="a folder, not a file"):
        decode_image_file(tmp_path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="no regular file"):
        decode_image_file(tmp_path / "pipe.png")


def test_a_file_without_permission_is_an_image_error(tmp_path, monkeypatch):
    def refuse(*_, **__):  # chmod would not stop root.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    path = saved(tmp_path, Image.fromarray(RGB), "a.png")
    monkeypatch.setattr(builtins, "open", refuse)
    with pytest.raises(ImageError, match="cannot be read: Permission denied"):
        decode_image_file(path)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (Image.new("F", (9, 6), 0.5), "received floats"),
        (Image.new("I", (9, 6), 70000), "received 32-bit integers from 70000 to 70000"),
        (Image.new("I", (9, 6), -1), "received 32-bit integers from -1 to -1"),
    ],
    ids=["float", "above_16_bits", "negative"],
)
def test_pixels_of_unknown_range_are_refused(tmp_path, image, reason):
    path = saved(tmp_path, image, "a.tif")
    with pytest.raises(ImageError, match=f"a.tif: pixels must be .*{reason}"):
        decode_image_file(path)


def test_an_image_error_survives_the_way_out_of_a_worker_process():
    error = pickle.loads(pickle.dumps(ImageError("a.png", "empty")))
    assert (error.path, error.reason, str(error)) == ("a.png", "empty", "a.png: empty")


def test_a_name_with_a_newline_does_not_break_the_line():
    assert str(ImageError("a\nb.png", "empty")) == r"'a\nb.png': empty"

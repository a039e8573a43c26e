"""Pictures damaged at random: whatever is in a file, it is read, or it is refused in silence."""

import io

import numpy as np
import pytest
from PIL import Image

from records.image_decoding import ImageError, decode_image_file

_NUM_MUTATIONS = 300  # In all; seeded, so that a failure can be looked at.
_HEAD_BYTES = 64  # Sizes, modes and offsets stand there: damage to them leads furthest astray.


def _encoded(image: Image.Image, format_name: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def _valid_files() -> dict[str, bytes]:
    rng = np.random.default_rng((5, 0, 0))
    colour = Image.fromarray(rng.integers(0, 256, [30, 70, 3], np.uint8))
    other = Image.fromarray(rng.integers(0, 256, [30, 70, 3], np.uint8))
    wide = Image.fromarray(rng.integers(0, 2**16, [30, 70], np.uint16))
    palette, black_and_white = colour.quantize(16), colour.convert("1")
    exif = Image.Exif()
    exif[0x0112] = 6
    animation = {"save_all": True, "append_images": [other]}
    return {
        "png": _encoded(colour, "PNG", exif=exif),
        "png_palette": _encoded(palette, "PNG", transparency=3),
        "png_1_bit": _encoded(black_and_white, "PNG"),
        "png_16_bit": _encoded(wide, "PNG"),
        "png_alpha": _encoded(colour.convert("RGBA"), "PNG"),
        "png_animation": _encoded(colour, "PNG", **animation),
        "jpeg": _encoded(colour, "JPEG", exif=exif),
        "jpeg_grey": _encoded(colour.convert("L"), "JPEG"),
        "jpeg_cmyk": _encoded(colour.convert("CMYK"), "JPEG"),
        "jpeg_progressive": _encoded(colour, "JPEG", progressive=True),
        "gif": _encoded(palette, "GIF", transparency=2),
        "gif_animation": _encoded(palette, "GIF", **animation),
        "webp": _encoded(colour, "WEBP"),
        "webp_lossless": _encoded(colour.convert("RGBA"), "WEBP", lossless=True, exif=exif),
        "webp_animation": _encoded(colour, "WEBP", **animation),
        "bmp": _encoded(colour, "BMP"),
        "bmp_palette": _encoded(palette, "BMP"),
        "tiff": _encoded(colour, "TIFF"),
        "tiff_lzw": _encoded(colour, "TIFF", compression="tiff_lzw"),
        "tiff_deflate": _encoded(colour, "TIFF", compression="tiff_adobe_deflate"),
        "tiff_jpeg": _encoded(colour, "TIFF", compression="jpeg"),
        "tiff_fax": _encoded(black_and_white, "TIFF", compression="group4"),
        "ppm": _encoded(colour, "PPM"),
    }


VALID = _valid_files()


def _mutated(content: bytes, rng: np.random.Generator) -> bytes:
    mutated = bytearray(content)
    near_head = rng.random() < 0.6
    at = int(rng.integers(0, min(len(content), _HEAD_BYTES) if near_head else len(content)))
    length = int(rng.integers(1, 16))
    match rng.integers(0, 6):
        case 0:
            mutated[at] ^= 1 << int(rng.integers(0, 8))
        case 1:
            mutated[at : at + length] = rng.bytes(length)
        case 2:
            del mutated[at:]
        case 3:
            del mutated[at : at + length]
        case 4:
            mutated[at:at] = rng.bytes(length)
        case 5:  # Sizes and offsets at their limits.
            mutated[at : at + 4] = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4))[length % 3]
    return bytes(mutated)


@pytest.mark.parametrize("name", VALID)
def test_a_damaged_picture_is_read_or_refused_in_silence(tmp_path, capfd, name):
    path = tmp_path / "picture"
    path.write_bytes(VALID[name])
    assert decode_image_file(path).mode == "RGB"
    rng = np.random.default_rng((5, 1, list(VALID).index(name)))
    reasons = []
    for _ in range(-(-_NUM_MUTATIONS // len(VALID))):
        path.write_bytes(_mutated(VALID[name], rng))
        try:
            assert decode_image_file(path).mode == "RGB"
        except ImageError as error:
            reasons.append(error.reason)
    assert reasons
    assert all(reason and "\n" not in reason for reason in reasons)
    assert capfd.readouterr() == ("", "")  # Of C code too: libtiff writes to descriptor 2.

"""Picture files to RGB pixels: what every program of the project takes a foreign picture to show.

Whatever the file's mode, the result is 8-bit RGB: palettes are resolved, transparency lies on
white, CMYK is converted, 16 bits lose their lower 8, a camera's rotation is undone; of an animation
it is the first frame. Pillow alone decides, so that a dataset made of people's own pictures and a
later reading of them agree.

A file may be a stranger's. Whatever is in it, it is read or it is refused with a reason, in a
bounded time and memory, and nothing is printed.
"""

import contextlib
import io
import logging
import os
import stat
import warnings
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from PIL import Image

from records.silent_stderr import silent_stderr

# Pillow's name of each format that is read, and the suffixes its files have. Some of Pillow's other
# formats start programs (EPS runs Ghostscript); a file from a stranger shall not choose those.
FORMATS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "PNG": (".png",),
        "JPEG": (".jpg", ".jpeg"),
        "GIF": (".gif",),
        "BMP": (".bmp",),
        "WEBP": (".webp",),
        "TIFF": (".tif", ".tiff"),
        "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    }
)
IMAGE_SUFFIXES = frozenset(suffix for suffixes in FORMATS.values() for suffix in suffixes)

# The most that is decoded, in a few hundred megabytes of memory: no captcha is as large, a file of
# a few bytes can claim to be. Pillow's own limit would let a small file fill 1 GB.
MAX_PIXELS = 2**24  # 4096 x 4096.
MAX_FILE_BYTES = 100_000_000  # MAX_PIXELS uncompressed, in any usual mode.
# Of a JPEG. Encoders write 10 or so. Each costs a pass over the picture and may take 50 bytes, so a
# file of 100 MB could keep a processor busy for an hour.
_MAX_SCANS = 100

_ORIENTATION = 0x0112  # The EXIF tag, and how what it says is undone.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SHOWN_BYTES = 12

logging.getLogger("PIL.TiffImagePlugin").disabled = True  # It logs what it then raises.


class ImageError(ValueError):
    """A file that holds no picture: `path` says which, `reason` why; as text, both in one line."""

    def __init__(self, path: str | os.PathLike, reason: str):
        super().__init__(os.fspath(path), " ".join(reason.split()))

    @property
    def path(self) -> str:
        """The file's name as the caller wrote it."""
        return self.args[0]

    @property
    def reason(self) -> str:
        """What is wrong with it, without its name."""
        return self.args[1]

    def __str__(self) -> str:
        shown = self.path if self.path.isprintable() else repr(self.path)
        return f"{shown}: {self.reason}"


def decode_image_file(path: str | os.PathLike) -> Image.Image:
    """Reads the picture in `path`; of an animation, the first frame.

    Returns:
      An image of mode "RGB", upright where EXIF tells a rotation. The file is closed.

    Raises:
      ImageError: If there is no such file, it is empty, cut short, damaged, unreadable, a folder or
        a pipe, of no format in `FORMATS`, or larger than `MAX_PIXELS` or `MAX_FILE_BYTES` (a
        decompression bomb: a small file that would fill the memory).
    """
    try:
        content = _read(path)
    except ImageError:
        raise
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        if isinstance(error, FileNotFoundError) and os.path.islink(path):
            reason = f"a link to what does not exist, {os.readlink(path)}"
        raise ImageError(path, reason) from error
    except ValueError as error:  # A name with a zero byte.
        raise ImageError(path, f"cannot be read: {error}") from error
    try:
        return to_rgb(_decode(content))
    except _RefusedError as error:
        raise ImageError(path, str(error)) from error
    except Image.UnidentifiedImageError as error:
        reason = f"no picture or cut short, it starts with {content[:_SHOWN_BYTES]!r}"
        raise ImageError(path, reason) from error
    except Exception as error:  # Decoders meet damage with SyntaxError, struct.error, KeyError...
        raise ImageError(path, f"damaged: {str(error) or type(error).__name__}") from error


def to_rgb(image: Image.Image) -> Image.Image:
    """Converts any mode to a new image of mode "RGB" and the same size.

    Transparent pixels are laid on white, `(colour * alpha + 255 * (255 - alpha)) / 255`, rounded.
    Of 16 bits a channel, the upper 8 are kept.

    Raises:
      ValueError: If the pixels have no known range: floats, or integers beyond 16 bits.
    """
    if image.mode.startswith("I"):
        return _upper_8_bits(image).convert("RGB")
    if image.mode == "F":
        raise _RefusedError(
            "pixels must be 8- or 16-bit, received floats, mode 'F'. Save it as an 8-bit PNG"
        )
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return image.convert("RGB")


class _RefusedError(ValueError):
    """Nothing is damaged, and yet it is not read; as text, why."""


def _upper_8_bits(image: Image.Image) -> Image.Image:
    """Converts mode "I", "I;16" or alike to "L"; Pillow's own conversion clips at 255."""
    wide = np.asarray(image.convert("I"))
    lowest, highest = wide.min(), wide.max()
    if lowest < 0 or highest > 0xFFFF:
        raise _RefusedError(
            "pixels must be 8- or 16-bit, received 32-bit integers from "
            f"{lowest} to {highest}. Save it as an 8-bit PNG"
        )
    grey = (wide >> 8).astype(np.uint8)
    grey[wide == image.info.get("transparency", -1)] = 255  # One level may be transparent.
    return Image.fromarray(grey)


def _read(path: str | os.PathLike) -> bytes:
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise ImageError(path, "a folder, not a file")
    if not stat.S_ISREG(status.st_mode):  # Reading a pipe nobody writes to would never end.
        raise ImageError(path, "no regular file")
    if status.st_size == 0:
        raise ImageError(path, "empty, 0 bytes")
    if status.st_size > MAX_FILE_BYTES:
        raise ImageError(
            path, f"too large, more than {MAX_FILE_BYTES} bytes, the most that is read"
        )
    with open(path, "rb") as file:
        return file.read(status.st_size)  # A larger number would be allocated each time.


def _decode(content: bytes) -> Image.Image:
    """The decoded picture in its own mode, upright."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of odd metadata; what matters is whether it decodes.
        try:
            image = Image.open(io.BytesIO(content), formats=tuple(FORMATS))
        except Image.DecompressionBombError as error:
            raise _too_large() from error
        if image.width * image.height > MAX_PIXELS:
            raise _too_large()
        if image.format == "JPEG" and content.count(b"\xff\xda") > _MAX_SCANS:
            raise _RefusedError(f"a JPEG of more than {_MAX_SCANS} scans, the most that are read")
        layout = image.tile[0].args if image.format == "PNG" and image.tile else None
        # libtiff writes a line for each damaged file.
        with silent_stderr() if image.format == "TIFF" else contextlib.nullcontext():
            image.load()
        _scale_transparent_level(image, layout)
        return _upright(image)


def _too_large() -> _RefusedError:
    return _RefusedError(f"too large, more than {MAX_PIXELS} pixels, the most that are read")


def _scale_transparent_level(image: Image.Image, layout: str | None) -> None:
    """Brings the level or colour that a PNG says is transparent to the 8 bits of the pixels.

    Pillow 12 scales the pixels alone, so that nothing, or something else, would be transparent.
    """
    transparent = image.info.get("transparency")
    if layout in ("L;2", "L;4"):
        factor = 255 // (2 ** int(layout[-1]) - 1)
        if transparent is not None:
            image.info["transparency"] = transparent * factor
    elif layout == "RGB;16B" and transparent is not None:
        image.info["transparency"] = tuple(level >> 8 for level in transparent)


def _upright(image: Image.Image) -> Image.Image:
    """Undoes the rotation that EXIF tells; metadata that cannot be read tells none."""
    try:
        transposition = _UPRIGHT.get(image.getexif().get(_ORIENTATION))
    except Exception:  # Any, as from the decoders. The pixels are whole.
        transposition = None
    return image if transposition is None else image.transpose(transposition)

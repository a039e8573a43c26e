"""Picture files to RGB pixels: what every program of the project takes a foreign picture to show.

Whatever the file's mode, the result is 8-bit RGB: palettes are resolved, transparency lies on
white, CMYK is converted, 16 bits lose their lower 8, a camera's rotation is undone. Pillow alone
decides, so that a dataset made of people's own pictures and a later reading of them agree.
"""

import os
import stat
import warnings
from collections.abc import Mapping
from types import MappingProxyType

from PIL import Image, ImageOps

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

_SHOWN_BYTES = 12


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
      ImageError: If there is no such file, it is empty, cut short, damaged, unreadable, a folder,
        of no format in `FORMATS`, or larger than `PIL.Image.MAX_IMAGE_PIXELS` (a decompression
        bomb: a small file that would fill the memory).
    """
    image = _load(path)
    try:
        return to_rgb(image)
    except ValueError as error:
        raise ImageError(path, str(error)) from error


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
        raise ValueError(
            "pixels must be 8- or 16-bit, received floats, mode 'F'. Save it as an 8-bit PNG"
        )
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return image.convert("RGB")


def _upper_8_bits(image: Image.Image) -> Image.Image:
    """Converts mode "I", "I;16" or alike to "L"; Pillow's own conversion clips at 255."""
    wide = image.convert("I")
    lowest, highest = wide.getextrema()
    if lowest < 0 or highest > 0xFFFF:
        raise ValueError(
            "pixels must be 8- or 16-bit, received 32-bit integers from "
            f"{lowest} to {highest}. Save it as an 8-bit PNG"
        )
    return wide.point(lambda value: value * (1 / 256)).convert("L")


def _load(path: str | os.PathLike) -> Image.Image:
    """The decoded picture in its own mode, upright, its file closed."""
    try:
        _check_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of odd metadata; what matters is whether it decodes.
            # Up to twice its limit Pillow only warns.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=tuple(FORMATS)) as image:
                image.load()
                return ImageOps.exif_transpose(image)
    except ImageError:
        raise
    except Image.UnidentifiedImageError as error:
        raise ImageError(
            path, f"no picture or cut short, it starts with {_first_bytes(path)}"
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        limit = f"more than {Image.MAX_IMAGE_PIXELS} pixels, the most that are read"
        raise ImageError(path, f"too large, {limit}") from error
    except OSError as error:
        problem = f"cannot be read: {error.strerror}" if error.strerror else f"damaged: {error}"
        raise ImageError(path, problem) from error
    except Exception as error:  # Decoders meet damage with SyntaxError, struct.error, KeyError...
        raise ImageError(path, f"damaged: {str(error) or type(error).__name__}") from error


def _check_file(path: str | os.PathLike) -> None:
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise ImageError(path, "a folder, not a file")
    if not stat.S_ISREG(status.st_mode):  # Reading a pipe nobody writes to would never end.
        raise ImageError(path, "no regular file")
    if status.st_size == 0:
        raise ImageError(path, "empty, 0 bytes")


def _first_bytes(path: str | os.PathLike) -> str:
    with open(path, "rb") as file:
        return repr(file.read(_SHOWN_BYTES))

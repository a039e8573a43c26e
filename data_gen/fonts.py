"""Font files: found, loaded, and checked for the characters that they must have."""

import functools
import pathlib
from collections.abc import Sequence

from PIL import ImageFont

_SUFFIXES = (".ttf", ".otf", ".ttc")


def find_fonts(paths: Sequence[str]) -> tuple[str, ...]:
    """Font files named by `paths`: files as they are, folders by the fonts in them, sorted.

    Raises:
      ValueError: If a path does not exist or a folder holds no font.
    """
    found: list[str] = []
    for path in map(pathlib.Path, paths):
        files = [path] if path.is_file() else _fonts_in(path)
        if not files:
            raise ValueError(
                f"`fonts` must name .ttf or .otf files, or folders of them, received {str(path)!r} "
                "where there is none. Correct the path."
            )
        found.extend(map(str, files))
    return tuple(found)


@functools.cache
def load_font(path: str, size_px: int) -> ImageFont.FreeTypeFont:
    """A font file at one size.

    Raises:
      ValueError: If FreeType cannot read the file.
    """
    try:
        return ImageFont.truetype(path, size_px)
    except OSError as error:
        raise ValueError(
            f"`fonts` must be files that FreeType reads, received {path!r} ({error}). "
            "Name a .ttf or .otf file."
        ) from error


def check_font_has(path: str, alphabet: str) -> None:
    """Checks that a font draws every character, and none as its "no such glyph" box.

    Raises:
      ValueError: Names the font and all characters that it lacks.
    """
    font = load_font(path, 32)
    box = bytes(font.getmask("\U0010ffff"))  # Never assigned.
    masks = {char: bytes(font.getmask(char)) for char in alphabet}
    missing = [char for char, mask in masks.items() if mask == box or not any(mask)]
    if missing:
        raise ValueError(
            f"every font must have every character of the alphabet, received {path!r} without "
            f"{''.join(missing)!r}. Leave out the characters or the font."
        )


def _fonts_in(folder: pathlib.Path) -> list[pathlib.Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)

"""How captchas look: canvas, alphabet, fonts. A `Style` that exists can be drawn."""

import dataclasses
import functools
import pathlib
from collections.abc import Sequence

from captcha.image import DEFAULT_FONTS
from PIL import ImageFont

# The library's own sizes, for its own height. Kept at 30 px they cut away 40 % of the ink, so they
# are scaled with the height: 21, 25 and 28 at 30 px.
_LIBRARY_FONT_SIZES_PX = (42, 50, 56)
_LIBRARY_HEIGHT_PX = 60

# The library's 56 px digits fill 62 of its 60 px: that much may be cut, and no more.
_MAX_OVERHANG = 0.05

_MAX_SIDE_PX = 2048  # Larger is no captcha, and a typing error would fill the disk.
_MAX_POSITIONS = 32
_MIN_FONT_SIZE_PX = 6  # Below this the digits of the built-in font are blots.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Style:
    """Canvas in pixels, what may be written on it, and the fonts.

    Raises:
      ValueError: If a number is out of range, the alphabet repeats a character, a font cannot be
        read or lacks a character, or the characters do not fit the canvas.
    """

    width_px: int = 100
    height_px: int = 30
    num_positions: int = 4
    alphabet: str = "0123456789"
    font_paths: tuple[str, ...] = ()  # Empty: the captcha library's own DroidSansMono.

    def __post_init__(self):
        _check_range("width", self.width_px, 1, _MAX_SIDE_PX)
        _check_range("height", self.height_px, 1, _MAX_SIDE_PX)
        _check_range("length", self.num_positions, 1, _MAX_POSITIONS)
        if len(self.alphabet) < 2 or len(set(self.alphabet)) < len(self.alphabet):
            raise ValueError(
                "`alphabet` must have at least 2 characters, each once, received "
                f"{self.alphabet!r}. Write it without repeats, for example 0123456789."
            )
        for char in self.alphabet:
            if not char.isprintable() or char.isspace():
                raise ValueError(
                    f"`alphabet` must have characters with ink, received {char!r}. Leave it out."
                )
        if self.font_sizes_px[0] < _MIN_FONT_SIZE_PX:
            raise ValueError(
                f"`height` must leave fonts of {_MIN_FONT_SIZE_PX} px (0.7 of it), received "
                f"{self.height_px}. Raise --height."
            )
        for path in self.fonts:
            _check_font_has(path, self.alphabet)
        self._check_glyphs_fit()

    @property
    def fonts(self) -> tuple[str, ...]:
        """Font files, one or more."""
        return self.font_paths or tuple(DEFAULT_FONTS)

    @property
    def font_sizes_px(self) -> tuple[int, ...]:
        """The library's own three sizes, scaled with the height; ascending."""
        scale = self.height_px / _LIBRARY_HEIGHT_PX
        return tuple(round(size * scale) for size in _LIBRARY_FONT_SIZES_PX)

    def _check_glyphs_fit(self) -> None:
        boxes = [
            load_font(path, self.font_sizes_px[-1]).getbbox(char)
            for path in self.fonts
            for char in self.alphabet
        ]
        # As the library measures: from the origin, so bearings count.
        glyph_width = max(int(right) for _, _, right, _ in boxes)
        glyph_height = max(int(bottom) for _, _, _, bottom in boxes)
        too_tall = glyph_height > self.height_px * (1 + _MAX_OVERHANG)
        if too_tall or self.num_positions * glyph_width > self.width_px:
            raise ValueError(
                f"{self.num_positions} characters of {glyph_width} x {glyph_height} px (width x "
                f"height) must fit the canvas, received {self.width_px} x {self.height_px}. Set "
                f"--width to {self.num_positions * glyph_width} or more, or lower --height, with "
                "which the fonts shrink."
            )


def find_fonts(paths: Sequence[str]) -> tuple[str, ...]:
    """Font files named by `paths`: files as they are, folders by their .ttf and .otf, sorted.

    Raises:
      ValueError: If a path does not exist or a folder holds no font.
    """
    found: list[str] = []
    for path in map(pathlib.Path, paths):
        files = [path] if path.is_file() else sorted(path.glob("*.[to]tf"))
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


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(
            f"`{name}` must be in [{low}, {high}], received {value}. Set --{name} in that range."
        )


def _check_font_has(path: str, alphabet: str) -> None:
    font = load_font(path, 32)
    missing = bytes(font.getmask("\U0010ffff"))  # Never assigned: draws the "no such glyph" box.
    for char in alphabet:
        mask = bytes(font.getmask(char))
        if mask == missing or not any(mask):
            raise ValueError(
                f"every font must have every character of the alphabet, received {path!r} without "
                f"{char!r}. Leave out the character or the font."
            )

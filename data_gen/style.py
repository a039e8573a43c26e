"""How captchas look: canvas, alphabet, fonts, and every knob. A `Style` that exists can be drawn.

The defaults are the constants of the `captcha` library 0.7.1, whose drawing ours is held to; a
knob of one of its constants is named in brackets. docs/styles.md shows each of them.
"""

import dataclasses

from captcha.image import DEFAULT_FONTS

from data_gen.fonts import check_font_has, load_font
from data_gen.style_rules import check_style

# The library's 56 px digits fill 62 of its 60 px: that much may be cut, and no more.
_MAX_OVERHANG = 0.05


@dataclasses.dataclass(frozen=True, kw_only=True)
class Style:
    """Canvas in pixels, what may be written on it, and how it is drawn.

    A pair is a range from which each captcha, or each character, draws; equal ends fix the value.

    Raises:
      ValueError: If a value is out of range, the alphabet repeats a character, a font cannot be
        read or lacks a character, or the characters do not fit the canvas.
    """

    width_px: int = 100
    height_px: int = 30
    min_length: int = 4  # Characters; uniform between the two.
    max_length: int = 4
    alphabet: str = "0123456789"
    font_paths: tuple[str, ...] = ()  # Empty: the captcha library's own DroidSansMono.
    # Of the height. The library's 42, 50, 56 px are for its 60 px: kept at 30 px they would cut
    # away 40 % of the ink.
    font_sizes: tuple[float, ...] = (42 / 60, 50 / 60, 56 / 60)
    # Of each character.
    rotation_degrees: tuple[float, float] = (-30, 30)  # [character_rotate]
    warp_x: tuple[float, float] = (0.1, 0.3)  # Of its width. [character_warp_dx]
    warp_y: tuple[float, float] = (0.2, 0.3)  # Of its height. [character_warp_dy]
    gap_probability: float = 0.5  # Of a gap before it. [1 - word_space_probability]
    overlap: float = 0.25  # Of the mean width, at most, into the one before. [word_offset_dx]
    # Colours, 0 to 255, each channel drawn by itself.
    text_colour: tuple[int, int] = (10, 200)
    text_opacity: tuple[int, int] = (220, 255)
    colour_per_character: bool = False
    contrast: float = 1.97  # Text is pasted as opaque as it is bright, times this. [lookup_table]
    background: str = "plain"  # See `style_rules.BACKGROUNDS`.
    background_colour: tuple[int, int] = (238, 255)
    background_paths: tuple[str, ...] = ()  # Picture files to cut from, with "pictures".
    # Over the text, in its colour.
    num_dots: tuple[int, int] = (30, 30)
    dot_width_px: int = 3
    num_curves: tuple[int, int] = (1, 1)
    curve_width_px: int = 1
    # At the end.
    smooth: bool = True  # Pillow's SMOOTH filter.
    pixel_noise: tuple[int, int] = (0, 0)  # Uniform, plus or minus so many levels at most.

    def __post_init__(self):
        check_style(self)
        for path in self.fonts:
            check_font_has(path, self.alphabet)
        self._check_glyphs_fit()

    @property
    def fonts(self) -> tuple[str, ...]:
        """Font files, one or more."""
        return self.font_paths or tuple(DEFAULT_FONTS)

    @property
    def font_sizes_px(self) -> tuple[int, ...]:
        """Font sizes in pixels, in the order of `font_sizes`."""
        return tuple(round(size * self.height_px) for size in self.font_sizes)

    @property
    def variable_length(self) -> bool:
        """Whether labels are padded with a blank class."""
        return self.min_length < self.max_length

    def _check_glyphs_fit(self) -> None:
        boxes = [
            load_font(path, max(self.font_sizes_px)).getbbox(char)
            for path in self.fonts
            for char in self.alphabet
        ]
        # As the library measures: from the origin, so bearings count.
        glyph_width = max(int(right) for _, _, right, _ in boxes)
        glyph_height = max(int(bottom) for _, _, _, bottom in boxes)
        too_tall = glyph_height > self.height_px * (1 + _MAX_OVERHANG)
        if too_tall or self.max_length * glyph_width > self.width_px:
            raise ValueError(
                f"{self.max_length} characters of {glyph_width} x {glyph_height} px (width x "
                f"height) must fit the canvas, received {self.width_px} x {self.height_px}. Set "
                f"`width` to {self.max_length * glyph_width} or more, or lower `font_sizes`, or "
                "`height`, with which the fonts shrink."
            )

"""The characters of a style as masks: drawn once by Pillow, then kept."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_gen.fonts import load_font
from data_gen.kernels import layout
from data_gen.style import Style


class Glyphs(NamedTuple):
    """Arrays as `kernels.captcha.draw_captcha` takes them."""

    table: np.ndarray  # int64 [fonts * alphabet * GLYPH_COLUMNS]; each font file in each size.
    pool: np.ndarray  # uint8, the masks, each with its edge repeated once all around.
    spacers: np.ndarray  # int64 [fonts], the width of a gap.


def load_glyphs(style: Style) -> Glyphs:
    """Draws every character of the alphabet in every font and size."""
    # In the order of ImageCaptcha.truefonts.
    fonts = [load_font(path, size) for path in style.fonts for size in style.font_sizes_px]
    rows: list[list[int]] = []
    masks: list[np.ndarray] = []
    used = 0
    for font in fonts:
        for char in style.alphabet:
            width, height = _box_size(font, char)
            mask, left, top = _mask(font, char, width, height)
            row = [0] * layout.GLYPH_COLUMNS
            row[layout.GLYPH_AT] = used
            row[layout.GLYPH_MASK_WIDTH], row[layout.GLYPH_MASK_HEIGHT] = mask.shape[::-1]
            row[layout.GLYPH_LEFT], row[layout.GLYPH_TOP] = left, top
            row[layout.GLYPH_WIDTH], row[layout.GLYPH_HEIGHT] = width, height
            rows.append(row)
            masks.append(np.pad(mask, 1, mode="edge").ravel())
            used += masks[-1].size
    return Glyphs(
        table=np.array(rows, np.int64).ravel(),
        pool=np.concatenate(masks),
        spacers=np.array([_box_size(font, " ")[0] for font in fonts], np.int64),
    )


def _box_size(font: ImageFont.FreeTypeFont, char: str) -> tuple[int, int]:
    # As the library measures: of text placed at (1, 1), the far corner.
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    _, _, right, bottom = draw.multiline_textbbox((1, 1), char, font=font)
    return int(right), int(bottom)


def _mask(
    font: ImageFont.FreeTypeFont, char: str, width: int, height: int
) -> tuple[np.ndarray, int, int]:
    """Coverage uint8 [height, width] of the ink, and where it lies from the text's place."""
    # Room around, as ink can begin before its place. What lies right of the box or below it is
    # not on the library's small picture.
    room = width + height
    image = Image.new("L", (room + width, room + height))
    ImageDraw.Draw(image).text((room, room), char, font=font, fill=255)
    left, top, right, bottom = image.getbbox()
    return np.asarray(image.crop((left, top, right, bottom))), left - room, top - room

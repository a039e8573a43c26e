"""Test captchas with what was read in them: a grid to look at."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_PAPER, _INK, _FRAME = (255, 255, 255), (31, 35, 40), (205, 209, 214)
_RIGHT, _WRONG = (26, 127, 55), (255, 148, 140)  # The marks; on paper and on ink.
_FONT_SIZE_PX = 16
_WIDTH_PX = 200  # Pictures are enlarged by a whole number to about this.
_STRIP_PX = 26
_GAP_PX = 12
_MARK_PX = 12
_COLUMNS = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """One captcha, and what was read in it.

    Attributes:
      image: uint8 `[H, W, 3]`.
      label: int64 `[L]`, class indices.
      digits: int64 `[L]`, the classes read.
    """

    image: np.ndarray
    label: np.ndarray
    digits: np.ndarray

    @property
    def is_right(self) -> bool:
        """Whether all positions are."""
        return bool(np.array_equal(self.label, self.digits))


def draw_readings(readings: Sequence[Reading], alphabet: str, title: str) -> np.ndarray:
    """Draws `readings` in rows of four, each with a strip under it.

    One that was read right has a tick and its text, dark on light. A wrong one has a cross and
    "<truth> read as <text>", light on dark, the characters that differ underlined. Any class
    beyond the alphabet is a blank, which is left out.

    Args:
      readings: In reading order; may be empty.
      alphabet: Class k is character k.
      title: The line above.

    Returns:
      uint8 `[height, width, 3]`. Equal arguments give equal pixels under the pinned packages.
    """
    font = ImageFont.load_default(size=_FONT_SIZE_PX)
    height, width = readings[0].image.shape[:2] if readings else (0, 0)
    scale = max(1, round(_WIDTH_PX / width)) if readings else 1
    captions = [_caption(reading, alphabet) for reading in readings]
    texts = [sum(font.getlength(part) for part, _ in caption) for caption in captions]
    cell_width = max([scale * width, *(round(text) + 3 * _MARK_PX for text in texts)])
    cell_height = scale * height + _STRIP_PX
    rows = -(-len(readings) // _COLUMNS)
    sheet_width = max(
        _GAP_PX + min(_COLUMNS, len(readings)) * (cell_width + _GAP_PX),
        round(font.getlength(title)) + 2 * _GAP_PX,
    )
    sheet_height = _GAP_PX + _STRIP_PX + rows * (cell_height + _GAP_PX)
    sheet = Image.new("RGB", (sheet_width, sheet_height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP_PX, _GAP_PX), title, fill=_INK, font=font)
    for index, (reading, caption) in enumerate(zip(readings, captions, strict=True)):
        row, column = divmod(index, _COLUMNS)
        left = _GAP_PX + column * (cell_width + _GAP_PX)
        top = _GAP_PX + _STRIP_PX + row * (cell_height + _GAP_PX)
        frame = (left - 1, top - 1, left + cell_width, top + cell_height)
        draw.rectangle(frame, outline=_FRAME if reading.is_right else _INK)
        picture = Image.fromarray(reading.image).resize(
            (scale * width, scale * height), Image.Resampling.NEAREST
        )
        sheet.paste(picture, (left + (cell_width - scale * width) // 2, top))
        strip = (left, top + scale * height, left + cell_width - 1, top + cell_height - 1)
        _draw_strip(draw, strip, caption, font, is_right=reading.is_right)
    return np.asarray(sheet)


def _caption(reading: Reading, alphabet: str) -> list[tuple[str, bool]]:
    """Pieces of text, and whether each is underlined."""
    label = "".join(alphabet[k] for k in reading.label if k < len(alphabet))
    if reading.is_right:
        return [(label or "(nothing)", False)]
    pieces = [
        (alphabet[k], bool(k != wanted))
        for k, wanted in zip(reading.digits, reading.label, strict=True)
        if k < len(alphabet)
    ]
    return [(f"{label or '(nothing)'}  read as  ", False), *(pieces or [("(nothing)", False)])]


def _draw_strip(draw, box, caption, font, *, is_right: bool) -> None:
    left, top, _, bottom = box
    draw.rectangle(box, fill=_PAPER if is_right else _INK)
    _draw_mark(draw, left + _MARK_PX // 2, (top + bottom - _MARK_PX) // 2, is_right=is_right)
    ink = _INK if is_right else _PAPER
    x, baseline = left + 2 * _MARK_PX, bottom - 8
    for text, is_underlined in caption:
        draw.text((x, baseline), text, fill=ink, font=font, anchor="ls")
        end = x + font.getlength(text)
        if is_underlined:
            draw.line((x, baseline + 4, end - 1, baseline + 4), fill=ink, width=2)
        x = end


def _draw_mark(draw, left: int, top: int, *, is_right: bool) -> None:
    """A tick or a cross: the default font has neither."""
    right, bottom, middle = left + _MARK_PX, top + _MARK_PX, top + _MARK_PX // 2
    if is_right:
        points = [(left, middle), (left + _MARK_PX // 3, bottom - 1), (right, top)]
        draw.line(points, fill=_RIGHT, width=3)
        return
    draw.line((left, top, right, bottom), fill=_WRONG, width=3)
    draw.line((left, bottom, right, top), fill=_WRONG, width=3)

"""How much of each character of a captcha is left to be seen, measured from how it was drawn.

The captcha is drawn again from the same random words with parts left out or coloured otherwise: a
character alone, white on black; dots and curve alone; the text without them; the paper. What the
warp and the picture's edge cut away is drawn nowhere: for that each glyph is turned and warped here
once more, by Pillow, on a page that is large enough.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.known_captcha import KnownCaptcha
from data_gen.fast_renderer import fast_renderer
from data_gen.glyphs import load_glyphs
from data_gen.kernels import layout
from data_gen.random_words import at_character, below
from data_gen.style import Style

_INK = 128  # Of 255, from where a pixel of a white character on black is its ink.
_WORD = 2.0**-32


class Visibility(NamedTuple):
    """Of each character of a captcha; float64 [L], L its length."""

    overlapped: np.ndarray  # Share of its ink where another character has ink too.
    dotted: np.ndarray  # Share of its ink that lies under dots or curve.
    cut: np.ndarray  # Share of its ink that fell outside its box or the picture.
    contrast: np.ndarray  # Levels of 255 between its ink and the paper, as smoothed as the picture.


class VisibilityMeasure:
    """Measures captchas of one style."""

    def __init__(self, style: Style):
        self._style = style
        plain = {
            "text_colour": (0, 255),
            "text_opacity": (255, 255),
            "colour_per_character": True,
        }
        black = {"background": "plain", "background_paths": (), "background_colour": (0, 0)}
        bare = {"num_dots": (0, 0), "num_curves": (0, 0)}
        change = dataclasses.replace
        self._alone = fast_renderer(change(style, **plain, **black, **bare, smooth=False))
        self._marks = fast_renderer(change(style, **plain, **black, smooth=False))
        self._text = fast_renderer(change(style, **bare))
        self._paper = fast_renderer(change(style, **plain, **bare))
        glyphs = load_glyphs(style)
        self._table = glyphs.table.reshape(-1, len(style.alphabet), layout.GLYPH_COLUMNS)
        self._pool, self._spacers = glyphs.pool, glyphs.spacers

    def measure(self, known: KnownCaptcha) -> Visibility:
        """Measures one captcha; it must be of the style."""
        label, positions = known.label, range(len(known.label))
        # The library pastes text as opaque as it is bright: black text leaves no trace.
        invisible = known.words.copy()
        for position in positions:
            at = at_character(position) + layout.OF_COLOUR
            invisible[at : at + 4] = 0
        inks = np.stack([self._ink(label, invisible, position) for position in positions])
        marks = invisible.copy()
        marks[layout.TEXT : layout.TEXT + 4] = 2**32 - 1
        dotted = self._marks.render_words(label, marks)[..., 0] >= _INK  # [H, W]
        overlapped = inks.sum(axis=0) > 1
        text = self._text.render_words(label, known.words).astype(np.int16)
        paper = self._paper.render_words(label, invisible)
        contrast = np.abs(text - paper).mean(axis=-1)  # [H, W]
        areas = np.maximum(1, inks.sum(axis=(1, 2)))
        return Visibility(
            overlapped=(inks & overlapped).sum(axis=(1, 2)) / areas,
            dotted=(inks & dotted).sum(axis=(1, 2)) / areas,
            cut=self._cuts(known),
            contrast=(inks * contrast).sum(axis=(1, 2)) / areas,
        )

    def _ink(self, label: str, invisible: np.ndarray, position: int) -> np.ndarray:
        words = invisible.copy()
        at = at_character(position) + layout.OF_COLOUR
        words[at : at + 4] = 2**32 - 1
        return self._alone.render_words(label, words)[..., 0] >= _INK

    def boxes(self, known: KnownCaptcha) -> list[tuple[int, np.ndarray, int]]:
        """Where the characters are placed, as `kernels/text.py` does.

        Returns:
          Of each the left side of its box, its row in the table of glyphs, and how many pixels
          there are from that side to the right edge of the page.
        """
        rows, gaps = [], []
        for position, char in enumerate(known.label):
            words = known.words[at_character(position) :]
            font = below(words[layout.OF_GLYPH], len(self._spacers))
            rows.append(self._table[font, self._style.alphabet.index(char)])
            has_gap = words[layout.OF_GAP] * _WORD > 1 - self._style.gap_probability
            spacer = below(words[layout.OF_SPACER], len(self._spacers))
            gaps.append(int(self._spacers[spacer]) if has_gap else 0)
        text_width = sum(int(row[layout.GLYPH_WIDTH]) for row in rows) + sum(gaps)
        right_edge = max(text_width, self._style.width_px)
        average = int(text_width / len(rows))
        most_shifted = int(self._style.overlap * average) + 1
        left, boxes = int(average * 0.1), []
        for position, (row, gap) in enumerate(zip(rows, gaps, strict=True)):
            words = known.words[at_character(position) :]
            if gap:
                left += gap - below(words[layout.OF_SPACER_SHIFT], most_shifted)
            boxes.append((left, row, right_edge - left))
            left += int(row[layout.GLYPH_WIDTH])
            left -= below(words[layout.OF_GLYPH_SHIFT], most_shifted)
        return boxes

    def _cuts(self, known: KnownCaptcha) -> np.ndarray:
        return np.array(
            [
                self._cut(row, known.words[at_character(position) + layout.OF_GLYPH :], room_px)
                for position, (_, row, room_px) in enumerate(self.boxes(known))
            ]
        )

    def _cut(self, row: np.ndarray, words: np.ndarray, room_px: int) -> float:
        """Share of a glyph's ink outside its warped box, or outside the picture."""
        style, (mask_width, mask_height) = self._style, row[layout.GLYPH_MASK_WIDTH :][:2].tolist()
        width, height = row[layout.GLYPH_WIDTH :][:2].tolist()
        x1, x2 = _shifts(width, words[[4, 6, 8]], style.warp_x)
        y1, y2 = _shifts(height, words[[5, 7, 9]], style.warp_y)
        size = width + abs(x1) + abs(x2), height + abs(y1) + abs(y2)
        at = int(row[layout.GLYPH_AT])
        mask = self._pool[at : at + (mask_width + 2) * (mask_height + 2)]
        mask = mask.reshape(mask_height + 2, mask_width + 2)[1:-1, 1:-1]
        low, high = style.rotation_degrees
        turned = Image.fromarray(np.ascontiguousarray(mask)).rotate(
            low + words[3] * _WORD * (high - low), Image.Resampling.BILINEAR, expand=True
        )
        pixels = turned.resize(size)
        corners = (x1, y1), (-x1, size[1] - y2), (size[0] + x2, size[1] + y2), (size[0] - x2, -y1)
        inside = Image.new("1", size)
        ImageDraw.Draw(inside).polygon(corners, fill=1)
        ink = np.asarray(pixels, np.float64)
        in_box = (ink * np.asarray(inside)).sum() / max(1.0, ink.sum())
        box = pixels.transform((width, height), Image.Transform.QUAD, sum(corners, ()))
        drawn = np.asarray(box, np.float64)
        top = int((style.height_px - height) / 2)
        on_page = drawn[max(0, -top) : style.height_px - top, : max(0, room_px)]
        return 1 - in_box * on_page.sum() / max(1.0, drawn.sum())


def _shifts(side: int, words: np.ndarray, warp: tuple[float, float]) -> tuple[int, int]:
    """As `kernels/glyph.py` moves corners along one axis: whole pixels."""
    most = side * (words[0] * _WORD) * (warp[1] - warp[0]) + warp[0]
    return tuple(int(word * _WORD * (most + most) - most) for word in words[1:])

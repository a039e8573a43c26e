"""The confusion matrix as a picture: which character was read as which."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_PAPER, _INK, _GRID, _FAINT = (255, 255, 255), (31, 35, 40), (226, 229, 233), (110, 118, 129)
_RIGHT, _WRONG = np.array([8, 81, 156]), np.array([178, 34, 24])
_SIZE_PX = 960  # Of the cells of a large matrix together.
_MAX_CELL_PX, _MIN_CELL_PX = 52, 16
_MIN_COUNT_FONT_PX = 9  # Smaller counts are not drawn.
_WRONG_POWER = 0.4  # Lifts a share of 1 % to 16 % of the colour, so that rare mistakes show.
_NUM_LISTED = 6


def draw_confusion(matrix: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Draws `matrix`: a row a true class, a column what was read, dark where frequent in its row.

    Right of a row stand the share that was read right, and how many there are; under the matrix
    the most frequent mistakes. A count that does not fit its cell is given in thousands.

    Args:
      matrix: int `[K, K]`; row i, column j: how often class i was read as class j.
      names: Of the K classes.

    Returns:
      uint8 `[height, width, 3]`. Equal arguments give equal pixels under the pinned packages.
    """
    num_classes = len(names)
    cell = max(_MIN_CELL_PX, min(_MAX_CELL_PX, _SIZE_PX // num_classes))
    label_font = ImageFont.load_default(size=max(11, min(17, cell * 0.55)))
    title_font = ImageFont.load_default(size=17)
    widest = max(label_font.getlength(name) for name in names)
    left, top = round(widest) + 50, 68 + (round(widest) if widest > cell else 18)
    totals, size = matrix.sum(axis=1), num_classes * cell
    listed = _most_frequent(matrix, names)
    right = int(np.trace(matrix))
    title = f"{right:,} of {int(matrix.sum()):,} characters read right"
    width = max(
        left + size + 154,
        24 + round(max(title_font.getlength(title), label_font.getlength(listed))),
    )
    sheet = Image.new("RGB", (width, top + size + 46), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((12, 12), title, fill=_INK, font=title_font)
    draw.text((left + size / 2, 44), "read as", fill=_FAINT, font=label_font, anchor="ma")
    _draw_upwards(sheet, "truth", (12, top + size // 2), label_font, _FAINT)
    for x, text in ((62, "right"), (140, "number")):
        draw.text((left + size + x, top - 6), text, fill=_FAINT, font=label_font, anchor="rs")
    for index, name in enumerate(names):
        middle = index * cell + cell / 2
        draw.text((left - 8, top + middle), name, fill=_INK, font=label_font, anchor="rm")
        if label_font.getlength(name) > cell:
            center = (left + round(middle) - 8, top - 6 - round(widest) // 2)
            _draw_upwards(sheet, name, center, label_font, _INK)
        else:
            draw.text((left + middle, top - 6), name, fill=_INK, font=label_font, anchor="ms")
        share = f"{matrix[index, index] / totals[index]:.1%}" if totals[index] else "-"
        for x, text in ((62, share), (140, f"{totals[index]:,}")):
            at = (left + size + x, top + middle)
            draw.text(at, text, fill=_INK, font=label_font, anchor="rm")
    _draw_cells(draw, matrix, left, top, cell)
    draw.text((12, top + size + 16), listed, fill=_INK, font=label_font)
    return np.asarray(sheet)


def _draw_cells(draw: ImageDraw.ImageDraw, matrix: np.ndarray, left: int, top: int, cell: int):
    font_size = min(15, round(cell * 0.38))
    font = ImageFont.load_default(size=font_size)
    totals = matrix.sum(axis=1)
    for (row, column), count in np.ndenumerate(matrix):
        x, y = left + column * cell, top + row * cell
        share = count / totals[row] if totals[row] else 0.0
        colour, depth = (_RIGHT, share) if row == column else (_WRONG, share**_WRONG_POWER)
        fill = np.rint(np.array(_PAPER) * (1 - depth) + colour * depth).astype(int)
        draw.rectangle((x, y, x + cell, y + cell), fill=tuple(fill), outline=_GRID)
        if count and font_size >= _MIN_COUNT_FONT_PX:
            text = str(count)
            if font.getlength(text) > cell - 4:
                text = f"{round(count / 1000)}k"
            ink = _PAPER if depth > 0.5 else _INK
            at = (x + cell / 2 + 0.5, y + cell / 2 + 0.5)
            draw.text(at, text, fill=ink, font=font, anchor="mm")


def _draw_upwards(sheet: Image.Image, text: str, center: tuple[int, int], font, fill) -> None:
    """Draws `text` from bottom to top, its left edge at `center[0]`."""
    strip = Image.new("RGB", (round(font.getlength(text)) + 2, sum(font.getmetrics())), _PAPER)
    ImageDraw.Draw(strip).text((0, 0), text, fill=fill, font=font)
    strip = strip.rotate(90, expand=True)
    sheet.paste(strip, (center[0], center[1] - strip.height // 2))


def _most_frequent(matrix: np.ndarray, names: Sequence[str]) -> str:
    wrong = matrix * (1 - np.eye(len(names), dtype=matrix.dtype))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_NUM_LISTED]
    listed = [
        f"{names[row]} as {names[column]} ({wrong[row, column]:,})"
        for row, column in zip(*np.unravel_index(order, wrong.shape), strict=True)
        if wrong[row, column]
    ]
    return f"most frequent mistakes: {', '.join(listed)}" if listed else "no mistakes"

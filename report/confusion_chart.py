"""The confusion matrix as SVG: rows are the truth, columns the reading, cells have their counts."""

import math
from collections.abc import Sequence

import numpy as np

from report.svg_marks import number
from report.wording import count, escape, percent, short_count

MOST_WIDE = 12  # Classes whose cells are wide, in a drawing of half a page.
_MARGIN_PX = 66  # Left and above: room for the name "blank".
_LEGEND_PX = 44  # Below.
_LEVELS = 5  # Shades of a wrong cell: classes wrong1 (once) to wrong5 in page_style.py.


def confusion_chart(identity: str, counts: np.ndarray, names: Sequence[str]) -> str:
    """Draws a K x K matrix; its size grows with K, so that the counts stay legible.

    Args:
      identity: Unique on the page; of letters, digits and "-".
      counts: int `[K, K]`, see `statistics.confusion_counts`.
      names: K names of classes, a character each but for "blank".

    Returns:
      An <svg> element. Cells of 0 are left empty, right ones have the page's colour of what is
      right, wrong ones a shade by the logarithm of their count. Each says what it is on hovering.
    """
    is_small = len(names) <= MOST_WIDE
    cell = 44 if is_small else 26
    side = cell * len(names)
    # A large matrix is scrolled: its names stand at all four sides.
    far = 6 if is_small else _MARGIN_PX
    width, height = _MARGIN_PX + side + far, _MARGIN_PX + side + far + _LEGEND_PX
    most = int((counts - np.diag(np.diag(counts))).max())
    parts = [
        f'<svg class="matrix {"small" if is_small else "large"}" id="{identity}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-labelledby="{identity}-title {identity}-desc">',
        f'<title id="{identity}-title">Confusion matrix of {len(names)} classes</title>',
        f'<desc id="{identity}-desc">{escape(_description(counts))}</desc>',
        f'<text class="label" x="{_MARGIN_PX}" y="14">read as →</text>',
        f'<text class="label" x="0" y="{_MARGIN_PX - 10}">truth ↓</text>',
    ]
    for index, name in enumerate(names):
        middle = _MARGIN_PX + (index + 0.5) * cell
        parts.append(_column_name(name, middle, _MARGIN_PX - 10, up=True))
        parts.append(_row_name(name, _MARGIN_PX - 10, middle, "end"))
        if not is_small:
            parts.append(_column_name(name, middle, _MARGIN_PX + side + 20, up=False))
            parts.append(_row_name(name, _MARGIN_PX + side + 10, middle, "start"))
    totals = counts.sum(axis=1)
    for row, column in np.argwhere(counts).tolist():
        times, total = int(counts[row, column]), int(totals[row])
        kind = "right" if row == column else f"wrong{_level(times, most)}"
        x, y = _MARGIN_PX + column * cell, _MARGIN_PX + row * cell
        parts.append(
            f'<g class="{kind}"><title>{escape(names[row])} read as {escape(names[column])}: '
            f"{count(times)} of {count(total)} ({percent(times / total)})</title>"
            f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}"/>'
            f'<text class="cell" x="{number(x + cell / 2)}" y="{number(y + cell / 2)}" dy="4">'
            f"{short_count(times)}</text></g>"
        )
    lines = [
        f"M{_MARGIN_PX + index * cell} {_MARGIN_PX} v{side} "
        f"M{_MARGIN_PX} {_MARGIN_PX + index * cell} h{side}"
        for index in range(len(names) + 1)
    ]
    parts.append(f'<path class="grid" d="{" ".join(lines)}"/>')
    parts.append(_legend(most, height - _LEGEND_PX / 2 + 4))
    return "".join(parts) + "</svg>"


def _column_name(name: str, x: float, y: float, *, up: bool) -> str:
    if len(name) <= 2:
        return f'<text class="class middle" x="{number(x)}" y="{y}">{escape(name)}</text>'
    # Turned, or it would run into its neighbours.
    turned = f'transform="rotate(-90 {number(x)} {y})"'
    anchor = "start" if up else "end"
    return f'<text class="class {anchor}" x="{number(x)}" y="{y}" dy="5" {turned}>{name}</text>'


def _row_name(name: str, x: float, y: float, anchor: str) -> str:
    return (
        f'<text class="class {anchor}" x="{x}" y="{number(y)}" dy="5" direction="ltr">'
        f"{escape(name)}</text>"
    )


def _legend(most: int, y: float) -> str:
    """What the colours mean: right, and from one mistake to the most frequent one."""
    size, x = 16, _MARGIN_PX
    parts = [
        _swatch("right", x, y, size),
        f'<text class="legend" x="{x + 24}" y="{y}">right</text>',
    ]
    if most:
        used = sorted({_level(times, most) for times in range(1, min(most, 10_000) + 1)})
        x += 78
        parts.append(f'<text class="legend end" x="{x + 68}" y="{y}">wrong: once</text>')
        for level in used:
            parts.append(_swatch(f"wrong{level}", x + 76 + used.index(level) * size, y, size))
        if most > 1:
            x += 84 + len(used) * size
            parts.append(f'<text class="legend" x="{x}" y="{y}">{count(most)} times</text>')
    return "".join(parts)


def _swatch(kind: str, x: float, y: float, size: int) -> str:
    return f'<g class="{kind}"><rect x="{x}" y="{y - 12}" width="{size}" height="{size}"/></g>'


def _level(times: int, most: int) -> int:
    """1 for a single mistake to `_LEVELS` for the most frequent, by the logarithm."""
    return 1 if most == 1 else 1 + round((_LEVELS - 1) * math.log(times) / math.log(most))


def _description(counts: np.ndarray) -> str:
    wrong = int(counts.sum() - np.trace(counts))
    return (
        f"Rows are the truth, columns what was read. {count(wrong)} of {count(int(counts.sum()))} "
        "are off the diagonal; the table of the most frequent confusions names them."
    )

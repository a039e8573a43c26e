"""Charts as SVG text: axes, ticks, labels, a legend, and marks over them. No script, no library.

Colours are the page's, by class (`page_style.py`): a mark of class "eval" has the colour --eval.
Equal arguments give equal text.
"""

from collections.abc import Sequence

from report.axis import Axis
from report.svg_marks import Mark, number
from report.wording import escape

_WIDTH_PX, _HEIGHT_PX = 520, 280
_LEFT, _RIGHT, _BOTTOM = 58, 24, 46
_TOP = 26  # The y axis' label; a legend takes a line more.
_LEGEND_PX = 20
_CHARACTER_PX = 6.3  # Of the legend's font, about: SVG cannot measure text.
_SWATCH_PX = 24


def chart(
    identity: str,
    title: str,
    description: str,
    x_axis: Axis,
    y_axis: Axis,
    marks: Sequence[Mark],
    *,
    height_px: int = _HEIGHT_PX,
) -> str:
    """Draws `marks`, in order, over two axes.

    Args:
      identity: Unique on the page; of letters, digits and "-".
      title: For those who do not see it.
      description: What it shows, for them too.
      x_axis: Across.
      y_axis: Upwards.
      marks: What lies outside the axes is cut off.
      height_px: Without scaling: a page may draw it smaller.

    Returns:
      An <svg> element.
    """
    named = [mark for mark in marks if mark.name]
    top = _TOP + (_LEGEND_PX if named else 0)
    frame = _Frame(x_axis, y_axis, top=top, bottom=height_px - _BOTTOM)
    parts = [
        f'<svg class="chart" id="{identity}" viewBox="0 0 {_WIDTH_PX} {height_px}" role="img" '
        f'aria-labelledby="{identity}-title {identity}-desc">',
        f'<title id="{identity}-title">{escape(title)}</title>',
        f'<desc id="{identity}-desc">{escape(description)}</desc>',
        # Dots on the edge are drawn whole.
        f'<clipPath id="{identity}-clip"><rect x="{_LEFT - 5}" y="{top - 5}" '
        f'width="{_WIDTH_PX - _LEFT - _RIGHT + 10}" height="{frame.bottom - top + 10}"/>'
        "</clipPath>",
        frame.draw(),
        _legend(named),
        f'<g clip-path="url(#{identity}-clip)">',
        *(mark.draw(frame) for mark in marks),
        "</g></svg>",
    ]
    return "".join(parts)


class _Frame:
    """The rectangle between the axes: values to pixels."""

    def __init__(self, x_axis: Axis, y_axis: Axis, *, top: float, bottom: float):
        self._x_axis, self._y_axis = x_axis, y_axis
        self.top, self.bottom = top, bottom

    def x(self, value: float) -> float:
        return _LEFT + self._x_axis.place(value) * (_WIDTH_PX - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return self.bottom - self._y_axis.place(value) * (self.bottom - self.top)

    def draw(self) -> str:
        """Grid, ticks and labels."""
        right, bottom = _WIDTH_PX - _RIGHT, self.bottom
        grid, texts = [], []
        for value, text in self._y_axis.ticks:
            y = number(self.y(value))
            grid.append(f"M{_LEFT} {y} H{right}")
            texts.append(
                f'<text class="tick end" x="{_LEFT - 8}" y="{y}" dy="4">{escape(text)}</text>'
            )
        for value, text in self._x_axis.ticks:
            x = number(self.x(value))
            grid.append(f"M{x} {bottom} v5")
            texts.append(
                f'<text class="tick middle" x="{x}" y="{bottom + 18}">{escape(text)}</text>'
            )
        return (
            f'<path class="grid" d="{" ".join(grid)}"/>'
            f'<path class="base" d="M{_LEFT} {bottom} H{right}"/>'
            f"{''.join(texts)}"
            f'<text class="label" x="0" y="12">{escape(self._y_axis.label)}</text>'
            f'<text class="label end" x="{right}" y="{bottom + 38}">'
            f"{escape(self._x_axis.label)}</text>"
        )


def _legend(marks: Sequence[Mark]) -> str:
    parts, x = [], _LEFT
    for mark in marks:
        parts.append(mark.swatch(x, 28))
        parts.append(f'<text class="legend" x="{number(x + _SWATCH_PX)}" y="32">')
        parts.append(f"{escape(mark.name)}</text>")
        x += _SWATCH_PX + len(mark.name) * _CHARACTER_PX + 18
    return "".join(parts)

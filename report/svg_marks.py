"""What is drawn over the axes of a chart: lines, bands, dots with intervals, bars.

Each mark has a `kind`, a class of page_style.py that gives its colour, and a `name` for the legend,
"" for no entry.
"""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import Protocol

from report.wording import escape


class Frame(Protocol):
    """Where values lie in the picture."""

    def x(self, value: float) -> float:
        """Pixels from the left."""

    def y(self, value: float) -> float:
        """Pixels from the top."""


def number(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
    """Points joined in order; where `y` is not finite the line is broken."""

    x: Sequence[float]
    y: Sequence[float]
    kind: str  # Its class.
    name: str = ""  # In the legend; "" for no entry.
    dots: bool = False  # A dot on every point, so that few of them are seen.

    def draw(self, frame: Frame) -> str:
        """The mark as SVG."""
        points = [
            (frame.x(x), frame.y(y)) if math.isfinite(y) else None
            for x, y in zip(self.x, self.y, strict=True)
        ]
        path = " ".join(
            "M" + " L".join(f"{number(x)} {number(y)}" for x, y in run)
            for is_point, run in itertools.groupby(points, key=lambda point: point is not None)
            if is_point
        )
        text = f'<path class="line {self.kind}" d="{path}"/>' if path else ""
        # A single point is no line to be seen.
        if self.dots or sum(point is not None for point in points) == 1:
            text += "".join(
                f'<circle class="dot {self.kind}" cx="{number(x)}" cy="{number(y)}" r="3"/>'
                for x, y in filter(None, points)
            )
        return text

    def swatch(self, x: float, y: float) -> str:
        """Its sign in the legend."""
        dot = f'<circle class="dot {self.kind}" cx="{number(x + 9)}" cy="{number(y)}" r="3"/>'
        line = f'<path class="line {self.kind}" d="M{number(x)} {number(y)} h18"/>'
        return line + (dot if self.dots else "")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Band:
    """The area between two lines over the same `x`."""

    x: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    kind: str
    name: str = ""

    def draw(self, frame: Frame) -> str:
        """The mark as SVG."""
        there = zip(self.x, self.high, strict=True)
        back = reversed(list(zip(self.x, self.low, strict=True)))
        points = " ".join(
            f"{number(frame.x(x))},{number(frame.y(y))}" for x, y in itertools.chain(there, back)
        )
        return f'<polygon class="band {self.kind}" points="{points}"/>'

    def swatch(self, x: float, y: float) -> str:
        """Its sign in the legend."""
        return (
            f'<rect class="band {self.kind}" x="{number(x)}" y="{number(y - 5)}" '
            'width="18" height="10"/>'
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dots:
    """Points with the interval in which each may lie."""

    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    kind: str
    name: str = ""
    texts: Sequence[str] = ()  # Below each interval.

    def draw(self, frame: Frame) -> str:
        """The mark as SVG."""
        parts = []
        for x, y, low, high in zip(self.x, self.y, self.low, self.high, strict=True):
            left, top, bottom = frame.x(x), frame.y(high), frame.y(low)
            whisker = f"M{number(left)} {number(top)} V{number(bottom)}"
            for end in (top, bottom):
                whisker += f" M{number(left - 4)} {number(end)} h8"
            parts.append(f'<path class="whisker {self.kind}" d="{whisker}"/>')
            parts.append(
                f'<circle class="dot {self.kind}" cx="{number(left)}" cy="{number(frame.y(y))}" '
                'r="4"/>'
            )
        for x, low, text in zip(self.x, self.low, self.texts, strict=False):
            parts.append(
                f'<text class="value middle" x="{number(frame.x(x))}" '
                f'y="{number(frame.y(low) + 16)}">'
                f"{escape(text)}</text>"
            )
        return "".join(parts)

    def swatch(self, x: float, y: float) -> str:
        """Its sign in the legend."""
        return (
            f'<path class="whisker {self.kind}" d="M{number(x + 9)} {number(y - 7)} v14"/>'
            f'<circle class="dot {self.kind}" cx="{number(x + 9)}" cy="{number(y)}" r="4"/>'
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bars:
    """Bars from 0, one between each two edges."""

    edges: Sequence[float]  # One more than bars, rising.
    y: Sequence[float]
    kind: str
    name: str = ""
    texts: Sequence[str] = ()  # Above each bar.

    def draw(self, frame: Frame) -> str:
        """The mark as SVG."""
        parts = []
        for (left, right), y in zip(itertools.pairwise(self.edges), self.y, strict=True):
            start, width = frame.x(left) + 1, frame.x(right) - frame.x(left) - 2
            # What is there is seen, however little it is.
            height = max(frame.y(0) - frame.y(y), 1) if y else 0
            parts.append(
                f'<rect class="bar {self.kind}" x="{number(start)}" '
                f'y="{number(frame.y(0) - height)}" width="{number(width)}" '
                f'height="{number(height)}"/>'
            )
        for (left, right), y, text in zip(
            itertools.pairwise(self.edges), self.y, self.texts, strict=False
        ):
            middle = number((frame.x(left) + frame.x(right)) / 2)
            parts.append(
                f'<text class="tick middle" x="{middle}" y="{number(frame.y(y) - 5)}">'
                f"{escape(text)}</text>"
            )
        return "".join(parts)

    def swatch(self, x: float, y: float) -> str:
        """Its sign in the legend."""
        return (
            f'<rect class="bar {self.kind}" x="{number(x)}" y="{number(y - 5)}" width="18" '
            'height="10"/>'
        )


Mark = Line | Band | Dots | Bars

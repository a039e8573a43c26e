"""How nearly measurements lie on a straight line."""

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Line:
    """y = intercept + slope * x, and how far the measured y lie from it."""

    slope: float
    intercept: float
    largest_deviation: float  # Of what the line says there: 0.1 is 10 %.


def fit_line(xs: Sequence[float], ys: Sequence[float]) -> Line:
    """The line whose largest relative deviation is small: least squares of (y - line) / y.

    With squares of y - line alone, the largest of n from 10,000 to 1,000,000 would decide it all.

    Raises:
      ValueError: If there are fewer than 3 points, through 2 of which a line always goes.
    """
    if len(xs) < 3:
        raise ValueError(
            f"a line must be held to 3 points or more, received {len(xs)}. Measure more."
        )
    x, y = np.asarray(xs, float), np.asarray(ys, float)
    slope, intercept = np.polyfit(x, y, 1, w=1 / y)
    said = intercept + slope * x
    return Line(float(slope), float(intercept), float(np.max(np.abs(y - said) / said)))

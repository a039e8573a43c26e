"""`ImageDraw.arc`, for the angles that the library draws."""

import math

import numpy as np

from data_gen.kernels.arithmetic import rounded_away
from data_gen.kernels.compiling import compiled


@compiled
def draw_arc(x1, y1, x2, y2, start, end, thickness, colour, width, height, page):
    """Draws the arc of an ellipse.

    Args:
      x1: Of the box of the ellipse, in pixels; so are y1, x2 and y2.
      y1: See there.
      x2: See there.
      y2: See there.
      start: Degrees, clockwise from the right, in [0, 20].
      end: Degrees in [160, 200].
      thickness: Pixels.
      colour: int64 [4], opacity, red, green, blue.
      width: Pixels of the page.
      height: Pixels of it.
      page: uint8 [height * width * 3].
    """
    # As in Pillow, on a grid of step 2 around the middle, so that half sizes are whole.
    a, b = x2 - x1, y2 - y1
    center_x, center_y = 2 * x1 + a, 2 * y1 + b
    ends = _lines_across_ends(a, b, start, end)
    outer, inner = np.empty(5, np.int64), np.empty(5, np.int64)
    _begin_quarter(outer, a, b)
    _begin_quarter(inner, a - 2 * (thickness - 1), b - 2 * (thickness - 1))
    next_left = a % 2
    more, next_right, next_y = _next_point(outer)
    while more:
        y, left, right = next_y, next_left, next_right
        more, next_right, next_y = _next_point(outer)
        while more and next_y <= y:
            more, next_right, next_y = _next_point(outer)
        inside, x, row = _next_point(inner)
        while inside and row <= y:
            left = x
            inside, x, row = _next_point(inner)
        next_left = x if inside else a % 2
        for side in (1, -1):  # Below the middle, above it.
            if side == -1 and y == 0:
                continue
            for part in (1, -1):  # Right of it, left of it.
                from_x, to_x = (2 if left == 0 else left, right) if part == 1 else (-right, -left)
                if part == -1 or left > 0 or left < right:
                    for end_number in range(2):
                        line_left, line_right = _clipped(
                            ends, end_number, a < b, start, end, from_x, side * y, to_x
                        )
                        if line_left <= line_right:
                            _paint(
                                (center_x + line_left) >> 1, (center_y + side * y) >> 1,
                                (center_x + line_right) >> 1, colour, width, height, page,
                            )  # fmt: skip


@compiled
def _paint(left, y, right, colour, width, height, page):
    if 0 <= y < height:
        for x in range(max(left, 0), min(right, width - 1) + 1):
            for channel in range(3):
                page[(y * width + x) * 3 + channel] = colour[channel + 1]


@compiled
def _lines_across_ends(a, b, start, end):
    """Of the two half-planes where a x + b y + c > 0, between whose lines the arc lies: a, b, c."""
    upright = a < b
    long, short = float(max(a, b)), float(min(a, b))
    lines = np.empty(6, np.float64)
    # An upright ellipse is clipped as if it lay on its side.
    angles = (450.0 - end, 450.0 - start) if upright else (float(start), float(end))
    for j in range(2):
        sign = 1.0 if j == 0 else -1.0
        turn = angles[j] * math.pi / 180.0
        across, along = -sign * long * math.sin(turn), sign * short * math.cos(turn)
        lines[j * 3], lines[j * 3 + 1] = (along, across) if upright else (across, along)
        twice = math.sin(angles[j] * math.pi / 90.0)
        lines[j * 3 + 2] = sign * (long * long - short * short) * twice / 2.0
    return lines


@compiled
def _clipped(ends, number, upright, start, end, left, y, right):
    """One of the two parts of [left, right] that belong to the arc; none if left > right.

    ImageDraw has a tree of half-planes, other ones for other angles; these are its cases here.
    """
    one_left, one_right = _clip(ends[0], ends[1], ends[2], left, y, right)
    two_left, two_right = _clip(ends[3], ends[4], ends[5], left, y, right)
    if upright or (start > 0 and end > 180):
        # Each end clips its own half: the first one left of the middle, or below it.
        sign = 1.0 if number == 0 else -1.0
        half_x, half_y = (-sign, 0.0) if upright else (0.0, sign)
        half_left, half_right = _clip(half_x, half_y, 0.0, left, y, right)
        if number == 0:
            return max(one_left, half_left), min(one_right, half_right)
        return max(two_left, half_left), min(two_right, half_right)
    if end - start >= 180:
        return (one_left, one_right) if number == 0 else (two_left, two_right)
    if number == 1 or (y < 0 and start > 0 and end < 180):
        return 1, 0
    return max(one_left, two_left), min(one_right, two_right)


@compiled
def _clip(a, b, c, left, y, right):
    """The part of [left, right] in row y where a x + b y + c > 0; none if left > right."""
    epsilon = 1e-9
    if abs(a) < epsilon:
        return (1, 0) if b * y + c < -epsilon else (left, right)
    crossing = -(b * y + c) / a
    if a * left + b * y + c < epsilon:
        left = rounded_away(max(float(left), crossing))
    if a * right + b * y + c < epsilon:
        right = rounded_away(min(float(right), crossing))
    return left, right


@compiled
def _begin_quarter(quarter, a, b):
    """Begins a quarter of an ellipse: half sizes, next x, next y, whether there is a next one."""
    quarter[0], quarter[1] = a, b
    quarter[2], quarter[3] = a, b % 2
    quarter[4] = 1 if a >= 0 and b >= 0 else 0


@compiled
def _next_point(quarter):
    """The next point, from the far right to the middle: whether there is one, x, y."""
    x, y = quarter[2], quarter[3]
    if quarter[4] == 0:
        return False, x, y
    if x == quarter[0] % 2 and y == quarter[1]:
        quarter[4] = 0
        return True, x, y
    # Bresenham: of three neighbours the nearest to the ellipse, the first of equals.
    quarter[3] = y + 2
    if x > 1:
        best = _error(quarter, x, y + 2)
        error = _error(quarter, x - 2, y + 2)
        if error < best:
            best, quarter[2] = error, x - 2
        if _error(quarter, x - 2, y) < best:
            quarter[2], quarter[3] = x - 2, y
    return True, x, y


@compiled
def _error(quarter, x, y):
    across, down = quarter[0] * quarter[0], quarter[1] * quarter[1]
    return abs(across * y * y + down * x * x - across * down)

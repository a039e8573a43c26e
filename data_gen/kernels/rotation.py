"""`Image.rotate(resample=BILINEAR, expand=True)`, of text in one colour, on nothing."""

import math

import numpy as np

from data_gen.kernels.arithmetic import blend, rounded_15, unpremultiplied
from data_gen.kernels.compiling import compiled


@compiled
def fill_inks(colour, inks, premultiplied):
    """What `ImageDraw.text` leaves of each coverage.

    Args:
      colour: int64 [4], opacity, red, green, blue.
      inks: Gets uint8 [256 * 4], red, green, blue and alpha of each coverage.
      premultiplied: Gets float64 [256 * 4], the same, premultiplied by alpha as Pillow rounds it.

    Returns:
      The smallest coverage that leaves a trace.
    """
    lightest = 256
    for level in range(255, -1, -1):
        alpha = blend(level, 0, colour[0])
        if alpha > 0:
            lightest = level
        for channel in range(3):
            inks[level * 4 + channel] = colour[channel + 1] if level > 0 else 0
            premultiplied[level * 4 + channel] = blend(alpha, 0, colour[channel + 1])
        inks[level * 4 + 3] = premultiplied[level * 4 + 3] = alpha
    return lightest


@compiled
def is_right_angle(angle):
    """Whether an angle in [0, 360] is one at which Pillow copies pixels and mixes none."""
    return angle in (0.0, 90.0, 180.0, 270.0)


@compiled
def rotation(angle, width, height):
    """Where a pixel of the turned picture comes from, and the size of that picture.

    Returns:
      cos, sin, shift_x, shift_y: (x, y) comes from (cos x + sin y + shift_x,
      -sin x + cos y + shift_y); new_width, new_height.
    """
    radians = -(angle * (math.pi / 180.0))
    # As Pillow rounds them, so that right angles are right.
    cos, sin = rounded_15(math.cos(radians)), rounded_15(math.sin(radians))
    if is_right_angle(angle):  # Pillow then moves pixels, and the size is exactly the turned one.
        shift_x = float(width) if cos + sin < 0 else 0.0
        shift_y = float(height) if cos - sin < 0 else 0.0
        if cos == 0.0:
            width, height = height, width
        return cos, sin, shift_x, shift_y, width, height
    center_x, center_y = width / 2, height / 2
    offset_x = (cos * -center_x + sin * -center_y) + center_x
    offset_y = (-sin * -center_x + cos * -center_y) + center_y
    low_x = high_x = offset_x
    low_y = high_y = offset_y
    for corner_x, corner_y in ((width, 0), (width, height), (0, height)):
        x = cos * corner_x + sin * corner_y + offset_x
        y = -sin * corner_x + cos * corner_y + offset_y
        low_x, high_x = min(low_x, x), max(high_x, x)
        low_y, high_y = min(low_y, y), max(high_y, y)
    new_width = math.ceil(high_x) - math.floor(low_x)
    new_height = math.ceil(high_y) - math.floor(low_y)
    back_x, back_y = -(new_width - width) / 2.0, -(new_height - height) / 2.0
    shift_x = cos * back_x + sin * back_y + offset_x
    shift_y = -sin * back_x + cos * back_y + offset_y
    return cos, sin, shift_x, shift_y, new_width, new_height


@compiled
def rotate(inks, premultiplied, coverage, width, height, angle, straight, result):
    """Rotates text: bilinear, on premultiplied bytes, truncated.

    Args:
      inks: As `fill_inks` fills it.
      premultiplied: As `fill_inks` fills it.
      coverage: uint8 [(height + 2) * (width + 2)], its edge repeated once all around.
      width: Pixels.
      height: Pixels.
      angle: Degrees in [0, 360], counter-clockwise.
      straight: Whether red, green, blue are wanted as they are and not premultiplied by alpha.
      result: Gets uint8 [new_width * new_height * 4], column after column, see `rotation`.
    """
    cos, sin, shift_x, shift_y, new_width, new_height = rotation(angle, width, height)
    right_angle = is_right_angle(angle)
    step = np.uint64(width + 2)
    for column in range(new_width):
        x_in = column + 0.5
        for row in range(new_height):
            y_in = row + 0.5
            x = cos * x_in + sin * y_in + shift_x
            y = -sin * x_in + cos * y_in + shift_y
            at = (column * new_height + row) * 4
            covered = 0.0 <= x < width and 0.0 <= y < height
            if covered:
                x -= 0.5
                y -= 0.5
                left, top = math.floor(x), math.floor(y)
                # One further, as `coverage` has a margin.
                corner = np.uint64(top + 1) * step + np.uint64(left + 1)
                north_west, north_east = coverage[corner], coverage[corner + np.uint64(1)]
                corner += step
                south_west, south_east = coverage[corner], coverage[corner + np.uint64(1)]
                covered = north_west | north_east | south_west | south_east != 0
            if not covered:
                for channel in range(4):
                    result[at + channel] = 0
                continue
            dx, dy = x - left, y - top
            alpha = 0
            for channel in range(3, -1, -1):
                west = premultiplied[north_west * 4 + channel]
                east = premultiplied[north_east * 4 + channel]
                north = west + (east - west) * dx
                west = premultiplied[south_west * 4 + channel]
                east = premultiplied[south_east * 4 + channel]
                south = west + (east - west) * dx
                value = int(north + (south - north) * dy)
                if channel == 3:
                    alpha = value
                    result[at + 3] = alpha
                    continue
                if right_angle:
                    value = np.int64(inks[north_west * 4 + channel])
                else:
                    value = unpremultiplied(value, alpha)
                result[at + channel] = value if straight else blend(alpha, 0, value)

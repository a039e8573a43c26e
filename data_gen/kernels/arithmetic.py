"""Numbers as Pillow, C and the library round them."""

import numpy as np

from data_gen.kernels.compiling import compiled

WORD = 1.0 / 4294967296.0  # Exact: a random word times this is in [0, 1).
# 255 * value // alpha == 255 * value * _RECIPROCALS[alpha] >> 24 for bytes: no division.
_RECIPROCALS = np.array([1] + [-(-(1 << 24) // alpha) for alpha in range(1, 256)], np.int64)


@compiled
def below(word, bound):
    """The whole number in [0, bound) that a random word of 32 bits stands for."""
    return (np.int64(word) * bound) >> 32


@compiled
def between(word, low, high):
    """The whole number in [low, high] that it stands for."""
    return low + below(word, high - low + 1)


@compiled
def blend(mask, under, over):
    """Pillow's BLEND: `over` laid on `under`, as opaque as `mask` of 255, rounded."""
    sum_ = under * (255 - mask) + over * mask + 128
    return ((sum_ >> 8) + sum_) >> 8


@compiled
def unpremultiplied(value, alpha):
    """Pillow's way from RGBa to RGBA: rounded down, and left as it is where nothing is covered."""
    if alpha == 0:
        return value
    return min((255 * value * _RECIPROCALS[alpha]) >> 24, 255)


@compiled
def rounded_away(value):
    """C's lround: halves go away from zero."""
    whole = int(value)
    rest = value - whole
    if rest >= 0.5:
        return whole + 1
    return whole - 1 if rest <= -0.5 else whole


@compiled
def rounded_15(value):
    """Python's round(value, 15), for [-1, 1]."""
    scaled = value * 1e15
    high, low = _split(value)
    factor_high, factor_low = _split(1e15)
    # What `scaled` lost to rounding (Dekker). The last digit can hang on it, and on that digit on
    # which side of a half the middle of a turned picture falls.
    lost = (high * factor_high - scaled) + high * factor_low + low * factor_high
    lost += low * factor_low
    nearest = np.rint(scaled)
    rest = (scaled - nearest) + lost
    if rest > 0.5:
        nearest += 1.0
    elif rest < -0.5:
        nearest -= 1.0
    return nearest / 1e15


@compiled
def _split(value):
    """A float64 as the sum of two of 26 bits, whose products are exact (Veltkamp)."""
    scaled = value * 134217729.0
    high = scaled - (scaled - value)
    return high, value - high

"""`Image.resize` with BICUBIC as Pillow does it on bytes: along one side, then along the other."""

import math

import numpy as np

from data_gen.kernels.compiling import compiled

_WEIGHT_BITS = 22  # Of Pillow's weights.


@compiled
def resample(lines, line, size_in, size_out, target):
    """Resamples `size_in` lines to `size_out`: each of the result is a weighted sum of some.

    Args:
      lines: uint8 [size_in * line].
      line: Bytes of a line.
      size_in: Lines.
      size_out: Lines.
      target: Gets uint8 [size_out * line].
    """
    firsts, counts, weights, most = _weights(size_in, size_out)
    sums = np.empty(line, np.int32)
    for out in range(size_out):
        for j in range(line):
            sums[j] = 1 << (_WEIGHT_BITS - 1)
        for tap in range(counts[out]):
            weight = weights[out * most + tap]
            # A slice: an index that is plainly in range lets the loop be vectorised.
            source = lines[(firsts[out] + tap) * line : (firsts[out] + tap + 1) * line]
            for j in range(line):
                sums[j] += weight * np.int32(source[j])
        result = target[out * line : (out + 1) * line]
        for j in range(line):
            result[j] = min(max(sums[j] >> _WEIGHT_BITS, 0), 255)


@compiled
def transpose(source, rows, columns, channels, target):
    """Turns uint8 [rows, columns, 3 or 4] into [columns, rows, 3 or 4]; all in one dimension."""
    step = np.uint64(columns * channels)
    for column in range(columns):
        # Unsigned: numba need not ask whether an index counts from the end.
        at = np.uint64(column * channels)
        to = np.uint64(column * rows * channels)
        for _ in range(rows):
            target[to] = source[at]
            target[to + np.uint64(1)] = source[at + np.uint64(1)]
            target[to + np.uint64(2)] = source[at + np.uint64(2)]
            if channels == 4:
                target[to + np.uint64(3)] = source[at + np.uint64(3)]
            at += step
            to += np.uint64(channels)


@compiled
def _weights(size_in, size_out):
    """What each pixel of the result is made of.

    Returns:
      int64 [size_out], the first pixel of the source; int64 [size_out], how many from there on;
      int32 [size_out * most], their weights; `most`.
    """
    scale = size_in / size_out
    filter_scale = max(scale, 1.0)
    support = 2.0 * filter_scale
    most = math.ceil(support) * 2 + 1
    inverse = 1.0 / filter_scale
    firsts, counts = np.empty(size_out, np.int64), np.empty(size_out, np.int64)
    weights, taps = np.empty(size_out * most, np.int32), np.empty(most, np.float64)
    for out in range(size_out):
        center = (out + 0.5) * scale
        first = max(int(center - support + 0.5), 0)
        count = min(int(center + support + 0.5), size_in) - first
        total = 0.0
        for tap in range(count):
            taps[tap] = _cubic((tap + first - center + 0.5) * inverse)
            total += taps[tap]
        for tap in range(count):
            weight = taps[tap] / total * (1 << _WEIGHT_BITS)
            weights[out * most + tap] = int(weight - 0.5) if weight < 0 else int(weight + 0.5)
        firsts[out], counts[out] = first, count
    return firsts, counts, weights, most


@compiled
def _cubic(x):
    """Keys' cubic with a = -0.5, in Pillow's order of operations."""
    x = abs(x)
    if x < 1.0:
        return (1.5 * x - 2.5) * x * x + 1.0
    if x < 2.0:
        return (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5
    return 0.0

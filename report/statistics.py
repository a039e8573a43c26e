"""The numbers of a report, from labels, readings and confidences. NumPy alone.

Shapes: N captchas of L positions, K classes. Where labels vary in length, `blank` is the class that
fills them up.
"""

import dataclasses
import decimal
import fractions

import numpy as np

NUM_BINS = 15  # Of a calibration curve; what Guo et al. (2017) report with.


def characters_right(labels: np.ndarray, digits: np.ndarray, blank: int | None) -> np.ndarray:
    """The share of right characters of each captcha; `model.metrics.character_accuracy` in NumPy.

    Args:
      labels: int `[N, L]`; of each row one at least is not `blank`.
      digits: int `[N, L]`, as read.
      blank: The class that stands for no character; None if all labels have L characters.

    Returns:
      float64 `[N]`.
    """
    counted = _counted(labels, digits, blank)
    return ((labels == digits) & counted).sum(axis=1) / counted.sum(axis=1)


def positions_right(
    labels: np.ndarray, digits: np.ndarray, blank: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """How many characters were read right at each position, and of how many.

    As in `characters_right`, a position counts where label or reading has a character.

    Returns:
      Two int64 `[L]`. Of a position that no captcha reaches both are 0.
    """
    counted = _counted(labels, digits, blank)
    return ((labels == digits) & counted).sum(axis=0), counted.sum(axis=0)


def confusion_counts(labels: np.ndarray, digits: np.ndarray, num_classes: int) -> np.ndarray:
    """int64 `[K, K]`: how often class `row` was read as class `column`, over all positions."""
    cells = labels.astype(np.int64) * num_classes + digits
    return np.bincount(cells.ravel(), minlength=num_classes**2).reshape(num_classes, num_classes)


def most_confused(counts: np.ndarray, limit: int) -> list[tuple[int, int, int]]:
    """(truth, read as, times) of the most frequent wrong cells, the most frequent first.

    Args:
      counts: int `[K, K]`, see `confusion_counts`.
      limit: How many at most; cells of 0 are never listed. Ties stand in the order of the matrix.
    """
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:limit]
    rows, columns = np.unravel_index(order, wrong.shape)
    return [
        (int(row), int(column), int(wrong[row, column]))
        for row, column in zip(rows, columns, strict=True)
        if wrong[row, column]
    ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Calibration:
    """Captchas by confidence, in bins (i / M, (i + 1) / M]; a confidence of 0 is in the first."""

    counts: np.ndarray  # int64 [M]
    num_right: np.ndarray  # int64 [M]
    mean_confidence: np.ndarray  # float64 [M]; NaN in an empty bin.
    ece: float  # Expected calibration error: the mean of |accuracy - confidence|, by count.


def calibration(
    confidences: np.ndarray, right: np.ndarray, num_bins: int = NUM_BINS
) -> Calibration:
    """Compares how sure the network was with how often it was right (Guo et al., 2017).

    ECE = sum over bins b of n_b / N * |accuracy_b - mean confidence_b|: 0 is perfect, 1 the worst.

    Args:
      confidences: float `[N]` in [0, 1].
      right: bool `[N]`.
      num_bins: M, of equal width.
    """
    confidences = confidences.astype(np.float64)
    edges = np.linspace(0, 1, num_bins + 1)
    # Compared with the edges and not multiplied by M: 0.2 * 15 is 3.0000000000000004.
    bins = np.clip(np.searchsorted(edges, confidences, side="left") - 1, 0, num_bins - 1)
    counts = np.bincount(bins, minlength=num_bins)
    num_right = np.bincount(bins[right], minlength=num_bins)
    sums = np.bincount(bins, weights=confidences, minlength=num_bins)
    mean = np.divide(sums, counts, out=np.full(num_bins, np.nan), where=counts > 0)
    return Calibration(
        counts=counts,
        num_right=num_right,
        mean_confidence=mean,
        ece=float(np.abs(num_right - sums).sum() / len(confidences)),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Coverage:
    """What is gained by accepting only the readings of a confidence of at least some threshold.

    An entry a threshold, from the strictest; captchas of equal confidence are accepted together.
    """

    thresholds: np.ndarray  # float64 [T], falling.
    accepted: np.ndarray  # int64 [T], captchas at or above the threshold; the last is N.
    errors: np.ndarray  # int64 [T], of these read wrong.


def coverage_curve(confidences: np.ndarray, right: np.ndarray) -> Coverage:
    """Counts what is accepted and what of it is wrong, for every threshold that differs.

    Args:
      confidences: float `[N]`.
      right: bool `[N]`.
    """
    order = np.argsort(-confidences, kind="stable")
    falling = confidences[order].astype(np.float64)
    is_last_of_equals = np.append(falling[1:] != falling[:-1], True)
    return Coverage(
        thresholds=falling[is_last_of_equals],
        accepted=np.arange(1, len(order) + 1)[is_last_of_equals],
        errors=np.cumsum(~right[order])[is_last_of_equals],
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class AcceptRate:
    """The most captchas that can be accepted at a wanted precision."""

    accepted: int  # 0 if no threshold reaches the precision.
    errors: int
    n: int  # Captchas in all.
    threshold: str | None  # The shortest decimal that accepts exactly these; None if there is none.

    @property
    def rate(self) -> float:
        """The share of captchas accepted, in [0, 1]."""
        return self.accepted / self.n


def accept_rate(curve: Coverage, precision: float) -> AcceptRate:
    """The largest part of `curve` of which at least `precision` is right.

    Args:
      curve: See `coverage_curve`.
      precision: In [0, 1], as people write it: 0.999 is 999 of 1000 and not the float next to it.
    """
    wanted = fractions.Fraction(str(precision))
    # Whole numbers, as 0.999 * accepted can lie above the integer that it should be.
    right = curve.accepted - curve.errors
    is_enough = right * wanted.denominator >= curve.accepted * wanted.numerator
    n = int(curve.accepted[-1])
    if not is_enough.any():
        return AcceptRate(accepted=0, errors=0, n=n, threshold=None)
    last = int(np.flatnonzero(is_enough)[-1])
    below = curve.thresholds[last + 1] if last + 1 < len(curve.thresholds) else None
    return AcceptRate(
        accepted=int(curve.accepted[last]),
        errors=int(curve.errors[last]),
        n=n,
        threshold=_shortest_between(below, curve.thresholds[last]),
    )


def _shortest_between(below: float | None, threshold: float) -> str:
    """The decimal of fewest digits in (below, threshold]."""
    if below is None:
        return "0"
    exact = decimal.Decimal(float(threshold))
    for digits in range(1, 400):  # A difference of two floats has an end.
        step = decimal.Decimal(1).scaleb(-digits)
        cut = exact.quantize(step, decimal.ROUND_FLOOR, _MANY_DIGITS)
        if float(cut) > below:
            return f"{cut:f}"
    raise AssertionError(f"{below} must be below {threshold}")


_MANY_DIGITS = decimal.Context(prec=1100)


def _counted(labels: np.ndarray, digits: np.ndarray, blank: int | None) -> np.ndarray:
    """Bool `[N, L]`: where there is a character, or one was read."""
    if blank is None:
        return np.ones(labels.shape, bool)
    return (labels != blank) | (digits != blank)

"""Axes: a range of values, and the round numbers on it that get a tick."""

import dataclasses
import math
from collections.abc import Callable

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_TICKS = 6
# What is a tick by but for the last bits of a float.
_SLACK = 1e-9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Axis:
    """From `low` to `high`; see `linear_axis` and `log_axis`."""

    label: str  # With the unit.
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False

    def place(self, value: float) -> float:
        """Where a value lies, 0 at `low` and 1 at `high`; on a log axis 0 and less lie at `low`."""
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        if value <= 0:
            return 0.0
        return math.log(value / self.low) / math.log(self.high / self.low)


def plain(value: float) -> str:
    """The text of a tick: "2,500", "0.05", "2·10⁻⁶"."""
    if value != 0 and not 1e-4 <= abs(value) < 1e7:
        exponent = math.floor(math.log10(abs(value)) + _SLACK)
        factor = f"{value / 10.0**exponent:.4g}"
        power = f"10{str(exponent).translate(_SUPERSCRIPT)}"
        return power if factor == "1" else f"{factor}·{power}"
    return f"{value:,.10g}"


def as_percent(value: float) -> str:
    """The text of a tick of a share: "99.5 %"."""
    return f"{plain(round(value * 100, 10))}\N{NO-BREAK SPACE}%"


def linear_axis(
    label: str,
    low: float,
    high: float,
    *,
    text: Callable[[float], str] = plain,
    tight: bool = False,
) -> Axis:
    """An axis over `low` to `high`, with ticks at multiples of 1, 2 or 5 times a power of ten.

    Args:
      label: What is on it, with the unit.
      low: Finite.
      high: Finite; if it is not above `low`, the axis reaches to both sides of it.
      text: Of a tick.
      tight: End at `high`, and not at the next tick.
    """
    if not high > low:
        reach = abs(low) / 2 or 0.5
        low, high = low - reach, low + reach
    step = _round_step((high - low) / (_MOST_TICKS - 1))
    first, last = math.floor(low / step + _SLACK), math.ceil(high / step - _SLACK)
    if tight:
        last = math.floor(high / step + _SLACK)
    values = [round(index * step, 12) for index in range(first, last + 1)]
    return Axis(
        label=label,
        low=values[0],
        high=high if tight else values[-1],
        ticks=tuple((value, text(value)) for value in values),
    )


def log_axis(label: str, low: float, high: float, *, text: Callable[[float], str] = plain) -> Axis:
    """A logarithmic axis over `low` to `high`, widened to 1, 2 or 5 times a power of ten.

    Those are its ticks over two powers of ten; over more, the powers alone.

    Args:
      label: What is on it, with the unit.
      low: Above 0.
      high: From `low`.
      text: Of a tick.
    """
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    values = [float(f"{factor}e{decade}") for decade in decades for factor in (1, 2, 5)]
    low = max(value for value in values if value <= low * (1 + _SLACK))
    high = min(value for value in values if value >= high * (1 - _SLACK) and value > low)
    if high / low > 100:
        powers = [float(f"1e{decade}") for decade in decades]
        inside = [value for value in powers if low <= value <= high]
        ticks = inside[:: math.ceil(len(inside) / _MOST_TICKS)]
    else:
        ticks = [value for value in values if low <= value <= high]
    return Axis(
        label=label,
        low=low,
        high=high,
        ticks=tuple((value, text(value)) for value in ticks),
        log=True,
    )


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - _SLACK))

"""Charts of how a network learned, from the rows of its history.jsonl."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from report.axis import Axis, as_percent, linear_axis, log_axis, plain
from report.markup import figure
from report.svg_chart import chart
from report.svg_marks import Line

# More points than pixels draw a grey area and a large page.
_MOST_POINTS = 400
_MOST_DOTS = 60  # More of them hide the line.
# The evaluations of a run have names if there are several. More lines than these cannot be told
# apart: the first of the alphabet are drawn.
_EVAL_KINDS = ("eval", "third", "fourth")

Rows = Sequence[Mapping]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Curve:
    """One chart: what of a row it shows, and how."""

    key: str  # Of the values in a row.
    title: str
    note: str = ""
    unit: str = ""
    share: bool = False  # In percent, of 0 to 100 unless `log`.
    log: bool = False
    misread: bool = False  # 1 - value.


_CURVES = (
    _Curve(
        key="loss",
        title="Loss",
        note="Mean cross-entropy of a character; logarithmic.",
        unit="nats",
        log=True,
    ),
    _Curve(
        key="sequence_accuracy",
        title="Whole captchas misread",
        # 99 % and 99.9 % look alike on the axis of what is right.
        note="What is left to learn; logarithmic, so that the last tenths of a percent show.",
        unit="share of captchas",
        share=True,
        log=True,
        misread=True,
    ),
    _Curve(
        key="sequence_accuracy",
        title="Whole captchas read right",
        unit="share of captchas",
        share=True,
    ),
    _Curve(
        key="character_accuracy",
        title="Single characters read right",
        unit="share of characters",
        share=True,
    ),
    _Curve(key="learning_rate", title="Learning rate", unit="rate"),
    _Curve(
        key="gradient_norm",
        title="Gradient norm",
        note="Of all weights together, before any clipping; logarithmic.",
        unit="global norm",
        log=True,
    ),
)


def learning_curves(rows: Rows, chance: Mapping[str, float]) -> list[str]:
    """The charts that `rows` have values for; none if there is no row.

    Args:
      rows: Of history.jsonl, oldest first (`model.estimator.history`). What is missing or not
        finite in a row is left out.
      chance: What guessing gives, by metric; drawn where known.

    Returns:
      HTML, a figure each.
    """
    if not rows:
        return []
    last = max(row["global_step"] for row in rows)
    x_axis = linear_axis("training step", 0, last, tight=last > 0)
    return [
        _draw(f"curve-{index}", curve, lines, x_axis, chance)
        for index, curve in enumerate(_CURVES)
        if (lines := _lines(curve, rows))
    ]


def _lines(curve: _Curve, rows: Rows) -> list[Line]:
    """A line for training and one for each kind of evaluation that has values."""
    lines = []
    for name, kind, members in _series(rows):
        points = [(row["global_step"], row.get(curve.key)) for row in members]
        points = [(x, 1 - y if curve.misread else y) for x, y in points if _is_number(y)]
        if points:
            x, y = _thinned(points)
            dots = kind != "train" and len(x) <= _MOST_DOTS
            lines.append(Line(x=x, y=y, kind=kind, name=name, dots=dots))
    return lines


def _draw(
    identity: str, curve: _Curve, lines: list[Line], x_axis: Axis, chance: Mapping[str, float]
) -> str:
    text = as_percent if curve.share else plain
    says = "; ".join(f"{line.name} ends at {text(float(f'{line.y[-1]:.4g}'))}" for line in lines)
    values = [value for line in lines for value in line.y]
    if curve.key in chance:
        guess = 1 - chance[curve.key] if curve.misread else chance[curve.key]
        values.append(guess)
        ends = (x_axis.low, x_axis.high)
        lines = [Line(x=ends, y=(guess, guess), kind="chance", name="guessing"), *lines]
    note = curve.note
    if curve.log:
        positive = [value for value in values if value > 0] or [1.0]
        y_axis = log_axis(curve.unit, min(positive), max(positive), text=text)
        if min(values) <= 0:
            note += " Values of 0 lie on the lower edge."
    else:
        low, high = (0, 1) if curve.share else (min(0, *values), max(0, *values))
        y_axis = linear_axis(curve.unit, low, high, text=text)
    drawing = chart(
        identity,
        curve.title,
        f"{curve.title} against the training step: {says}.",
        x_axis,
        y_axis,
        lines,
    )
    return figure(curve.title, drawing, note)


def _series(rows: Rows) -> list[tuple[str, str, Rows]]:
    """Name, class and rows of each line: training, then the evaluations by name."""
    train = [row for row in rows if row["kind"] == "train"]
    evaluations: dict[str, list[Mapping]] = {}
    for row in rows:
        if row["kind"] == "eval":
            evaluations.setdefault(row.get("name") or "", []).append(row)
    named = zip(sorted(evaluations.items()), _EVAL_KINDS, strict=False)
    return [
        ("training", "train", train),
        *((f"evaluation {name}".strip(), kind, members) for (name, members), kind in named),
    ]


def _is_number(value) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _thinned(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """X and y of at most `_MOST_POINTS` points: means of neighbours if there are more."""
    groups = np.array_split(np.array(points, np.float64), min(len(points), _MOST_POINTS))
    means = [group.mean(axis=0) for group in groups]
    return [float(x) for x, _ in means], [float(y) for _, y in means]

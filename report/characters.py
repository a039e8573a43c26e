"""Where in a captcha it errs, and which characters it takes for which."""

import numpy as np

from model.metrics import wilson_interval
from report import statistics
from report.axis import Axis, as_percent, linear_axis
from report.class_names import Classes
from report.collected import Collected
from report.confusion_chart import MOST_WIDE, confusion_chart
from report.markup import columns, figure, table
from report.svg_chart import chart
from report.svg_marks import Dots
from report.wording import count, escape, percent, plural

_MOST_CONFUSED = 8
_MOST_VALUES = 8  # Written at the dots; more would run into each other.


def characters_section(collected: Collected, classes: Classes) -> str:
    """Accuracy at each position, the confusion matrix, the most frequent confusions. HTML."""
    counts = statistics.confusion_counts(collected.labels, collected.digits, collected.num_classes)
    note = (
        "Rows are the truth, columns what was read, over all positions. Blue is right; the deeper "
        "the orange, the more often that mistake was made. Empty cells never occurred."
    )
    drawing = f'<div class="scroll">{confusion_chart("confusion", counts, classes.names)}</div>'
    matrix = figure("Confusion matrix", drawing, note)
    positions, confusions = _positions(collected, classes), _confusions(counts, classes)
    if len(classes.names) <= MOST_WIDE:
        return columns([matrix], [positions, confusions])
    return f'{columns([positions], [confusions])}<div class="wide">{matrix}</div>'


def _positions(collected: Collected, classes: Classes) -> str:
    right, counted = statistics.positions_right(collected.labels, collected.digits, classes.blank)
    positions = [index for index in range(len(counted)) if counted[index]]
    x = [index + 1 for index in positions]
    shares = [float(right[index] / counted[index]) for index in positions]
    ends = [
        wilson_interval(share, int(counted[index]))
        for share, index in zip(shares, positions, strict=True)
    ]
    low, high = [end[0] for end in ends], [end[1] for end in ends]
    x_axis = Axis(
        label="position, from the left",
        low=0.5,
        high=len(counted) + 0.5,
        ticks=tuple((index + 1, str(index + 1)) for index in range(len(counted))),
    )
    # The values stand below the intervals.
    room = (1 - min(low)) * 0.15
    y_axis = linear_axis("share read right", max(0, min(low) - room), 1, text=as_percent)
    dots = Dots(
        x=x,
        y=shares,
        low=low,
        high=high,
        kind="eval",
        name="accuracy with 95 % interval",
        texts=[percent(share) for share in shares] if len(counted) <= _MOST_VALUES else (),
    )
    says = "; ".join(
        f"position {index + 1}: {percent(share)} of {count(int(counted[index]))}"
        for index, share in zip(positions, shares, strict=True)
    )
    title = "Accuracy at each position"
    drawing = chart("positions", title, f"{says}.", x_axis, y_axis, [dots])
    return figure(
        title, drawing, f"{_how_wrong(collected)} The axis does not begin at\N{NO-BREAK SPACE}0."
    )


def _how_wrong(collected: Collected) -> str:
    """In how many characters misread captchas are wrong."""
    wrong = (collected.labels != collected.digits).sum(axis=1)
    misread = int(np.count_nonzero(wrong))
    if not misread:
        return "No captcha was misread."
    single = int(np.count_nonzero(wrong == 1))
    which = "all" if single == misread else f"{count(single)} of them"
    return f"{plural(misread, 'captcha')} misread, {which} in one position only."


def _confusions(counts: np.ndarray, classes: Classes) -> str:
    confused = statistics.most_confused(counts, _MOST_CONFUSED)
    title = "Most frequent confusions"
    if not confused:
        return figure(title, "<p>There are none: every character was read right.</p>")
    totals = counts.sum(axis=1)
    rows = [
        (
            escape(classes.names[truth]),
            escape(classes.names[read]),
            count(times),
            percent(times / int(totals[truth])),
            count(int(counts[read, truth])),
        )
        for truth, read, times in confused
    ]
    headings = ("truth", "read as", "times", "of this truth", "the other way round")
    return figure(title, table(headings, rows))

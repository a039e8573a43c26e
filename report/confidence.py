"""Whether its confidence can be trusted, and what is gained by accepting confident readings."""

import numpy as np

from model.metrics import wilson_interval
from report import statistics
from report.axis import Axis, as_percent, linear_axis
from report.markup import columns, figure, table
from report.statistics import AcceptRate, Calibration, Coverage
from report.svg_chart import chart
from report.svg_marks import Band, Bars, Dots, Line
from report.wording import count, percent, plural, short_count

_PRECISIONS = (0.99, 0.995, 0.999, 1.0)  # Rows of the table.
_MOST_POINTS = 300  # Of the drawn curve; a million captchas have as many thresholds.
# Of the curve's left end, where a single error weighs so much that it says little.
_LEAST_ACCEPTED = 20


def confidence_section(
    calibration: Calibration, curve: Coverage, accept: AcceptRate, precision: float
) -> str:
    """The reliability diagram, the precision/coverage curve, accept rates. HTML."""
    charts = columns(
        [_reliability(calibration)], [_coverage(curve, accept, precision), _rates(curve)]
    )
    return charts + _words(len(calibration.counts), accept, precision)


def _reliability(calibration: Calibration) -> str:
    filled = np.flatnonzero(calibration.counts)
    shares = [float(calibration.num_right[i] / calibration.counts[i]) for i in filled]
    ends = [
        wilson_interval(share, int(calibration.counts[i]))
        for share, i in zip(shares, filled, strict=True)
    ]
    axes = {"text": as_percent}
    marks = [
        Line(x=(0, 1), y=(0, 1), kind="chance", name="perfectly calibrated"),
        Dots(
            x=[float(calibration.mean_confidence[i]) for i in filled],
            y=shares,
            low=[low for low, _ in ends],
            high=[high for _, high in ends],
            kind="eval",
            name="captchas of a bin, 95 % interval",
        ),
    ]
    says = "; ".join(
        f"confidence {percent(float(calibration.mean_confidence[i]))}: {percent(share)} of "
        f"{count(int(calibration.counts[i]))} right"
        for share, i in zip(shares, filled, strict=True)
    )
    title = "Calibration of whole captchas"
    drawing = chart(
        "reliability",
        title,
        f"{says}.",
        linear_axis("mean confidence of the bin", 0, 1, **axes),
        linear_axis("share read right", 0, 1, **axes),
        marks,
        height_px=370,
    )
    return figure(
        title,
        drawing + _histogram(calibration),
        f"ECE {percent(calibration.ece)}. Below the dashed line it is too sure of itself, above it "
        "too modest.",
    )


def _histogram(calibration: Calibration) -> str:
    """How many captchas each bin has: one bin may hold nearly all of them."""
    counts = calibration.counts.tolist()
    num_bins, most = len(counts), max(counts)
    edges = [index / num_bins for index in range(num_bins + 1)]
    texts = [short_count(n) if n else "" for n in counts]
    bars = Bars(edges=edges, y=counts, kind="eval", texts=texts)
    title = "Captchas in each bin of confidence"
    says = "; ".join(
        f"up to {percent(edge)}: {count(n)}" for edge, n in zip(edges[1:], counts, strict=True) if n
    )
    return chart(
        "bins",
        title,
        f"{says}.",
        linear_axis("confidence", 0, 1, text=as_percent),
        # Room above the highest bar for its count; the bars say their own counts, without ticks.
        Axis(label="captchas in the bin", low=0, high=1.25 * most, ticks=()),
        [bars],
        height_px=150,
    )


def _coverage(curve: Coverage, accept: AcceptRate, precision: float) -> str:
    n = int(curve.accepted[-1])
    first = min(int(np.searchsorted(curve.accepted, _LEAST_ACCEPTED)), len(curve.accepted) - 1)
    # Evenly spread over the captchas; the last threshold, which accepts all, is always one.
    wanted = np.linspace(curve.accepted[first], n, _MOST_POINTS)
    points = np.unique(np.searchsorted(curve.accepted, wanted))
    accepted, errors = curve.accepted[points], curve.errors[points]
    x = (accepted / n).tolist()
    shares = (1 - errors / accepted).tolist()
    ends = [wilson_interval(share, int(of)) for share, of in zip(shares, accepted, strict=True)]
    low, high = [end[0] for end in ends], [end[1] for end in ends]
    # The band's left end is wide and would flatten the curve.
    lowest = min(*shares, low[-1], precision)
    y_axis = linear_axis("share of accepted read right", lowest, 1, text=as_percent)
    marks = [
        Band(x=x, low=low, high=high, kind="eval", name="95 % interval"),
        Line(x=x, y=shares, kind="eval", name="precision"),
        Line(x=(0, 1), y=(precision, precision), kind="chance", name=as_percent(precision)),
    ]
    if accept.accepted:
        at = 1 - accept.errors / accept.accepted
        marks.append(Line(x=[accept.rate], y=[at], kind="train", name="accept rate", dots=True))
    title = "Precision against coverage"
    says = (
        f"From {percent(shares[0])} right of the {plural(int(accepted[0]), 'captcha')} read most "
        f"surely to {percent(shares[-1])} of all {count(n)}."
    )
    drawing = chart(
        "coverage",
        title,
        says,
        linear_axis("accepted, by falling confidence", 0, 1, text=as_percent),
        y_axis,
        marks,
        height_px=300,
    )
    return figure(
        title,
        drawing,
        "If only the most confident readings are accepted, how many of them are right.",
    )


def _rates(curve: Coverage) -> str:
    rows = []
    for wanted in _PRECISIONS:
        rate = statistics.accept_rate(curve, wanted)
        if not rate.accepted:
            rows.append((as_percent(wanted), "none", "–", "–", "–"))
            continue
        low, high = wilson_interval(1 - rate.errors / rate.accepted, rate.accepted)
        rows.append(
            (
                as_percent(wanted),
                percent(rate.rate),
                rate.threshold,
                f"{count(rate.errors)} of {count(rate.accepted)}",
                f"{percent(low)} to {percent(high)}",
            )
        )
    headings = ("precision", "accepted", "confidence from", "wrong", "95 % interval of precision")
    return figure("Accept rates", table(headings, rows))


def _how_uncertain(rate: AcceptRate, precision: float) -> str:
    """What so few errors can show of a precision so high."""
    wanted = as_percent(precision)
    if not rate.accepted:
        return f"At no threshold are {wanted} of the accepted captchas read right."
    low, _ = wilson_interval(1 - rate.errors / rate.accepted, rate.accepted)
    text = f"At {wanted}: {plural(rate.errors, 'error')} among {count(rate.accepted)} accepted. "
    if low < precision:
        text += (
            f"So few errors leave much open: the true precision there may be as low as "
            f"{percent(low)}. Even without an error it takes {count(_least_for(precision))} "
            f"accepted captchas to show {wanted}. "
        )
    return text + (
        "The threshold was chosen on the captchas that it is judged by, which flatters it a "
        "little: check it on others before relying on it."
    )


def _least_for(precision: float) -> int:
    """Captchas without an error whose 95 % interval begins at `precision` or above."""
    low, high = 1, 1
    while wilson_interval(1.0, high)[0] < precision:
        high *= 2
    while low < high:
        middle = (low + high) // 2
        if wilson_interval(1.0, middle)[0] < precision:
            low = middle + 1
        else:
            high = middle
    return low


def _words(num_bins: int, accept: AcceptRate, precision: float) -> str:
    """What the words of this section mean."""
    words = {
        "Confidence": "The product over the positions of the largest probability there: what the "
        "network gives its whole reading.",
        "Precision and coverage": "Accepted are the readings at or above a threshold of "
        "confidence. Precision is the share of them read right as a whole, coverage the share of "
        "captchas accepted. Captchas of equal confidence are accepted together.",
        "Accept rate": "The largest coverage whose precision is at least the one wanted. "
        + _how_uncertain(accept, precision),
        "Expected calibration error": "ECE (Guo et al., 2017, arXiv:1706.04599): captchas fall "
        f"into {num_bins} bins of confidence of equal width; the absolute difference between the "
        "share read right and the mean confidence of each bin, averaged over the bins by their "
        "numbers of captchas.",
    }
    parts = "".join(f"<div><dt>{word}</dt><dd>{text}</dd></div>" for word, text in words.items())
    return f'<dl class="words card">{parts}</dl>'

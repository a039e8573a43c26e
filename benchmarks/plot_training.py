"""Plot: how many whole captchas each training from nothing leaves wrong, against its time."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from benchmarks import ledger
from benchmarks.plot_figure import COLORS, MARKERS, legend_below, log_ticks, new_figure

_LEAST_READ = 20000  # Captchas; of fewer, intervals are too wide to compare.
# Where the name of a point may stand, in points: the first place that is free.
_PLACES = (
    (9, 3, "left"),
    (-9, -12, "right"),
    (9, -12, "left"),
    (-9, 3, "right"),
    (0, 14, "center"),
    (0, -24, "center"),
)
_POINT_PX = 7  # Half of what a point takes.
_NEEDED = ("sequence_accuracy", "sequence_accuracy_95_low", "sequence_accuracy_95_high")


def draw() -> Figure | None:
    """Every entry train_NAME that has read enough captchas; None if there is none.

    Not those that begin with trained weights, as their time is not all that they took.
    """
    found = {
        name.removeprefix("train_"): entry
        for name, entry in ledger.read_all("train_").items()
        if _is_enough(entry["figures"]) and "--warm_start_from" not in entry["command"]
    }
    if not found:
        return None
    found = dict(sorted(found.items(), key=lambda pair: pair[1]["figures"]["training_seconds"]))
    figure, above = new_figure(760, list(found.values()))
    axes = above.subplots()
    points = {
        name: _point(axes, index, name, entry["figures"])
        for index, (name, entry) in enumerate(found.items())
    }
    axes.set(xscale="log", yscale="log")
    log_ticks(axes.xaxis)
    log_ticks(axes.yaxis)
    axes.margins(x=0.25, y=0.15)
    axes.set_xlabel("seconds of training (log)")
    axes.set_ylabel("whole captchas misread, % (log)")
    axes.set_title("What a training from nothing reaches, and what it takes (95 % intervals)")
    legend_below(above, columns=2)
    _write_names(figure, axes, points)
    return figure


def _is_enough(figures: dict[str, Any]) -> bool:
    return (
        all(key in figures for key in (*_NEEDED, "training_seconds"))
        and figures["n_test"] >= _LEAST_READ
    )


def _write_names(figure: Figure, axes: Axes, points: dict[str, tuple[float, float]]) -> None:
    """Beside each point its name, where it covers neither a point nor another name."""
    figure.draw_without_rendering()  # So that it is known where they are.
    taken = [
        Bbox.from_extents(x - _POINT_PX, y - _POINT_PX, x + _POINT_PX, y + _POINT_PX)
        for x, y in axes.transData.transform(list(points.values()))
    ]
    for name, point in points.items():
        for *place, side in _PLACES:
            text = axes.annotate(name, point, xytext=place, textcoords="offset points", ha=side)
            box = text.get_window_extent()
            if not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()  # The legend has the name too.


def _point(axes: Axes, index: int, name: str, figures: dict[str, Any]) -> tuple[float, float]:
    """Draws one training; where it is drawn."""
    least = 50 / figures["n_test"]  # %, half a captcha: an axis of logarithms has no 0.
    accuracy, low, high = (figures[key] for key in _NEEDED)
    wrong, most, fewest = (max(100 * (1 - share), least) for share in (accuracy, low, high))
    seconds = figures["training_seconds"]
    axes.errorbar(
        seconds,
        wrong,
        yerr=[[max(wrong - fewest, 0)], [max(most - wrong, 0)]],
        fmt=MARKERS[index % len(MARKERS)],
        color=COLORS[index % len(COLORS)],
        markersize=8,
        capsize=4,
        label=f"{name}: {100 * accuracy:.2f} % right ({100 * low:.2f} to {100 * high:.2f}), "
        f"{seconds:,.0f} s,\n{figures['n_test']:,} {figures['measured_on']}",
    )
    return seconds, wrong

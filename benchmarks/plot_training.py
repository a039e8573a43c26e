"""Plot: how many whole captchas each training from nothing leaves wrong, against its time."""

import math
from typing import Any

from matplotlib.figure import Figure

from benchmarks import ledger
from benchmarks.plot_figure import COLORS, MARKERS, legend_below, log_ticks, new_figure

_LEAST_READ = 20000  # Captchas; of fewer, intervals are too wide to compare.
# Where the name of a point stands, in points: of two that took nearly as long the better one, which
# is the lower, has it on the lower left, the other on the upper right.
_UPPER, _LOWER = (9, 3, "left"), (-9, -12, "right")
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
    figure, above = new_figure(620, list(found.values()))
    axes = above.subplots()
    for index, (name, entry) in enumerate(found.items()):
        _point(axes, index, name, entry["figures"], _name_place(name, found))
    axes.set(xscale="log", yscale="log")
    log_ticks(axes.xaxis)
    log_ticks(axes.yaxis)
    axes.margins(x=0.25, y=0.15)
    axes.set_xlabel("seconds of training (log)")
    axes.set_ylabel("whole captchas misread, % (log)")
    axes.set_title("What a training from nothing reaches, and what it takes (95 % intervals)")
    legend_below(above, columns=2)
    return figure


def _is_enough(figures: dict[str, Any]) -> bool:
    return (
        all(key in figures for key in (*_NEEDED, "training_seconds"))
        and figures["n_test"] >= _LEAST_READ
    )


def _name_place(name: str, entries: dict[str, dict[str, Any]]) -> tuple[int, int, str]:
    """Above or below, by the entry that is nearest in time."""
    figures = {other: entry["figures"] for other, entry in entries.items()}
    own = figures.pop(name)
    if not figures:
        return _UPPER
    nearest = min(
        figures.values(),
        key=lambda other: abs(math.log(other["training_seconds"] / own["training_seconds"])),
    )
    return _LOWER if own["sequence_accuracy"] > nearest["sequence_accuracy"] else _UPPER


def _point(
    axes, index: int, name: str, figures: dict[str, Any], name_place: tuple[int, int, str]
) -> None:
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
    *place, side = name_place
    axes.annotate(name, (seconds, wrong), xytext=place, textcoords="offset points", ha=side)

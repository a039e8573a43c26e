"""Plot: whole captchas that ours and the peers leave wrong, as they train."""

from matplotlib.figure import Figure

from benchmarks import ledger
from benchmarks.plot_figure import (
    COLORS,
    GREY,
    MARKERS,
    legend_below,
    log_ticks,
    new_figure,
)

_COLUMNS = ["seconds", "images", "sequence_accuracy"]  # The first of the series.
_LEAST_WRONG = 0.1  # %, of the axis.
_MARKED = (97, 99)  # % of whole captchas right.


def draw() -> Figure | None:
    """A line each entry peers_NAME with a series; None if there is none."""
    found = {
        name.removeprefix("peers_"): entry
        for name, entry in ledger.read_all("peers_").items()
        if entry.get("series")
    }
    if not found:
        return None
    # Ours first, so that it keeps its colour whoever else is there.
    found = dict(sorted(found.items(), key=lambda pair: (not pair[0].startswith("ours"), pair[0])))
    figure, above = new_figure(620, list(found.values()))
    by_seconds, by_images = above.subplots(1, 2, sharey=True)
    lowest = 0.8 * (100 - _MARKED[-1])
    for index, (name, entry) in enumerate(found.items()):
        ((columns, rows),) = entry["series"].items()
        if columns.split(", ")[: len(_COLUMNS)] != _COLUMNS:
            raise ValueError(
                f"the series of peers_{name} must begin with {', '.join(_COLUMNS)}, received "
                f"{columns!r}. Measure it again."
            )
        seconds, images, accuracy = zip(*(row[:3] for row in rows), strict=True)
        wrong = [max(100 * (1 - share), _LEAST_WRONG) for share in accuracy]
        lowest = min(lowest, 0.8 * min(wrong))
        for axes, xs in ((by_seconds, seconds), (by_images, images)):
            axes.plot(
                xs,
                wrong,
                marker=MARKERS[index % len(MARKERS)],
                color=COLORS[index % len(COLORS)],
                markersize=4,
                label=f"{name}, {entry['figures']['parameters'] / 1e6:.2g} million parameters",
            )
    for axes, what in ((by_seconds, "seconds of training"), (by_images, "captchas trained on")):
        axes.set(xscale="log", yscale="log", ylim=(lowest, 130), xlabel=f"{what} (log)")
        for percent in _MARKED:
            axes.axhline(100 - percent, color=GREY, linestyle="--", linewidth=1)
        log_ticks(axes.yaxis)
    log_ticks(by_seconds.xaxis, (1, 3))
    log_ticks(by_images.xaxis, (1,))  # Numbers of captchas are long.
    for percent in _MARKED:
        by_seconds.annotate(
            f"{percent} % right",
            (0.01, 100 - percent),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            color=GREY,
            fontsize=9,
        )
    by_seconds.set_ylabel("whole captchas read wrong, % (log; less is better)")
    above.suptitle("Training time and captchas until whole captchas are read right")
    legend_below(above, columns=2)
    return figure

"""Plot: images a second that each form of an export reads, against the size of the batch."""

import re

from matplotlib.figure import Figure

from benchmarks import ledger
from benchmarks.plot_figure import (
    COLORS,
    MARKERS,
    legend_below,
    log_ticks,
    new_figure,
    ticks_at,
)

_FIGURE = re.compile(r"(.+)_(one|default)_threads?_batch_(\d+)_(images_per_second|p99_ms)")
_THREADS = {"one": "on one core", "default": "on all cores"}
_UNITS = {
    "images_per_second": "captchas a second (log)",
    "p99_ms": "ms a call, 99th percentile (log)",
}


def draw() -> Figure | None:
    """Rates and slow calls, on one core and on all; None if they were not measured."""
    entry = ledger.read("reading_speed")
    if entry is None:
        return None
    lines: dict[tuple[str, str], dict[str, dict[int, float]]] = {}
    for key, value in entry["figures"].items():
        match = _FIGURE.fullmatch(key)
        if match:
            name, threads, batch, unit = match.groups()
            lines.setdefault((unit, threads), {}).setdefault(name, {})[int(batch)] = value
    if not lines:
        return None
    names = list(dict.fromkeys(name for of_names in lines.values() for name in of_names))
    figure, above = new_figure(850, [entry])
    grid = above.subplots(len(_UNITS), len(_THREADS), sharex=True, sharey="row")
    for row, (unit, unit_text) in zip(grid, _UNITS.items(), strict=True):
        for axes, threads in zip(row, _THREADS, strict=True):
            _lines(axes, names, lines.get((unit, threads), {}))
        row[0].set_ylabel(unit_text)
    for axes, threads_text in zip(grid[0], _THREADS.values(), strict=True):
        axes.set_title(threads_text)
    for axes in grid[-1]:
        axes.set_xlabel("captchas in a batch (log)")
    above.suptitle("How fast an export reads, by its form")
    legend_below(above, columns=3)
    return figure


def _lines(axes, names: list[str], of_names: dict[str, dict[int, float]]) -> None:
    for index, name in enumerate(names):
        if name in of_names:
            batches, values = zip(*sorted(of_names[name].items()), strict=True)
            axes.plot(
                batches,
                values,
                label=name,
                color=COLORS[index % len(COLORS)],
                marker=MARKERS[index % len(MARKERS)],
                linestyle="-" if name.endswith("float32") else "--",
            )
    axes.set(xscale="log", yscale="log")
    ticks_at(axes.xaxis, (batch for values in of_names.values() for batch in values))
    log_ticks(axes.yaxis)

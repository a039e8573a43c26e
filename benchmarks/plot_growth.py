"""Plot: time and memory of whole commands against the number of captchas, batch and picture."""

from matplotlib.figure import Figure

from benchmarks import ledger
from benchmarks.plot_figure import (
    COLORS,
    MARKERS,
    legend_below,
    log_ticks,
    new_figure,
    plain_numbers,
    ticks_at,
)

_AXES = {
    "n": "captchas (log)",
    "batch": "captchas in a batch (log)",
    "pixels": "thousand pixels in a batch of 64 (log)",
}
_UNITS = {"pixels": 1000}
_ROW_PX = 330


def draw() -> Figure | None:
    """A row of two plots each part that was measured; None if none was."""
    entries = list(ledger.read_all("growth_").values())
    parts: dict[str, dict[str, list[list[float]]]] = {axis: {} for axis in _AXES}
    for entry in entries:
        for columns, rows in entry["series"].items():  # "training: n, seconds, MB"
            what, _, names = columns.partition(": ")
            parts[names.split(", ")[0]][what] = rows
    parts = {axis: lines for axis, lines in parts.items() if lines}
    if not parts:
        return None
    colors = dict.fromkeys(what for part in parts.values() for what in part)
    colors = {what: index for index, what in enumerate(colors)}
    figure, above = new_figure(100 + _ROW_PX * len(parts), entries)
    grid = above.subplots(len(parts), 2, squeeze=False)
    for (axis, lines), (time, memory) in zip(parts.items(), grid, strict=True):
        unit = _UNITS.get(axis, 1)
        for what, rows in lines.items():
            index = colors[what]
            xs, seconds, megabytes = zip(*sorted(rows), strict=True)
            xs = [x / unit for x in xs]
            look = {"marker": MARKERS[index], "color": COLORS[index], "label": what}
            time.plot(xs, seconds, **look)
            memory.plot(xs, megabytes, **look)
        for axes in (time, memory):
            axes.set(xscale="log", xlabel=_AXES[axis])
            ticks_at(axes.xaxis, (row[0] / unit for row in max(lines.values(), key=len)))
        if axis == "n":
            time.set(yscale="log", ylabel="seconds (log)")
            log_ticks(time.yaxis)
        else:
            time.set(ylim=_from_zero(lines, 1), ylabel="seconds")
        memory.set(ylim=_from_zero(lines, 2), ylabel="largest process, MB")
        plain_numbers(memory.yaxis)
    above.suptitle("How time and memory of whole commands grow, their start included")
    legend_below(above, columns=5)
    return figure


def _from_zero(lines: dict[str, list[list[float]]], column: int) -> tuple[float, float]:
    """So what does not grow looks level."""
    return 0, 1.1 * max(row[column] for rows in lines.values() for row in rows)

"""Plot: where the time of a training step goes, by kind of op and by layer."""

import re
from typing import Any

from matplotlib.figure import Figure

from benchmarks import ledger
from benchmarks.plot_figure import COLORS, legend_below, new_figure
from training.config import TrainConfig

_PRECISIONS = ("bfloat16", "float32")
_OP = re.compile(r"([\d.]+) ms, (\d+) %, .*")  # "1.23 ms, 12 %, 5 calls"
_PASS = re.compile(r"(\w+) ([\d.]+) ms \((\d+) %\)")  # "forward 1.23 ms (35 %)"
_LAYER = "_time_and_percent_of_peak"
_PASSES = ("forward", "by_inputs", "by_weights")
_LABELS = {
    "forward": "forward",
    "by_inputs": "gradients by inputs",
    "by_weights": "gradients by weights (numbers: % of the measured peak)",
}
_LABEL_SHARE = 0.06  # Of the longest bar: less has no room for a number.


def draw() -> Figure | None:
    """Of the default network, else of `small`, a row each precision measured; None if neither."""
    entry = ledger.read(f"step_profile_{TrainConfig.net}") or ledger.read("step_profile_small")
    if entry is None:
        return None
    measured = [one for one in _PRECISIONS if f"{one}_all_ops_ms" in entry["figures"]]
    if not measured:
        return None
    figure, above = new_figure(450 * len(measured), [entry])
    grid = above.subplots(len(measured), 2, sharex="col", squeeze=False)
    passes = {precision: _passes(precision, entry["figures"]) for precision in measured}
    longest = max(
        (sum(ms for ms, _ in found.values()) for of in passes.values() for found in of.values()),
        default=0.0,
    )
    for precision, (ops, layers) in zip(measured, grid, strict=True):
        _draw_ops(ops, precision, entry["figures"])
        _draw_layers(layers, passes[precision], _LABEL_SHARE * longest)
        whole = entry["figures"].get(f"{precision}_all_layers_ms", 0.0)
        _finish(layers, f"{precision}, layers: {whole:.1f} ms in all")
    for axes in grid[-1]:
        axes.set_xlabel("ms of a step, one op at a time")
    above.suptitle(entry["title"].replace("`", ""))
    legend_below(above, columns=3)
    return figure


def _draw_ops(axes, precision: str, figures: dict[str, Any]) -> None:
    prefix = f"{precision}_op_"
    found = {
        key.removeprefix(prefix): _OP.fullmatch(text).groups()
        for key, text in figures.items()
        if key.startswith(prefix)
    }
    bars = axes.barh(list(found), [float(ms) for ms, _ in found.values()], color=COLORS[0])
    axes.bar_label(bars, [f"{percent} %" for _, percent in found.values()], padding=3)
    whole = figures.get(f"{precision}_all_ops_ms", 0.0)
    _finish(axes, f"{precision}, kinds of ops: {whole:.1f} ms in all")


def _passes(precision: str, figures: dict[str, Any]) -> dict[str, dict[str, tuple[float, str]]]:
    """Milliseconds and % of the peak, by pass, by layer."""
    keys = [key for key in figures if key.startswith(precision) and key.endswith(_LAYER)]
    return {
        _short(key.removeprefix(f"{precision}_").removesuffix(_LAYER)): {
            one: (float(ms), peak) for one, ms, peak in _PASS.findall(figures[key])
        }
        for key in keys
    }


def _draw_layers(axes, layers: dict[str, dict[str, tuple[float, str]]], least_ms: float) -> None:
    """A bar each layer, cut into its passes, with the % of those that take `least_ms` or more."""
    ends = [0.0] * len(layers)
    for color, one in zip(COLORS, _PASSES, strict=False):
        found = [passes.get(one, (0.0, "")) for passes in layers.values()]
        widths = [ms for ms, _ in found]
        bars = axes.barh(list(layers), widths, left=ends, color=color, label=_LABELS[one])
        labels = [peak if ms >= least_ms else "" for ms, peak in found]
        axes.bar_label(bars, labels, label_type="center", color="white", fontsize=8)
        ends = [end + width for end, width in zip(ends, widths, strict=True)]


def _finish(axes, title: str) -> None:
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", labelsize=9)
    axes.margins(x=0.12)
    axes.set_title(title)


def _short(name: str) -> str:
    first, *others = name.split("+")
    return f"{first} and {len(others)} more" if others else first

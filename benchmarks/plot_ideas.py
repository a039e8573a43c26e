"""Plot: what each idea does to the whole captchas read right, beside the base."""

import re
from typing import Any

from matplotlib.figure import Figure

from benchmarks import ledger
from benchmarks.plot_figure import COLORS, GREY, legend_below, log_ticks, new_figure

_BASE = "base"
_BETTER, _WORSE = COLORS[0], COLORS[1]
_ROW_PX = 24
_LEAST_WRONG = 0.0025  # %, half of one of 20,000: an axis of logarithms has no 0.


def draw(table: str) -> Figure | None:
    """A bar each row, from what the base leaves wrong; None without the base or other rows."""
    rows = ledger.read_rows(table)
    if _BASE not in rows or len(rows) < 2:
        return None
    wrong = {name: _percent_wrong(entry["figures"]) for name, entry in rows.items()}
    order = sorted(wrong, key=lambda name: -wrong[name][1])
    base_fewest, base, base_most = wrong[_BASE]
    figure, above = new_figure(
        190 + _ROW_PX * len(rows), list(rows.values()), ledger.table_command(table)
    )
    axes = above.subplots()
    axes.axvspan(base_fewest, base_most, color="#dddddd", label="95 % interval of the base")
    axes.axvline(base, color="black", linewidth=1)
    kinds = set()
    for place, name in enumerate(order):
        fewest, middle, most = wrong[name]
        if most < base_fewest:
            color, kind = _BETTER, "better than the base"
        elif fewest > base_most:
            color, kind = _WORSE, "worse than the base"
        else:
            color, kind = GREY, "intervals overlap: may be chance"
        axes.barh(
            place,
            middle - base,
            left=base,
            color=color,
            height=0.6,
            xerr=[[middle - fewest], [most - middle]],
            capsize=3,
            label=None if kind in kinds else kind,
        )
        kinds.add(kind)
    axes.set_xscale("log")
    log_ticks(axes.xaxis)
    labels = [_label(name, rows[name]) for name in order]
    axes.set_yticks(range(len(order)), labels, fontsize=10)
    axes.get_yticklabels()[order.index(_BASE)].set_fontweight("bold")
    axes.grid(axis="y", visible=False)
    axes.set_ylim(-0.7, len(order) - 0.3)
    # Two lines: beside long names there is no room for one.
    axes.set_xlabel("whole captchas read wrong, %\n(log; less is better); bars begin at the base")
    above.suptitle(ledger.table_title(table))
    legend_below(above, columns=4)
    return figure


def _percent_wrong(figures: dict[str, Any]) -> tuple[float, float, float]:
    """Least of the 95 % interval, measured, most of it."""
    right = float(figures["whole captchas"].rstrip("% "))
    low, high = map(float, re.findall(r"[\d.]+", figures["95 % interval"]))
    fewest, middle, most = (max(100 - share, _LEAST_WRONG) for share in (high, right, low))
    return min(fewest, middle), middle, max(most, middle)


def _label(name: str, entry: dict[str, Any]) -> str:
    what = name if name == _BASE else entry["title"]
    return f"{what}: {entry['figures']['whole captchas']}"

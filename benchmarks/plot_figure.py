"""What all plots share: size, colours, and the small print that says where the figures are from."""

import pathlib
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

# Okabe and Ito (2008): told apart by people who do not tell red from green.
COLORS = (
    "#0072B2",  # blue
    "#D55E00",  # vermilion
    "#009E73",  # green
    "#CC79A7",  # purple
    "#E69F00",  # orange
    "#56B4E9",  # sky blue
    "#000000",
    "#999999",
    "#B5A600",  # their yellow, darker: on white it must be seen
)
MARKERS = "osD^vPX*<>"  # Beside the colours, so that a plot can be read without them.
GREY = "#666666"

_WIDTH_PX, _DPI = 1000, 100
_SMALL_PT = 7.5
_SMALL_PRINT_CHARACTERS = 150  # A line.
_LINE_PX = 14
_MOST_COMMANDS = 8  # In the small print.
_STYLE = {
    "font.size": 11,
    "axes.titlesize": 12,
    "figure.titlesize": 14,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.fontsize": 10,
}


def new_figure(
    height_px: int, entries: Sequence[dict[str, Any]], table_command: str | None = None
) -> tuple[Figure, SubFigure]:
    """A figure 1000 pixels wide with its small print, and the part above that, to draw on.

    It is drawn by Agg: no screen is needed.

    Args:
      height_px: Of what is above the small print.
      entries: Of the ledger, whose machines, dates and commands are told.
      table_command: In place of the commands of the entries, if those are rows of a table.
    """
    matplotlib.rcParams.update(_STYLE)
    lines = _small_print(entries, table_command)
    heights_px = [height_px, _LINE_PX * (len(lines) + 1)]
    figure = Figure(figsize=(_WIDTH_PX / _DPI, sum(heights_px) / _DPI), dpi=_DPI)
    figure.set_layout_engine("constrained")
    above, below = figure.subfigures(2, 1, height_ratios=heights_px)
    below.text(
        0.01,
        0.5,
        "\n".join(lines),
        va="center",
        linespacing=1.3,
        fontsize=_SMALL_PT,
        color=GREY,
        family="monospace",
    )
    return figure, above


def _small_print(entries: Sequence[dict[str, Any]], table_command: str | None) -> list[str]:
    of_machine: dict[str, list[str]] = {}
    for entry in entries:
        commands = of_machine.setdefault(f"{entry['date']}, {entry['machine']}", [])
        command = table_command or entry["command"]
        if command not in commands:
            commands.append(command)
    lines = []
    for machine, commands in of_machine.items():
        shown = commands[:_MOST_COMMANDS]
        if len(commands) > len(shown):
            shown.append(f"and {len(commands) - len(shown)} more: benchmarks/RESULTS.md")
        for line in (f"{machine}:", *(f"    {command}" for command in shown)):
            lines += textwrap.wrap(line, _SMALL_PRINT_CHARACTERS, subsequent_indent=" " * 8)
    return lines


def save(figure: Figure, path: pathlib.Path) -> None:
    """Writes the PNG: of an equal figure the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.png")
    # Without the name of the program, in which its version stands; Agg writes no date.
    figure.savefig(partial, metadata={"Software": None})
    partial.replace(path)


def log_ticks(axis, subs: Sequence[int] = (1, 2, 5)) -> None:
    """1, 2, 5, 10, 20, ... of a logarithmic axis, written as plain numbers."""
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_minor_formatter(NullFormatter())
    plain_numbers(axis)


def ticks_at(axis, values: Iterable[float]) -> None:
    """These and no others, written as plain numbers."""
    axis.set_major_locator(FixedLocator(sorted(set(values))))
    axis.set_minor_locator(NullLocator())
    plain_numbers(axis)


def plain_numbers(axis) -> None:
    """1,000,000 and 0.5, not powers of ten."""
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 10 else f"{value:g}")
    )


def legend_below(figure: SubFigure, columns: int) -> None:
    """One legend of all axes, each label once."""
    handles = {
        label: handle
        for axes in figure.axes
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=columns)

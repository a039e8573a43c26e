"""Where measurements are kept: one JSON file each, with its command, and a page of them all.

`benchmarks/results/NAME.json` holds command, date, machine and figures; RESULTS.md is written from
them, so that every figure there can be traced to a command.
"""

import datetime
import importlib.metadata
import json
import pathlib
import platform
import re
import shlex
import sys
from typing import Any

from data_gen.parallel import num_cores
from training.processor import processor_name

_FOLDER = pathlib.Path(__file__).resolve().parent
_RESULTS = _FOLDER / "results"
_PACKAGES = ("tensorflow", "keras", "numpy", "numba", "pillow", "captcha")


def record(
    name: str,
    title: str,
    figures: dict[str, Any],
    series: dict[str, list[list[float]]] | None = None,
) -> None:
    """Keeps `figures` as results/NAME.json, in place of the last run's, and rewrites RESULTS.md.

    Args:
      name: File name without suffix.
      title: One line for people.
      figures: Name with unit ("images_per_second") to number or text, in the order to show.
      series: What a plot shows, name with columns ("seconds, sequence_accuracy") to rows. It is
        kept, and RESULTS.md leaves it out.
    """
    entry = {
        "title": title,
        "command": shlex.join(
            ["python", f"benchmarks/{pathlib.Path(sys.argv[0]).name}", *sys.argv[1:]]
        ),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{num_cores()} cores, {processor_name()}, Python {platform.python_version()}",
        "versions": {package: importlib.metadata.version(package) for package in _PACKAGES},
        "figures": figures,
        **({} if series is None else {"series": series}),
    }
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / f"{name}.json").write_text(_to_json(entry))
    (_FOLDER / "RESULTS.md").write_text(_page())
    show(figures)


def read(name: str) -> dict[str, Any] | None:
    """The entry that `record` kept as `name`; None if there is none."""
    path = _RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def show(figures: dict[str, Any]) -> None:
    """Prints figures, one a line."""
    for figure, value in figures.items():
        print(f"{figure:<44} {_shown(value)}")


def _to_json(entry: dict[str, Any]) -> str:
    """With a row of a series on a line, not a number on a line."""
    text = json.dumps(entry, indent=2)
    return re.sub(r"\[\n\s+(-?\d[^\[\]]*?)\n\s+\]", _on_one_line, text) + "\n"


def _on_one_line(match: re.Match) -> str:
    return f"[{' '.join(match[1].split())}]"


def _page() -> str:
    lines = [
        "# Results",
        "",
        "Written by the programs of this folder, each table by the command above it. Machines are",
        "noisy: compare ratios within a table, not absolute times across tables.",
    ]
    for path in sorted(_RESULTS.glob("*.json")):
        entry = json.loads(path.read_text())
        lines += ["", f"## {entry['title']}", "", f"    {entry['command']}", ""]
        lines += [f"{entry['date']}, {entry['machine']}.", "", "| figure | value |", "|---|---|"]
        lines += [f"| {name} | {_shown(value)} |" for name, value in entry["figures"].items()]
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        if abs(value) < 1:
            return f"{value:.4f}"
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)

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
# Folder of rows to the title of their table and the command that makes a row.
_TABLES = {
    "ideas": (
        "Ideas, each alone, on captchas that never come twice",
        "python benchmarks/ideas.py --ideas=IDEA",
    ),
    "ideas_with_a_dataset": (
        "Ideas, each alone, on 50,000 captchas",
        "python benchmarks/ideas.py --ideas=IDEA --data_dir=captcha_data --steps=STEPS",
    ),
}
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
    _keep(_RESULTS / f"{name}.json", title, figures, series)


def record_row(table: str, name: str, title: str, figures: dict[str, Any]) -> None:
    """Keeps `figures` as results/TABLE/NAME.json: a row of a table in RESULTS.md.

    Args:
      table: One of `_TABLES`.
      name: Of the row.
      title: What it is, one line for people.
      figures: Column to number or text, in the order to show.
    """
    _keep(_RESULTS / table / f"{name}.json", title, figures, None)


def _keep(path: pathlib.Path, title: str, figures: dict[str, Any], series) -> None:
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
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_to_json(entry))
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
    for table, (title, command) in _TABLES.items():
        lines += _table(sorted((_RESULTS / table).glob("*.json")), title, command)
    return "\n".join(lines) + "\n"


def _table(paths: list[pathlib.Path], title: str, command: str) -> list[str]:
    """A row a file; each file has its own command, date and machine."""
    if not paths:
        return []
    entries = {path.stem: json.loads(path.read_text()) for path in paths}
    columns = list(next(iter(entries.values()))["figures"])
    lines = ["", f"## {title}", "", f"    {command}", ""]
    lines += ["| idea | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, entry in entries.items():
        cells = [_shown(entry["figures"].get(column, "")) for column in columns]
        lines.append(f"| {name}: {entry['title']} | " + " | ".join(cells) + " |")
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, float):
        if abs(value) < 1:
            return f"{value:.4f}"
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)

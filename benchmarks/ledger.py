"""Where measurements are kept: one JSON file each, with its command, and a page of them all.

`benchmarks/results/NAME.json` holds command, date, machine and figures; RESULTS.md is written from
them, so that every figure there can be traced to a command. plots.py draws some of them into
`benchmarks/plots`.

While the environment has BENCH_SHORT=1, as in `make bench`, all this is about a part of its own,
`results/short` and `plots/short`: a short measurement does not take the place of a whole one.
"""

import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import shlex
import sys
from typing import Any

from records.cores import num_cores
from training.processor import processor_name

_FOLDER = pathlib.Path(__file__).resolve().parent
_RESULTS = _FOLDER / "results"
_WHOLE, _SHORT = "", "short"  # Parts, and where they are below results and plots.
# Folder of rows to the title of their table and the command that makes a row.
_TABLES = {
    "ideas": (
        "Ideas, each alone, on captchas that never come twice",
        "python benchmarks/ideas.py --ideas=IDEA",
    ),
    "ideas_letters": (
        "Ideas, each alone, on captchas of 36 classes that never come twice",
        "python benchmarks/ideas.py --ideas=IDEA --style=letters --steps=STEPS",
    ),
    "ideas_with_a_dataset": (
        "Ideas, each alone, on 15,000 captchas, without smoothed labels",
        "python benchmarks/ideas.py --ideas=IDEA --data_dir=runs/few --steps=2100",
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
    _keep(_RESULTS / _part() / f"{name}.json", title, figures, series)


def record_row(table: str, name: str, title: str, figures: dict[str, Any]) -> None:
    """Keeps `figures` as results/TABLE/NAME.json: a row of a table in RESULTS.md.

    Args:
      table: One of `_TABLES`.
      name: Of the row.
      title: What it is, one line for people.
      figures: Column to number or text, in the order to show.
    """
    _keep(_RESULTS / _part() / table / f"{name}.json", title, figures, None)


def read(name: str) -> dict[str, Any] | None:
    """The entry that `record` kept as `name`; None if there is none."""
    return read_all(name).get(name)


def read_all(prefix: str = "") -> dict[str, dict[str, Any]]:
    """What `record` kept under names that begin with `prefix`, sorted by name."""
    return _entries(_RESULTS / _part(), prefix)


def read_rows(table: str) -> dict[str, dict[str, Any]]:
    """What `record_row` kept in this table, sorted by name."""
    return _entries(_RESULTS / _part() / table)


def table_title(table: str) -> str:
    """Of one of `_TABLES`."""
    return _TABLES[table][0]


def table_command(table: str) -> str:
    """What makes a row."""
    return _in_part(_part(), _TABLES[table][1])


def plots_folder() -> pathlib.Path:
    """Where RESULTS.md looks for plots: NAME.png stands at the first entry named NAME..."""
    return _FOLDER / "plots" / _part()


def write_page() -> None:
    """Writes RESULTS.md anew, of what is kept, whole and short."""
    (_FOLDER / "RESULTS.md").write_text(_page())


def _keep(path: pathlib.Path, title: str, figures: dict[str, Any], series) -> None:
    program = f"benchmarks/{pathlib.Path(sys.argv[0]).name}"
    entry = {
        "title": title,
        "command": _in_part(_part(), shlex.join(["python", program, *sys.argv[1:]])),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{num_cores()} cores, {processor_name()}, Python {platform.python_version()}",
        "versions": {package: importlib.metadata.version(package) for package in _PACKAGES},
        "figures": figures,
        **({} if series is None else {"series": series}),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_to_json(entry))
    write_page()
    show(figures)


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


def _part() -> str:
    return _SHORT if os.environ.get("BENCH_SHORT") else _WHOLE


def _in_part(part: str, command: str) -> str:
    return f"BENCH_SHORT=1 {command}" if part == _SHORT else command


def _entries(folder: pathlib.Path, prefix: str = "") -> dict[str, dict[str, Any]]:
    paths = sorted(folder.glob(f"{prefix}*.json"))
    return {path.stem: json.loads(path.read_text()) for path in paths}


def _page() -> str:
    lines = [
        "# Results",
        "",
        "Written by the programs of this folder, each table by the command above it. Machines are",
        "noisy: compare ratios within a table, not absolute times across tables.",
        *_sections(_WHOLE, "##"),
    ]
    short = _sections(_SHORT, "###")
    if short:
        lines += ["", "## Short forms", ""]
        lines += ["`make bench`: the same programs with fewer rounds, captchas or minutes.", *short]
    return "\n".join(lines) + "\n"


def _sections(part: str, heading: str) -> list[str]:
    lines = []
    plots = sorted((_FOLDER / "plots" / part).glob("*.png"))
    for name, entry in _entries(_RESULTS / part).items():
        lines += ["", f"{heading} {entry['title']}", "", *_images(name, plots)]
        lines += [f"    {entry['command']}", ""]
        lines += [f"{entry['date']}, {entry['machine']}.", "", "| figure | value |", "|---|---|"]
        lines += [f"| {name} | {_shown(value)} |" for name, value in entry["figures"].items()]
    for table, (title, command) in _TABLES.items():
        entries = _entries(_RESULTS / part / table)
        if entries:
            lines += ["", f"{heading} {title}", "", *_images(table, plots)]
            lines += [f"    {_in_part(part, command)}", "", *_table(entries)]
    return lines


def _images(name: str, plots: list[pathlib.Path]) -> list[str]:
    """Those of `plots` that stand here; they are taken out of it."""
    here = [path for path in plots if name.startswith(path.stem)]
    lines = []
    for path in here:
        plots.remove(path)
        place = path.relative_to(_FOLDER).as_posix()
        lines += [f"![Plot: {path.stem.replace('_', ' ')}]({place})", ""]
    return lines


def _table(entries: dict[str, dict[str, Any]]) -> list[str]:
    """A row an entry; each has its own command, date and machine."""
    columns = list(next(iter(entries.values()))["figures"])
    lines = ["| idea | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
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

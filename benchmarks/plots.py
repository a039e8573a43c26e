"""Draws what the ledger keeps: plots for benchmarks/RESULTS.md, which shows them.

  python benchmarks/plots.py                  # some seconds; from benchmarks/results
  BENCH_SHORT=1 python benchmarks/plots.py    # from benchmarks/results/short, as `make bench` does

Writes benchmarks/plots/NAME.png, of equal entries equal bytes. A plot whose entries are not there
is left out, and an older one of it stays. NAME begins the name of the first entry that it shows, so
that RESULTS.md puts it there.
"""

import functools
import pathlib
import sys

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import command_line


def main(_: list[str]) -> None:
    """Draws each plot whose entries are there."""
    # Here and not above: --help answers at once.
    from benchmarks import (
        ledger,
        plot_growth,
        plot_ideas,
        plot_peers,
        plot_reading_speed,
        plot_step_profile,
        plot_training,
    )
    from benchmarks.plot_figure import save

    plots = {  # Name: what draws it, and the program that measures what it shows.
        "train": (plot_training.draw, "training_run.py --n_fresh=20000"),
        "peers": (plot_peers.draw, "peers.py"),
        "reading_speed": (plot_reading_speed.draw, "reading_speed.py"),
        "growth": (plot_growth.draw, "growth.py"),
        "ideas": (functools.partial(plot_ideas.draw, "ideas"), "ideas.py --ideas=base,..."),
        "ideas_letters": (
            functools.partial(plot_ideas.draw, "ideas_letters"),
            "ideas.py --ideas=base,... --style=letters",
        ),
        "ideas_with_a_dataset": (
            functools.partial(plot_ideas.draw, "ideas_with_a_dataset"),
            "ideas.py --ideas=base,... --data_dir=runs/few --steps=2100",
        ),
        "step_profile": (plot_step_profile.draw, "step_profile.py"),
    }
    for name, (draw, program) in plots.items():
        drawn = draw()
        path = ledger.plots_folder() / f"{name}.png"
        if drawn is None:
            _say(f"{path.name} left out: not measured yet. python benchmarks/{program}")
        else:
            save(drawn, path)
            _say(f"{path.name} written")
    ledger.write_page()


def _say(what: str) -> None:
    print(f"plots | {what}", file=sys.stderr)


if __name__ == "__main__":
    command_line.run(main)

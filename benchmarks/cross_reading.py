r"""Whether a network that learnt from our pictures reads the library's as well, and the other way.

  python benchmarks/cross_reading.py                                # two trainings: half an hour
  python benchmarks/cross_reading.py --config=configs/quick.flags   # ten minutes
  python benchmarks/cross_reading.py --n=2000 --n_read=200 --train_flags="--max_steps=50" \
      --folder=runs/cross_try --norecord                            # does it run at all

Two datasets, of other random numbers: one drawn by the renderer `fast`, one by the library's own
code (`--renderer captcha`). A network is trained on each, exported, and reads fresh captchas of
ours and of the unmodified library. What is done is kept in --folder: run it again and it goes on.
"""

import dataclasses
import json
import math
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from absl import flags

import command_line

_N = flags.DEFINE_integer("n", 50000, "Captchas to train each network on.", lower_bound=10)
_N_READ = flags.DEFINE_integer(
    "n_read", 5000, "Fresh captchas of each kind to read.", lower_bound=1
)
_CONFIG = flags.DEFINE_string("config", "configs/captcha.flags", "Flagfile of the trainings.")
_TRAIN_FLAGS = flags.DEFINE_string("train_flags", "", "Further flags of train.py.")
_FOLDER = flags.DEFINE_string("folder", "runs/cross_reading", "Data, models, exports, figures.")
_RECORD = flags.DEFINE_bool("record", True, "Keep the figures in benchmarks/results.")

# Who draws the training data, and the seed; the library's has another one, as equal seeds would
# give equal bytes.
_DATASETS = {"fast": 0, "captcha": 1}
_READ = ("ours", "captcha")  # Who draws what is read, see read_fresh.py.
_LARGEST_DIFFERENCE_POINTS = 0.3


@dataclasses.dataclass(frozen=True)
class Step:
    """One command, and the file that says that it is done."""

    command: list[str]
    done: pathlib.Path


def _steps(folder: pathlib.Path) -> list[Step]:
    steps = []
    for renderer, seed in _DATASETS.items():
        data, model, export = (
            folder / f"{renderer}_{kind}" for kind in ("data", "model", "export")
        )
        steps += [
            Step(
                [
                    "data_gen",
                    f"--n={_N.value}",
                    f"--out={data}",
                    f"--renderer={renderer}",
                    f"--seed={seed}",
                ],
                data / "provenance.json",
            ),
            Step(
                [
                    "train.py",
                    f"--flagfile={_CONFIG.value}",
                    "--budget_minutes=0",  # As many steps for both.
                    f"--data_dir={data}",
                    f"--model_dir={model}",
                    *shlex.split(_TRAIN_FLAGS.value),
                ],
                folder / f"{renderer}_trained",
            ),
            Step(
                ["export", f"--model_dir={model}", f"--out={export}"],
                folder / f"{renderer}_exported",
            ),
        ]
        steps += [
            Step(
                [
                    "benchmarks/read_fresh.py",
                    f"--saved_model={export}",
                    f"--n={_N_READ.value}",
                    f"--renderer={read}",
                    f"--figures={_figures_file(folder, renderer, read)}",
                ],
                _figures_file(folder, renderer, read),
            )
            for read in _READ
        ]
    return steps


def main(_: list[str]) -> int:
    """Runs what is not done yet, then compares."""
    from benchmarks import ledger

    os.chdir(ROOT)  # The commands are written as they are typed there.
    folder = pathlib.Path(_FOLDER.value)
    folder.mkdir(parents=True, exist_ok=True)
    _check_same_settings(folder)
    for step in _steps(folder):
        if step.done.exists():
            continue
        print(f"\n{shlex.join(['python', *step.command])}", flush=True)
        status = subprocess.run([sys.executable, *step.command], check=False).returncode
        if status:
            return status
        step.done.touch()
    figures = _figures(folder)
    if _RECORD.value:
        title = (
            f"Networks trained on {_N.value} captchas of ours and of the library, each reading "
            f"{_N_READ.value} fresh ones of both; {_CONFIG.value}"
        )
        ledger.record("cross_reading", title, figures)
    else:
        ledger.show(figures)
    return 0


def _check_same_settings(folder: pathlib.Path) -> None:
    """Refuses to go on with what other settings began.

    Raises:
      ValueError: If the folder belongs to a run with other flags.
    """
    settings = {
        "n": _N.value,
        "n_read": _N_READ.value,
        "config": _CONFIG.value,
        "train_flags": _TRAIN_FLAGS.value,
    }
    path = folder / "settings.json"
    if not path.exists():
        path.write_text(json.dumps(settings, indent=2) + "\n")
    elif json.loads(path.read_text()) != settings:
        raise ValueError(
            f"`folder` must hold a run with the same flags, received {str(folder)!r}, begun with "
            f"{path.read_text()}. Remove it, or name another folder."
        )


def _figures(folder: pathlib.Path) -> dict[str, float | str]:
    figures: dict[str, float | str] = {}
    for renderer in _DATASETS:
        read = {
            kind: json.loads(_figures_file(folder, renderer, kind).read_text()) for kind in _READ
        }
        own, other = ("ours", "captcha") if renderer == "fast" else ("captcha", "ours")
        accuracies = {kind: read[kind]["sequence_accuracy"] for kind in _READ}
        for kind in _READ:
            figures[f"trained_on_{renderer}_reads_{kind}_sequence_accuracy"] = accuracies[kind]
            figures[f"trained_on_{renderer}_reads_{kind}_character_accuracy"] = read[kind][
                "character_accuracy"
            ]
        difference = 100 * (accuracies[other] - accuracies[own])
        error = 100 * math.sqrt(
            sum(a * (1 - a) / read[kind]["n"] for kind, a in accuracies.items())
        )
        figures[f"trained_on_{renderer}_other_minus_own_points"] = difference
        figures[f"trained_on_{renderer}_95_interval_of_it_points"] = (
            f"{difference - 1.96 * error:.2f} to {difference + 1.96 * error:.2f}"
        )
        figures[f"trained_on_{renderer}_within_{_LARGEST_DIFFERENCE_POINTS}_points"] = str(
            abs(difference) <= _LARGEST_DIFFERENCE_POINTS
        )
    return figures


def _figures_file(folder: pathlib.Path, renderer: str, read: str) -> pathlib.Path:
    return folder / f"{renderer}_reads_{read}.json"


if __name__ == "__main__":
    command_line.run(main)

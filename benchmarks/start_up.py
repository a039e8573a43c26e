r"""How long a user waits for the first answer of each program.

  python benchmarks/start_up.py               # two minutes
  python benchmarks/start_up.py --rounds=1 --norecord    # does it run at all

Seconds from the start of the whole command, TensorFlow's included, to its end, or to its log line
of the first step for a training; the CPU seconds of all threads beside them, which other programs
on the machine lengthen less. Commands run in turn; the first round, in which files come from the
disk, is not counted. The model that `predict.py` loads has one step of training: how good it is
makes no difference to the time.
"""

import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

import numpy as np
from absl import flags

import command_line
from benchmarks.timed_command import Spent, run_timed

_FIRST_STEP = "train | step      1 "
_TARGETS_SECS = {
    "train_help": 1.0,
    "data_gen_help": 1.0,
    "first_training_step": 15.0,
    "predict_one_file": 5.0,
}


def main(_: list[str]) -> None:
    """Measures, keeps the figures."""
    from benchmarks import ledger

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        picture = _prepare(folder)
        commands = {
            "train_help": (["train.py", "--help"], None),
            "data_gen_help": (["data_gen", "--help"], None),
            "first_training_step": (_training(folder / "timed", steps=2), _FIRST_STEP),
            "predict_one_file": (
                ["predict.py", f"--saved_model={folder / 'export'}", str(picture)],
                None,
            ),
        }
        spent = {command: [] for command in commands}
        for round_number in range(_ROUNDS.value + 1):
            for command, (arguments, last_line) in commands.items():
                # Help is shown with the status 1.
                statuses = (0, 1) if arguments[-1] == "--help" else (0,)
                took = run_timed(arguments, until=last_line, statuses=statuses)
                if round_number:
                    spent[command].append(took)
                _remove(folder / "timed")
    figures = start_up_figures(spent)
    if _RECORD.value:
        title = f"Waiting for the first answer; medians of {_ROUNDS.value} runs of whole commands"
        ledger.record("start_up", title, figures)
    else:
        ledger.show(figures)


def start_up_figures(spent: dict[str, list[Spent]]) -> dict[str, float | str]:
    """Medians and ranges of what each command took, beside what it may take."""
    figures: dict[str, float | str] = {}
    for command, rounds in spent.items():
        seconds = np.array([one.seconds for one in rounds])
        target = _TARGETS_SECS[command]
        reached = "reached" if np.median(seconds) <= target else "missed"
        figures[f"{command}_seconds"] = (
            f"{np.median(seconds):.2f} (from {seconds.min():.2f} to {seconds.max():.2f})"
        )
        figures[f"{command}_cpu_seconds"] = float(np.median([one.cpu_seconds for one in rounds]))
        figures[f"{command}_target"] = f"{target:g} s: {reached}"
    return figures


def _prepare(folder: pathlib.Path) -> pathlib.Path:
    """Writes a model, its export and a picture; returns the picture's path."""
    run_timed(_training(folder / "model", steps=1))
    run_timed(["export", f"--model_dir={folder / 'model'}", f"--out={folder / 'export'}"])
    pictures = folder / "pictures"
    run_timed(["records", "dump", _DATA.value, "--split=test", "--n=1", f"--out={pictures}"])
    (picture,) = pictures.glob("*.png")
    return picture


def _training(model_dir: pathlib.Path, steps: int) -> list[str]:
    return [
        "train.py",
        "--flagfile=configs/captcha.flags",
        f"--data_dir={_DATA.value}",
        f"--model_dir={model_dir}",
        "--mode=train",
        f"--max_steps={steps}",
        "--log_steps=1",
    ]


def _remove(folder: pathlib.Path) -> None:
    if folder.exists():
        subprocess.run(["rm", "-r", str(folder)], check=True)


if __name__ == "__main__":
    # Here and not above: a test that imports two such programs would define some flags twice.
    _DATA = flags.DEFINE_string("data_dir", "captcha_data", "Dataset, as data_gen wrote it.")
    _ROUNDS = flags.DEFINE_integer("rounds", 5, "Runs of each command that count.", lower_bound=1)
    _RECORD = flags.DEFINE_bool("record", True, "Keep the figures in benchmarks/results.")
    command_line.run(main)

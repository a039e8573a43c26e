r"""One training run from nothing, kept in the ledger: accuracy on the test set and what it took.

  python benchmarks/training_run.py --name=quick -- --flagfile=configs/quick.flags
  python benchmarks/training_run.py --name=no_shifts --title="Without shifts" -- \
      --flagfile=configs/quick.flags --shift_rows=0 --shift_columns=0

What stands after -- goes to train.py, which trains in a folder of its own. Seconds are those of the
whole command: TensorFlow's start, the check of the data, evaluations and checkpoints included.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from absl import flags

import command_line
import tensorflow_start

_NAME = flags.DEFINE_string("name", None, "Of the entry in the ledger, results/train_NAME.json.")
_TITLE = flags.DEFINE_string("title", None, "Of the entry. By default the flags of train.py.")

_LOGGED = re.compile(r"train \| step +(\d+) .*?\| loss +([\d.]+)")
_LEFT_PLATEAU = 1.8  # Of the loss, which is ln 10 = 2.303 at chance.


def main(train_flags: list[str]) -> int:
    """Runs train.py, shows what it says, keeps what came out."""
    tensorflow_start.import_quietly()
    from benchmarks import ledger
    from model.metrics import wilson_interval

    if not _NAME.value:
        raise ValueError("`name` must be given, received none. Set --name=quick, for example.")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as model_dir:
        process = subprocess.Popen(
            [sys.executable, "train.py", *train_flags, f"--model_dir={model_dir}"],
            stderr=subprocess.PIPE,
            text=True,
            cwd=sys.path[0],
        )
        losses = []
        for line in process.stderr:
            sys.stderr.write(line)
            losses += [(int(step), float(loss)) for step, loss in _LOGGED.findall(line)]
        if process.wait():
            return process.returncode
        seconds = time.monotonic() - started
        metrics = json.loads((pathlib.Path(model_dir) / "eval" / "metrics.json").read_text())
    n = int(metrics["n"])
    low, high = wilson_interval(metrics["sequence_accuracy"], n)
    ledger.record(
        f"train_{_NAME.value}",
        _TITLE.value or "train.py " + " ".join(train_flags),
        {
            "steps": int(metrics["global_step"]),
            "seconds": round(seconds),
            "sequence_accuracy": metrics["sequence_accuracy"],
            "sequence_accuracy_95_low": low,
            "sequence_accuracy_95_high": high,
            "character_accuracy": metrics["character_accuracy"],
            "n_test": n,
            "test_loss": metrics["loss"],
            "first_logged_step_with_loss_below_1.8": next(
                (step for step, loss in losses if loss < _LEFT_PLATEAU), "never"
            ),
        },
    )
    return 0


if __name__ == "__main__":
    command_line.run(main, positionals="FLAGS_OF_TRAIN...")

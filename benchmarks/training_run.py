r"""One training run, kept in the ledger: accuracy and what it took.

  python benchmarks/training_run.py --name=quick -- --flagfile=configs/quick.flags
  python benchmarks/training_run.py --name=captcha --n_fresh=20000 --keep=models/captcha -- \
      --flagfile=configs/captcha.flags
  python benchmarks/training_run.py --name=no_shifts --title="Without shifts" -- \
      --flagfile=configs/quick.flags --shift_rows=0 --shift_columns=0

What stands after -- goes to train.py, which trains in a folder of its own. `seconds` are those of
the whole command: TensorFlow's start, the check of the data, evaluations and checkpoints included;
`training_seconds` those of the steps alone. Accuracy is on the dataset's test set, or with
--n_fresh on captchas of --style that are drawn from a seed of their own. plots/train.png shows the
runs that begin from nothing, and not with weights that --warm_start_from names.
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

_N_FRESH = flags.DEFINE_integer(
    "n_fresh", 0, "Measure on so many fresh captchas; 0: on the test set.", lower_bound=0
)
_STYLE = flags.DEFINE_string("style", "default", "Of the fresh captchas.")
_KEEP = flags.DEFINE_string("keep", None, "Folder for the model. By default it is thrown away.")

_FRESH_SEED = 4242  # No dataset here has it.
_LOGGED = re.compile(r"train \| step +(\d+) .*?\| loss +([\d.]+)")
_LEFT_PLATEAU = 1.8  # Of the loss, which is ln 10 = 2.303 at chance.


def main(train_flags: list[str]) -> int:
    """Runs train.py, shows what it says, keeps what came out."""
    tensorflow_start.import_quietly()
    from benchmarks import ledger
    from model.metrics import wilson_interval

    if not _NAME.value:
        raise ValueError("`name` must be given, received none. Set --name=quick, for example.")
    if _KEEP.value and pathlib.Path(_KEEP.value).exists():
        raise ValueError(f"`keep` must not exist, received {_KEEP.value}. Remove or rename it.")
    with tempfile.TemporaryDirectory() as temporary:
        model_dir = pathlib.Path(_KEEP.value or temporary)
        started = time.monotonic()
        status, losses = _run([*train_flags, f"--model_dir={model_dir}"])
        seconds = time.monotonic() - started
        if status == 0 and _N_FRESH.value:
            status, _ = _run(_evaluation(model_dir))
        if status:
            return status
        training_seconds = _training_seconds(model_dir)
        evaluation = next(model_dir.glob("eval_*" if _N_FRESH.value else "eval"))
        metrics = json.loads((evaluation / "metrics.json").read_text())
    n = int(metrics["n"])
    low, high = wilson_interval(metrics["sequence_accuracy"], n)
    ledger.record(
        f"train_{_NAME.value}",
        _TITLE.value or "train.py " + " ".join(train_flags),
        {
            "steps": int(metrics["global_step"]),
            "seconds": round(seconds),
            "training_seconds": round(training_seconds),
            "sequence_accuracy": metrics["sequence_accuracy"],
            "sequence_accuracy_95_low": low,
            "sequence_accuracy_95_high": high,
            "character_accuracy": metrics["character_accuracy"],
            "n_test": n,
            "measured_on": f"fresh captchas of {_STYLE.value}" if _N_FRESH.value else "test set",
            "test_loss": metrics["loss"],
            "first_logged_step_with_loss_below_1.8": next(
                (step for step, loss in losses if loss < _LEFT_PLATEAU), "never"
            ),
        },
    )
    return 0


def _run(train_flags: list[str]) -> tuple[int, list[tuple[int, float]]]:
    """Runs train.py; returns its status and the loss of each logged step."""
    losses = []
    with subprocess.Popen(
        [sys.executable, "train.py", *train_flags],
        stderr=subprocess.PIPE,
        text=True,
        cwd=sys.path[0],
    ) as process:
        try:
            for line in process.stderr:
                sys.stderr.write(line)
                losses += [(int(step), float(loss)) for step, loss in _LOGGED.findall(line)]
        except BaseException:
            process.terminate()
            raise
    return process.returncode, losses


def _evaluation(model_dir: pathlib.Path) -> list[str]:
    fresh = f"live:{_STYLE.value}?seed={_FRESH_SEED}&n_test={_N_FRESH.value}"
    flagfile = f"--flagfile={model_dir / 'flags.txt'}"
    return [flagfile, "--mode=evaluate", f"--data_dir={fresh}", f"--model_dir={model_dir}"]


def _training_seconds(model_dir: pathlib.Path) -> float:
    """Of all steps together, without evaluations and checkpoints."""
    batch_size = int(re.search(r"--batch_size=(\d+)", (model_dir / "flags.txt").read_text())[1])
    from model.estimator import history

    rows = history.rows(model_dir, "train")
    steps = [0, *(row["global_step"] for row in rows)]
    return sum(
        (step - before) * batch_size / row["examples_per_sec"]
        for before, step, row in zip(steps, steps[1:], rows, strict=False)
    )


if __name__ == "__main__":
    command_line.run(main, positionals="FLAGS_OF_TRAIN...")

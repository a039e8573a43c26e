"""The whole chain, as `make run` runs it: generate, train, export, read. Ends with a table.

  python benchmarks/whole_chain.py                     # about ten minutes on 2 cores
  python benchmarks/whole_chain.py --n=2000 --flagfile=configs/quick.flags ...

Each stage is one of the project's own commands, printed before it runs, and can be run alone. A
dataset that is there is kept; a training that was stopped goes on; what was measured before is
remembered in runs/.
"""

import dataclasses
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from absl import flags

import command_line
import tensorflow_start

_N = flags.DEFINE_integer("n", 50000, "Captchas to train on.", lower_bound=1)
_FRESH = flags.DEFINE_integer(
    "fresh", 1000, "Fresh captchas for the export to read.", lower_bound=1
)
_CONFIG = flags.DEFINE_string("config", "configs/captcha.flags", "Flagfile of the training.")
_DATA = flags.DEFINE_string("data_dir", "captcha_data", "Dataset.")
_MODEL = flags.DEFINE_string("model_dir", "models/captcha", "Model.")
_EXPORT = flags.DEFINE_string("export_dir", "exports/captcha", "SavedModel versions.")
_RUNS = flags.DEFINE_string("runs_dir", "runs", "Figures and the pictures that were read.")
_EXTRA = flags.DEFINE_string("train_flags", "", "Further flags of train.py.")


@dataclasses.dataclass(frozen=True)
class Stage:
    """One command, and what it leaves."""

    name: str
    command: list[str]
    done: str | None = None  # If this file exists the stage is not run again.


def stages() -> list[Stage]:
    """The chain."""
    runs = pathlib.Path(_RUNS.value)
    return [
        Stage(
            "generate",
            ["data_gen", f"--n={_N.value}", f"--out={_DATA.value}"],
            done=f"{_DATA.value}/provenance.json",
        ),
        Stage(
            "train",
            [
                "train.py",
                f"--flagfile={_CONFIG.value}",
                f"--data_dir={_DATA.value}",
                f"--model_dir={_MODEL.value}",
                *shlex.split(_EXTRA.value),
            ],
        ),
        Stage("export", ["export", f"--model_dir={_MODEL.value}", f"--out={_EXPORT.value}"]),
        Stage(
            "read",
            [
                "benchmarks/read_fresh.py",
                f"--saved_model={_EXPORT.value}",
                f"--n={_FRESH.value}",
                f"--keep={runs / 'fresh'}",
                f"--figures={runs / 'read_fresh.json'}",
            ],
        ),
    ]


def main(_: list[str]) -> int:
    """Runs the stages; stops at the first that fails, with its status."""
    os.chdir(ROOT)  # The commands are written as they are typed there.
    chain = stages()
    for number, stage in enumerate(chain, start=1):
        shown = shlex.join(["python", *stage.command])
        print(f"\n[{number} of {len(chain)}] {stage.name}: {shown}", flush=True)
        if stage.done and pathlib.Path(stage.done).exists():
            print(f"{stage.done} is there: kept. Remove its folder to make it anew.", flush=True)
            continue
        status = _run(stage)
        if status:
            print(
                f"error: the stage {stage.name} must succeed, received status {status}. Mend what "
                "it says, then run the same command again.",
                file=sys.stderr,
            )
            return status
    print_table()
    return 0


def _run(stage: Stage) -> int:
    """Runs one stage and remembers how long it took; a training in several parts adds up."""
    step, started = _trained_steps(), time.monotonic()
    try:
        return subprocess.run([sys.executable, *stage.command], check=False).returncode
    finally:
        seconds = time.monotonic() - started
        if stage.name != "train":
            _remember(stage.name, seconds)
        elif _trained_steps() > step:
            _remember(stage.name, seconds + (_known_seconds().get("train", 0) if step else 0))


def _trained_steps() -> int:
    """The step of the newest checkpoint of the model; 0 if there is none."""
    names = [path.stem for path in pathlib.Path(_MODEL.value).glob("ckpt-*.index")]
    return max((int(name.removeprefix("ckpt-")) for name in names), default=0)


def print_table() -> None:
    """What came out, where it lies and what to type next."""
    tensorflow_start.import_quietly()
    from model.metrics import wilson_interval

    provenance = _read(pathlib.Path(_DATA.value) / "provenance.json")
    total = sum(shard["examples"] for split in provenance["shards"].values() for shard in split)
    seconds = _known_seconds()
    test = _read(pathlib.Path(_MODEL.value) / "eval" / "metrics.json")
    fresh = _read(pathlib.Path(_RUNS.value) / "read_fresh.json")
    rate = f"{total / seconds['generate']:.0f} a second" if "generate" in seconds else "kept"
    trained = f"{seconds['train'] / 60:.1f} minutes" if "train" in seconds else "before"

    def reading(accuracy, n):
        low, high = wilson_interval(accuracy, n)
        return (
            f"{100 * accuracy:.2f} %  (95 % interval {100 * low:.2f} to {100 * high:.2f}, n = {n})"
        )

    rows = [
        ("captchas generated", f"{total}, {rate}"),
        ("training", f"{int(test['global_step'])} steps, {trained}"),
        ("test set, whole captchas", reading(test["sequence_accuracy"], int(test["n"]))),
        ("test set, single characters", f"{100 * test['character_accuracy']:.2f} %"),
        ("export, fresh whole captchas", reading(fresh["sequence_accuracy"], fresh["n"])),
        ("export, single characters", f"{100 * fresh['character_accuracy']:.2f} %"),
        ("dataset", f"{_DATA.value}  (look at {_DATA.value}/preview.png)"),
        ("model", f"{_MODEL.value}  (tensorboard --logdir {_MODEL.value})"),
        ("report", f"{_MODEL.value}/report.html"),
        ("SavedModel", _EXPORT.value),
        ("next", f"{_python()} predict.py --saved_model {_EXPORT.value} {_RUNS.value}/fresh"),
    ]
    width = max(len(name) for name, _ in rows)
    line = "-" * (width + 62)
    print("\n" + line)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")
    print(line)


def _remember(stage: str, seconds: float) -> None:
    path = _seconds_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**_known_seconds(), stage: round(seconds, 1)}, indent=2) + "\n")


def _known_seconds() -> dict[str, float]:
    return _read(_seconds_file()) if _seconds_file().exists() else {}


def _seconds_file() -> pathlib.Path:
    return pathlib.Path(_RUNS.value) / "seconds.json"


def _read(path: pathlib.Path) -> dict:
    return json.loads(path.read_text())


def _python() -> str:
    """How this Python is called from here."""
    python = pathlib.Path(sys.executable)
    return str(python.relative_to(ROOT)) if python.is_relative_to(ROOT) else "python"


if __name__ == "__main__":
    command_line.run(main)

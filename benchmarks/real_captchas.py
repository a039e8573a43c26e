r"""How well real captchas are read after training on a few labelled ones.

  python benchmarks/real_captchas.py --data=real_4digit --labelled=200 --name=fine_tuned_200 -- \
      --flagfile=configs/fine_tune.flags
  python benchmarks/real_captchas.py --data=real_4digit --labelled=2000 --name=from_scratch_2000 \
      -- --flagfile=configs/from_scratch.flags

--data is a folder of pictures with labels.csv (`file,label`) and corrections.csv
(`file,label,correct`), which says which of those labels are wrong. It trains as
docs/real_captchas.md says, on so many pictures under their labels as published, and reads all
others; by the corrected labels. Each seed draws other pictures to train on. What stands after --
goes to train.py. `seconds` are those of the whole command train.py, TensorFlow's start and its
evaluation included.
"""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from absl import flags

import command_line
import tensorflow_start
from benchmarks.published_labels import published_labels

_DATA = flags.DEFINE_string("data", None, "Folder of pictures with the two lists.", required=True)
_LABELLED = flags.DEFINE_integer("labelled", 200, "Pictures to train on.", lower_bound=1)
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "Which pictures those are; and of train.py.")
_WIDTH = flags.DEFINE_integer("width", 100, "Pixels that pictures are stretched to, across.")
_HEIGHT = flags.DEFINE_integer("height", 30, "And down.")
_NAME = flags.DEFINE_string("name", None, "Of the entry in the ledger. None keeps nothing.")


def main(train_flags: list[str]) -> None:
    """Imports, trains, reads; once for each seed."""
    tensorflow_start.import_quietly()
    from benchmarks import ledger
    from model.metrics import wilson_interval

    with tempfile.TemporaryDirectory() as name:
        runs = [
            _trained(pathlib.Path(name) / seed, int(seed), train_flags) for seed in _SEEDS.value
        ]
    n = sum(corrected["n"] for _, corrected, _ in runs)
    whole, characters = (
        sum(corrected[accuracy] * corrected["n"] for _, corrected, _ in runs) / n
        for accuracy in ("sequence_accuracy", "character_accuracy")
    )
    low, high = wilson_interval(whole, int(n))
    figures = {
        "pictures_trained_on": _LABELLED.value,
        "runs": len(runs),
        "n_test": int(n),
        "sequence_accuracy_by_corrected_labels": whole,
        "sequence_accuracy_95_low": low,
        "sequence_accuracy_95_high": high,
        "character_accuracy_by_corrected_labels": characters,
    }
    for seed, (published, corrected, seconds) in zip(_SEEDS.value, runs, strict=True):
        figures |= {
            f"seed {seed}: sequence_accuracy": corrected["sequence_accuracy"],
            f"seed {seed}: character_accuracy": corrected["character_accuracy"],
            f"seed {seed}: sequence_accuracy_by_published_labels": published["sequence_accuracy"],
            f"seed {seed}: seconds": round(seconds),
        }
    if _NAME.value:
        title = f"Real captchas, {_LABELLED.value} labelled: {_NAME.value}"
        ledger.record(f"real_{_NAME.value}", title, figures)
    else:
        ledger.show(figures)


def _trained(
    folder: pathlib.Path, seed: int, train_flags: list[str]
) -> tuple[dict[str, float], dict[str, float], float]:
    """What is read of the pictures not trained on, by published and corrected labels; seconds."""
    folder.mkdir()
    files = published_labels(_DATA.value)
    published = [(path, label) for path, label, _ in files]
    corrected = [(path, label) for path, _, label in files]
    for name, rows in (("published", published), ("corrected", corrected)):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(("file", "label"))
            lines.writerows(rows)
        # The same pictures to train on under both labels: the split is by pixels.
        _run(
            "data_gen",
            f"--from_images={folder / name}.csv",
            f"--width={_WIDTH.value}",
            f"--height={_HEIGHT.value}",
            "--resize=stretch",
            f"--n_test={len(files) - _LABELLED.value}",
            f"--seed={seed}",
            f"--out={folder / name}",
        )
    model = folder / "model"
    data = f"--data_dir={folder / 'published'}"
    started = time.monotonic()
    _run("train.py", *train_flags, data, f"--model_dir={model}", f"--seed={seed}")
    seconds = time.monotonic() - started
    data = f"--data_dir={folder / 'corrected'}"
    _run("train.py", f"--flagfile={model / 'flags.txt'}", "--mode=evaluate", data)
    by_published, by_corrected = (
        json.loads((folder / "metrics.json").read_text())
        for folder in (model / "eval", next(model.glob("eval_*")))
    )
    return by_published, by_corrected, seconds


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    command_line.run(main, positionals="FLAGS_OF_TRAIN...")

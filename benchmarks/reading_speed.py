"""How fast an exported network reads, and how well, in each of its forms; and ddddocr beside it.

  python benchmarks/reading_speed.py --model_dir=models/captcha       # fifteen minutes
  python benchmarks/reading_speed.py --n=300 --files=1000 --rounds=3  # two minutes

Everyone reads the same captchas, drawn from the "fresh" stream that nothing is trained on. Readers
run in processes of their own and take turns, so that compared rounds lie seconds apart; threads:
benchmarks/reading_worker.py. Milliseconds are of `read_images`, from pixels to texts, and for
ddddocr of `classification`, from PNG bytes. Commands are timed whole, their start included.

ddddocr is measured if it is installed (pip install ddddocr).
"""

import importlib.util
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

import numpy as np
from absl import flags
from PIL import Image

import command_line
import tensorflow_start
from benchmarks.reading_worker import DDDDOCR, THREADS, Worker
from benchmarks.timed_command import Spent, run_timed
from data_gen.example import make_example
from data_gen.style_file import load_style
from export.variants import OF_FORMAT, file_name

_BASE = "saved_model_float32"  # What the others are compared with.

_MODEL = flags.DEFINE_string("model_dir", "models/captcha", "What train.py wrote.")
_STYLE = flags.DEFINE_string("style", "default", "Preset or TOML file the captchas are drawn in.")
_N = flags.DEFINE_integer("n", 5000, "Captchas to read for accuracy.", lower_bound=1)
_FILES = flags.DEFINE_integer("files", 10_000, "Files that predict.py reads.", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 7, "That count, of each measurement.", lower_bound=1)
_READERS = flags.DEFINE_list("readers", None, f"Only these, and {_BASE}; None: all.")
_COMMANDS_ROUNDS = 3  # At most: a command on many files takes its time.
_NAME = flags.DEFINE_string("name", "reading_speed", "Of the entry in the ledger.")
_RECORD = flags.DEFINE_bool("record", True, "Keep the figures in benchmarks/results.")

_FOLDER = "runs/reading_speed"
_BATCHES = (1, 8, 64, 512)
_IMAGES_A_ROUND = 512
_CALLS_A_ROUND = 200  # At most.
_DDDDOCR_CALLS = 40
_COMMANDS = (_BASE, "saved_model_bfloat16", "tflite_float32", "tflite_int8_full")
_SEED = 1  # Not that of read_fresh.py, so that together they are more captchas.


def main(_: list[str]) -> None:
    """Exports, draws, measures, keeps the figures."""
    os.chdir(ROOT)
    folder = pathlib.Path(_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    _log("export")
    readers = _export(folder)
    if importlib.util.find_spec(DDDDOCR) is None:
        _log("ddddocr is not installed, so it is left out. pip install ddddocr")
    elif _is_wanted(DDDDOCR):
        readers[DDDDOCR] = DDDDOCR
    _log("draw")
    labels = _draw(folder)
    figures: dict[str, float | str] = {"n": _N.value, "files": _FILES.value}
    _log("predict.py, whole commands")
    # First, while this process is small: see benchmarks/timed_command.py.
    figures.update(_command_figures(readers, folder))
    figures.update(_accuracy_figures(readers, labels, folder))
    figures.update(_speed_figures(readers, folder))
    from benchmarks import ledger

    if _RECORD.value:
        title = "Reading with an exported network, and with ddddocr"
        ledger.record(_NAME.value, title, figures)
    else:
        ledger.show(figures)


def _export(folder: pathlib.Path) -> dict[str, str]:
    """Writes the network in the forms to measure; paths by name."""
    own = ["export", f"--model_dir={_MODEL.value}"]
    readers = {}
    for precision, formats in (("float32", OF_FORMAT), ("bfloat16", {})):
        name = f"saved_model_{precision}"
        if not _is_wanted(name):
            continue
        light = {
            suffix: [variant for variant in variants if _is_wanted(f"{suffix[1:]}_{variant}")]
            for suffix, variants in formats.items()
        }
        files = [f"--{suffix[1:]}={','.join(some)}" for suffix, some in light.items() if some]
        out = folder / precision
        run_timed([*own, f"--out={out}", f"--precision={precision}", *files])
        version = max(out.iterdir(), key=lambda path: path.name)
        readers[name] = str(version)
        for suffix, variants in light.items():
            for variant in variants:
                path = version / "assets.extra" / file_name(suffix, variant)
                readers[f"{suffix[1:]}_{variant}"] = str(path)
    return readers


def _is_wanted(reader: str) -> bool:
    return not _READERS.value or reader in (_BASE, *_READERS.value)


def _draw(folder: pathlib.Path) -> list[str]:
    """Writes the captchas, as pixels and as files; returns the labels."""
    style = load_style(_STYLE.value)
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    for old in pictures.glob("*.png"):
        old.unlink()
    images, labels = [], []
    for index in range(max(_N.value, _FILES.value, *_BATCHES)):
        example = make_example(style, _SEED, "fresh", index)
        if index < max(_N.value, *_BATCHES):
            images.append(example.image)
            labels.append(example.label)
        if index < _FILES.value:
            Image.fromarray(example.image).save(pictures / f"{index:06d}.png")
    np.save(folder / "pixels.npy", np.stack(images))
    return labels[: _N.value]


def _command_figures(readers: dict[str, str], folder: pathlib.Path) -> dict[str, float | str]:
    """`predict.py` on one file and on all."""
    pictures = folder / "pictures"
    figures = {}
    for what, names in (("one_file", [f"{pictures}/000000.png"]), ("files", [str(pictures)])):
        spent: dict[str, list[Spent]] = {name: [] for name in _COMMANDS if name in readers}
        for round_number in range(1 + min(_ROUNDS.value, _COMMANDS_ROUNDS)):
            for name, counted in spent.items():
                took = run_timed(["predict.py", f"--saved_model={readers[name]}", *names])
                if round_number:  # In the first one, files come from the disk.
                    counted.append(took)
        for name, rounds in spent.items():
            seconds = [one.seconds for one in rounds]
            figures[f"predict_{what}_{name}_seconds"] = _range(seconds)
            cpu = np.median([one.cpu_seconds for one in rounds])
            figures[f"predict_{what}_{name}_cpu_seconds"] = float(cpu)
            if what == "files":
                rate = _FILES.value / np.median(seconds)
                figures[f"predict_files_{name}_files_per_second"] = float(rate)
    return figures


def _accuracy_figures(
    readers: dict[str, str], labels: list[str], folder: pathlib.Path
) -> dict[str, float | str]:
    """Whole captchas and single characters of each, all on the same pictures."""
    read = {}
    for name, path in readers.items():
        _log(f"accuracy of {name}")
        worker = Worker(path, "default", str(folder / "pixels.npy"))
        batch = 1 if path == DDDDOCR else 64
        found = worker.read(range(0, _N.value, batch), batch)
        read[name] = found.texts[: _N.value]
        worker.close()
    # Only now: it loads TensorFlow.
    tensorflow_start.import_quietly()
    from benchmarks.reading_accuracy import accuracy_figures

    return accuracy_figures(read, labels)


def _speed_figures(readers: dict[str, str], folder: pathlib.Path) -> dict[str, float | str]:
    """Milliseconds a call and images a second, of batches of each size."""
    figures = {}
    for threads in THREADS:
        workers = {
            name: Worker(path, threads, str(folder / "pixels.npy"))
            for name, path in readers.items()
        }
        for batch in _BATCHES:
            _log(f"batches of {batch}, {threads} thread{'' if threads == 'one' else 's'}")
            taking_part = {
                name: worker for name, worker in workers.items() if batch == 1 or name != DDDDOCR
            }
            figures.update(_batch_figures(taking_part, batch, threads))
        for worker in workers.values():
            worker.close()
    return figures


def _batch_figures(workers: dict[str, Worker], batch: int, threads: str) -> dict[str, float | str]:
    seconds: dict[str, list[np.ndarray]] = {name: [] for name in workers}
    for round_number in range(_ROUNDS.value + 1):
        for name, worker in workers.items():
            most = _DDDDOCR_CALLS if name == DDDDOCR else _CALLS_A_ROUND
            calls = min(most, max(2, _IMAGES_A_ROUND // batch))
            starts = [batch * (call % (_IMAGES_A_ROUND // batch)) for call in range(calls)]
            took = worker.read(starts, batch).seconds
            if round_number:  # The first one is warm-up: allocation, tracing.
                seconds[name].append(np.array(took))
    figures = {}
    for name, rounds in seconds.items():
        label = f"{name}_{threads}_thread{'' if threads == 'one' else 's'}_batch_{batch}"
        p50, p99 = np.percentile(np.concatenate(rounds), [50, 99])
        figures[f"{label}_p50_ms"] = float(1000 * p50)
        figures[f"{label}_p99_ms"] = float(1000 * p99)
        figures[f"{label}_images_per_second"] = float(batch / p50)
        base = seconds[_BASE]
        if rounds is not base:
            ratios = [np.median(b) / np.median(r) for b, r in zip(base, rounds, strict=True)]
            figures[f"{label}_to_{_BASE}"] = _range(ratios)
    return figures


def _log(what: str) -> None:
    print(f"reading_speed | {what}", file=sys.stderr)


def _range(values: list[float]) -> str:
    return f"{np.median(values):.2f} (from {min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    command_line.run(main)

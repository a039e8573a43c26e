r"""How time and memory grow with the number of captchas, the batch and the size of the picture.

  python benchmarks/growth.py                  # half an hour, 11 GB of disk
  python benchmarks/growth.py --parts=n --n=2000,8000,32000      # short: a minute or two

Everything is a whole command in a process of its own, its start included, which is what a line has
where n is 0. Memory is the largest resident set of its largest process.

  generation  python data_gen --n N
  reading     one pass through the shuffled input of a training, in a process that does only that
  verify      python records verify
  training    train.py, some steps; of n captchas, with a batch, of pictures of a size
  predict     predict.py on n files, with a batch, on pictures of a size

Sizes are 100x30 times a number on each side; memory is told for each pixel of a batch of 64.
"""

import pathlib
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from absl import flags

import command_line
import tensorflow_start
from benchmarks.straight_line import fit_line
from benchmarks.timed_command import Spent, run_timed

_STEPS = 5  # Of a training: memory is at its most after the first ones.
_BATCH_SIZE = 64
_MOST_FILES = 20000  # That predict.py reads: beyond it takes minutes.
_WIDTH, _HEIGHT = 100, 30
_TITLES = {
    "n": "the number of captchas",
    "batch": "the batch",
    "size": "the size of the picture",
}


def main(_: list[str]) -> None:
    """Measures, keeps the figures."""
    if _READ.value:
        _read(_READ.value)
        return
    from benchmarks import ledger

    parts = {"n": _over_n, "batch": _over_batches, "size": _over_sizes}
    unknown = [part for part in _PARTS.value if part not in parts]
    if unknown:
        raise ValueError(
            f"`parts` must be of {', '.join(parts)}, received {unknown[0]!r}. Leave it out."
        )
    for part in _PARTS.value:
        figures, series = {}, {}
        with tempfile.TemporaryDirectory(dir=_FOLDER.value) as name:
            for (what, axis), points in parts[part](pathlib.Path(name)).items():
                figures |= line_figures(what, axis, points)
                series[f"{what}: {axis}, seconds, MB"] = [
                    [x, one.seconds, one.peak_mb] for x, one in points
                ]
        if _RECORD.value:
            title = f"Time and memory against {_TITLES[part]}"
            ledger.record(f"growth_{part}", title, figures, series)
        else:
            ledger.show(figures)


def line_figures(what: str, axis: str, points: list[tuple[float, Spent]]) -> dict[str, float | str]:
    """Slopes of memory, and of time where x is a number of captchas, with the largest deviation."""
    xs = [x for x, _ in points]
    over = f"{min(xs):g} to {max(xs):g}"
    figures: dict[str, float | str] = {f"{what}_{axis}": over}
    if axis == "n":
        line = fit_line(xs, [one.seconds for _, one in points])
        figures[f"{what}_microseconds_for_one_more"] = 1e6 * line.slope
        figures[f"{what}_seconds_for_none"] = line.intercept
        figures[f"{what}_seconds_largest_deviation_percent"] = 100 * line.largest_deviation
    line = fit_line(xs, [one.peak_mb for _, one in points])
    unit = {"n": "kb_for_one_more", "batch": "kb_for_one_more_in_a_batch"}.get(
        axis, "bytes_for_one_more_pixel"
    )
    scale = 1e6 if axis == "pixels" else 1e3
    figures[f"{what}_{axis}_{unit}"] = scale * line.slope
    figures[f"{what}_{axis}_mb"] = f"{points[0][1].peak_mb:.0f} to {points[-1][1].peak_mb:.0f}"
    figures[f"{what}_{axis}_mb_largest_deviation_percent"] = 100 * line.largest_deviation
    return figures


def _over_n(folder: pathlib.Path) -> dict:
    found = {(what, "n"): [] for what in ("generation", "reading", "verify", "training", "predict")}
    export = None
    for n in map(int, _N.value):
        data = folder / f"data{n}"
        generate = ["data_gen", f"--n={n}", "--n_test=1", f"--out={data}"]
        found["generation", "n"].append((n, run_timed(generate)))
        read = ["benchmarks/growth.py", f"--read={data}"]
        found["reading", "n"].append((n, run_timed(read)))
        found["verify", "n"].append((n, run_timed(["records", "verify", str(data)])))
        model = folder / f"model{n}"
        found["training", "n"].append((n, run_timed(_training(data, model))))
        export = export or _export(model, folder)
        num_files = min(n, _MOST_FILES)
        if num_files not in [x for x, _ in found["predict", "n"]]:
            pictures = _pictures(data, num_files, folder)
            found["predict", "n"].append((num_files, run_timed(_predict(export, pictures))))
        shutil.rmtree(data)
    if len(found["predict", "n"]) < 3:
        del found["predict", "n"]  # A line needs three.
    return found


def _over_batches(folder: pathlib.Path) -> dict:
    sizes = sorted(map(int, _BATCH_SIZES.value))
    data = folder / "data"
    run_timed(["data_gen", f"--n={2 * sizes[-1]}", "--n_test=1", f"--out={data}"])
    pictures = _pictures(data, 2 * sizes[-1], folder)
    found = {("training", "batch"): [], ("predict", "batch"): []}
    export = None
    for size in sizes:
        model = folder / f"model{size}"
        found["training", "batch"].append((size, run_timed(_training(data, model, size))))
        export = export or _export(model, folder)
        found["predict", "batch"].append((size, run_timed(_predict(export, pictures, size))))
    return found


def _over_sizes(folder: pathlib.Path) -> dict:
    found = {(what, "pixels"): [] for what in ("generation", "training", "predict")}
    for scale in map(float, _SCALES.value):
        width, height = round(_WIDTH * scale), round(_HEIGHT * scale)
        place = folder / f"{width}x{height}"
        data, model = place / "data", place / "model"
        generate = ["data_gen", "--n=2000", "--n_test=1", f"--width={width}", f"--height={height}"]
        pixels = width * height * _BATCH_SIZE
        found["generation", "pixels"].append((pixels, run_timed([*generate, f"--out={data}"])))
        found["training", "pixels"].append((pixels, run_timed(_training(data, model))))
        predict = _predict(_export(model, place), _pictures(data, 4 * _BATCH_SIZE, place))
        found["predict", "pixels"].append((pixels, run_timed(predict)))
        shutil.rmtree(place)
    return found


def _training(data: pathlib.Path, model: pathlib.Path, batch_size: int = _BATCH_SIZE) -> list[str]:
    return [
        "train.py",
        f"--data_dir={data}",
        f"--model_dir={model}",
        "--mode=train",
        f"--max_steps={_STEPS}",
        f"--batch_size={batch_size}",
    ]


def _export(model: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    run_timed(["export", f"--model_dir={model}", f"--out={folder / 'export'}"])
    return folder / "export"


def _pictures(data: pathlib.Path, num: int, folder: pathlib.Path) -> pathlib.Path:
    pictures = folder / f"pictures{num}"
    run_timed(["records", "dump", str(data), f"--n={num}", f"--out={pictures}"])
    return pictures


def _predict(
    export: pathlib.Path, pictures: pathlib.Path, batch_size: int = _BATCH_SIZE
) -> list[str]:
    return [
        "predict.py",
        f"--saved_model={export}",
        f"--batch_size={batch_size}",
        str(pictures),
    ]


def _read(data_dir: str) -> None:
    tensorflow_start.import_quietly()
    from records.input_fn import input_fn_maker

    folder = pathlib.Path(data_dir)
    batches = input_fn_maker(
        folder / "train", folder / "data_info.csv", shuffle=True, batch_size=_BATCH_SIZE, epoch=1
    )()
    for _ in batches:
        pass


if __name__ == "__main__":
    # Here and not above: a test that imports two such programs would define some flags twice.
    _N = flags.DEFINE_list("n", ["10000", "30000", "100000", "300000", "1000000"], "Captchas.")
    _BATCH_SIZES = flags.DEFINE_list("batch_sizes", ["64", "256", "512", "1024"], "Captchas.")
    _SCALES = flags.DEFINE_list("scales", ["1", "2", "3", "4"], "Times 100x30, on each side.")
    _PARTS = flags.DEFINE_list("parts", ["n", "batch", "size"], "Which to measure.")
    _FOLDER = flags.DEFINE_string(
        "folder", None, "Where datasets go, and are removed; by default /tmp."
    )
    _RECORD = flags.DEFINE_bool("record", True, "Keep the figures in benchmarks/results.")
    _READ = flags.DEFINE_string(
        "read", None, "Run by this program itself: reads this dataset once."
    )
    command_line.run(main)

"""A plot of what was measured, and of nothing else."""

import sys

import numpy as np
import pytest
from PIL import Image

from benchmarks import ledger, plot_step_profile, plots


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Of an empty ledger."""
    monkeypatch.setattr(ledger, "_FOLDER", tmp_path)
    monkeypatch.setattr(ledger, "_RESULTS", tmp_path / "results")
    monkeypatch.setattr(sys, "argv", ["benchmarks/some.py", "--n=5"])
    monkeypatch.delenv("BENCH_SHORT", raising=False)
    return tmp_path


def training(seconds, right, n=20000):
    return {
        "training_seconds": seconds,
        "sequence_accuracy": right,
        "sequence_accuracy_95_low": right - 0.001,
        "sequence_accuracy_95_high": min(right + 0.001, 1.0),
        "n_test": n,
        "measured_on": "fresh captchas of default",
    }


def keep_trainings():
    ledger.record("train_quick", "Quick", training(100, 0.986))
    ledger.record("train_captcha", "Default", training(640, 0.9962))
    ledger.record("train_live", "Live", training(640, 0.9961))  # Beside the one before.
    ledger.record("train_all_right", "An axis of logarithms has no 0", training(5000, 1.0))


def keep_peers():
    for name, rate in (("book", 0.1), ("ours", 1.0), ("captcha_break", 0.3), ("keras_ocr", 0.2)):
        seconds = np.geomspace(10, 1800, 30)
        right = 1 - np.maximum(np.exp(-seconds * rate / 60), 0.008)
        columns = "seconds, images, sequence_accuracy, character_accuracy"
        rows = np.stack([seconds, 64 * seconds * rate, right, right**0.25], axis=1).tolist()
        ledger.record(f"peers_{name}", name, {"parameters": 760000}, {columns: rows})
    ledger.record("peers", "All of them", {"ours: parameters": 760000})


READERS = (
    "saved_model_float32",
    "saved_model_bfloat16",
    "tflite_float32",
    "tflite_float16",
    "tflite_int8",
    "tflite_int8_full",
    "onnx_float32",
    "onnx_int8",
    "ddddocr",
)


def keep_reading_speed():
    figures = {"n": 5000}
    for index, name in enumerate(READERS):
        for threads in ("one_thread", "default_threads"):
            for batch in (1, 8, 64, 512)[: 1 if name == "ddddocr" else 4]:
                rate = (100 + 150 * index) * batch**0.3
                figures[f"{name}_{threads}_batch_{batch}_p50_ms"] = 1000 * batch / rate
                figures[f"{name}_{threads}_batch_{batch}_p99_ms"] = 1500 * batch / rate
                figures[f"{name}_{threads}_batch_{batch}_images_per_second"] = rate
                figures[f"{name}_{threads}_batch_{batch}_to_saved_model_float32"] = (
                    "2 (from 1 to 3)"
                )
    ledger.record("reading_speed", "Reading", figures)


def keep_growth():
    for axis, xs, whats in (
        ("n", (1e4, 1e5, 1e6), ("generation", "reading", "verify", "training", "predict")),
        ("batch", (64, 256, 512, 1024), ("training", "predict")),
        ("pixels", (192e3, 768e3, 3072e3), ("generation", "training", "predict")),
    ):
        series = {}
        for index, what in enumerate(whats):
            rows = [[x, 4 + index + x * 1e-4, 500 + 100 * index + x * 1e-5] for x in xs]
            series[f"{what}: {axis}, seconds, MB"] = rows
        ledger.record(f"growth_{axis}", "Growth", {"n": 1}, series)


def keep_ideas(table="ideas"):
    for index in range(20):
        name = "base" if index == 6 else f"idea_{index}"
        right = 98.6 + (index - 6) * 0.06 if index else 61.0
        interval = f"{right - 0.15:.2f}% to {right + 0.15:.2f}%"
        figures = {"whole captchas": f"{right:.2f}%", "95 % interval": interval}
        ledger.record_row(table, name, f"red, green, blue in order {index}", figures)


def keep_step_profile(precisions=("bfloat16", "float32")):
    figures = {}
    for factor, precision in enumerate(precisions, start=1):
        for layer, ms in (
            ("conv1_1", 3.0),
            ("conv2_1", 1.5),
            ("position_0+position_1", 0.1),
        ):
            figures[f"{precision}_{layer}_time_and_percent_of_peak"] = (
                f"forward {factor * ms:.2f} ms (35 %), by_inputs {factor * ms:.2f} ms (40 %), "
                f"by_weights {factor * ms:.2f} ms (7 %)"
            )
        figures[f"{precision}_all_layers_ms"] = 13.8 * factor
        for number in range(12):
            ms = factor * 9 / (1 + number)
            figures[f"{precision}_op_Conv2DBackprop{number}"] = (
                f"{ms:.2f} ms, {20 - number} %, 6 calls"
            )
        figures[f"{precision}_all_ops_ms"] = 30.0 * factor
    ledger.record("step_profile_small", "A training step of `small`, 64 captchas", figures)


KEPT = {
    "train": keep_trainings,
    "peers": keep_peers,
    "reading_speed": keep_reading_speed,
    "growth": keep_growth,
    "ideas": keep_ideas,
    "ideas_letters": lambda: keep_ideas("ideas_letters"),
    "ideas_with_a_dataset": lambda: keep_ideas("ideas_with_a_dataset"),
    "step_profile": keep_step_profile,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", KEPT)
def test_what_was_measured_is_drawn_and_all_else_left_out_with_a_line(folder, capsys, name):
    KEPT[name]()
    plots.main([])
    (path,) = (folder / "plots").iterdir()
    assert path.name == f"{name}.png"
    image = Image.open(path)
    assert image.format == "PNG"
    assert image.info.keys() <= {"dpi"}  # No date, no version.
    width, height = image.size
    assert width == 1000
    assert 300 < height < 1500
    pixels = np.asarray(image.convert("L"))
    for part in np.array_split(pixels, 3):  # Something above, in the middle and below.
        assert 0.002 < np.mean(part < 200) < 0.5
    said = capsys.readouterr().err.splitlines()
    assert len(said) == len(KEPT)
    for line in said:
        written = line == f"plots | {name}.png written"
        assert written or ("left out: not measured yet. python benchmarks/" in line)
    page = (folder / "RESULTS.md").read_text()
    assert page.count("](plots/") == 1
    heading, image_line = page[: page.index("](plots/")].split("\n\n")[-2:]
    assert heading.startswith("## ")  # The image stands at the head of its section.
    assert image_line.startswith("![Plot: ")


def test_equal_entries_give_equal_bytes_and_a_plot_left_out_stays_as_it_was(folder):
    keep_trainings()
    path = folder / "plots" / "train.png"
    plots.main([])
    first = path.read_bytes()
    plots.main([])
    assert path.read_bytes() == first
    for entry in (folder / "results").iterdir():
        entry.unlink()
    plots.main([])
    assert path.read_bytes() == first


@pytest.mark.parametrize("precisions", [("bfloat16", "float32"), ("float32",)])
def test_a_step_profile_has_two_plots_for_each_precision_measured(folder, precisions):
    keep_step_profile(precisions)
    figure = plot_step_profile.draw()
    assert len(figure.axes) == 2 * len(precisions)


@pytest.mark.parametrize(
    "figures",
    [training(10, 0.5, n=5000), {"n_test": 20000, "sequence_accuracy": 0.9}],
    ids=["few_were_read", "no_interval"],
)
def test_a_training_that_cannot_be_compared_is_not_drawn(folder, figures):
    ledger.record("train_some", "Some", figures)
    plots.main([])
    assert not (folder / "plots").exists()


def test_a_training_that_did_not_begin_from_nothing_is_not_drawn(folder, monkeypatch):
    """Its time is not all that it took."""
    arguments = ["benchmarks/training_run.py", "--name=some", "--", "--warm_start_from=models/live"]
    monkeypatch.setattr("sys.argv", arguments)
    ledger.record("train_some", "Some", training(100, 0.986))
    plots.main([])
    assert not (folder / "plots").exists()


def test_ideas_without_their_base_are_not_drawn(folder):
    keep_ideas()
    (folder / "results" / "ideas" / "base.json").unlink()
    plots.main([])
    assert not (folder / "plots").exists()


def test_short_forms_are_drawn_from_their_own_part(folder, monkeypatch):
    keep_trainings()
    monkeypatch.setenv("BENCH_SHORT", "1")
    plots.main([])
    assert not (folder / "plots").exists()
    keep_growth()
    plots.main([])
    assert [path.name for path in (folder / "plots" / "short").iterdir()] == ["growth.png"]
    assert "![Plot: growth](plots/short/growth.png)" in (folder / "RESULTS.md").read_text()

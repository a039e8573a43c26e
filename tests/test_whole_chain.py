"""The real commands, one after the other, on a small set in a fresh folder."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from training.config import TrainConfig

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chain(tmp_path_factory, run_program):
    """What `make run` runs, on 400 captchas for 30 steps: the folder, and the finished process."""
    folder = tmp_path_factory.mktemp("chain")
    arguments = [
        "benchmarks/whole_chain.py",
        "--n=400",
        "--fresh=50",
        "--config=configs/quick.flags",
        f"--data_dir={folder / 'data'}",
        f"--model_dir={folder / 'model'}",
        f"--export_dir={folder / 'exports'}",
        f"--runs_dir={folder / 'runs'}",
        "--train_flags=--max_steps=30 --log_steps=10 --batch_size=16",
    ]
    return folder, arguments, run_program(*arguments)


def test_the_chain_ends_with_its_table(chain):
    _, _, done = chain
    assert done.returncode == 0, done.stderr
    for stage in ("[1 of 4] generate", "[2 of 4] train", "[3 of 4] export", "[4 of 4] read"):
        assert stage in done.stdout
    table = done.stdout.rpartition("\n---")[0].rpartition("---\n")[2]
    rows = dict(line.split("  ", 1) for line in table.splitlines())
    assert rows["captchas generated"].strip().startswith("440, ")
    assert "30 steps" in rows["training"]
    for name, n in (("test set, whole captchas", 40), ("export, fresh whole captchas", 50)):
        assert "95 % interval" in rows[name]
        assert f"n = {n})" in rows[name]
    assert "predict.py --saved_model" in rows["next"]


def test_every_stage_shows_its_progress_as_plain_lines(chain):
    _, _, done = chain
    for line in ("draw | 440 of 440 captchas", "train | step     30 of 30", "eval  | step     30",
                 "read | 50 of 50 captchas"):  # fmt: skip
        assert line in done.stderr
    assert "\r" not in done.stderr


def test_the_dataset_verifies(chain, run_program):
    folder, _, _ = chain
    done = run_program("records", "verify", folder / "data")
    assert done.returncode == 0, done.stdout + done.stderr


def test_predict_reads_files_as_the_export_reads_pixels_and_as_the_estimator_does(
    chain, run_program
):
    from export.reader import Reader
    from model.captcha_estimator import load_estimator

    folder, _, _ = chain
    done = run_program("predict.py", f"--saved_model={folder / 'exports'}", folder / "runs/fresh")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 20
    images = np.stack([np.asarray(Image.open(row["file"])) for row in rows])
    readings = Reader(folder / "exports").read_images(images)
    assert [row["text"] for row in rows] == readings.texts
    np.testing.assert_allclose(
        [float(row["confidence"]) for row in rows], readings.confidences, atol=1e-6
    )
    estimator, description = load_estimator(folder / "model")

    def input_fn():
        import tensorflow as tf

        return tf.data.Dataset.from_tensor_slices({"image": images}).batch(7)

    predictions = list(estimator.predict(input_fn))
    texts = ["".join(description.alphabet[digit] for digit in p["digits"]) for p in predictions]
    assert texts == readings.texts
    probabilities = np.stack([p["probabilities"] for p in predictions])
    np.testing.assert_allclose(probabilities, readings.probabilities, atol=1e-5)


def test_run_again_the_chain_keeps_the_data_and_the_finished_training(chain, run_program):
    folder, arguments, done = chain
    provenance = (folder / "data" / "provenance.json").stat().st_mtime_ns
    metrics = json.loads((folder / "model" / "eval" / "metrics.json").read_text())
    again = run_program(*arguments)
    assert again.returncode == 0, again.stderr
    assert "is there: kept" in again.stdout
    minutes = [line for line in (done.stdout + again.stdout).splitlines() if "30 steps, " in line]
    assert len(set(minutes)) == 1, "the time of the training, not of finding it finished"
    assert "Skipping training since max_steps has already saved." in again.stderr
    assert (folder / "data" / "provenance.json").stat().st_mtime_ns == provenance
    assert json.loads((folder / "model" / "eval" / "metrics.json").read_text()) == metrics


def test_a_stage_that_fails_stops_the_chain_with_its_own_line(chain, run_program):
    _, arguments, _ = chain
    done = run_program(*arguments, "--train_flags=--net=resnet")
    assert done.returncode == 1
    assert f"net {TrainConfig.net!r} against 'resnet'" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: the stage train must succeed")
    assert "[3 of 4]" not in done.stdout

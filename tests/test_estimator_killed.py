"""Killed, terminated or interrupted at any moment, a run goes on and ends as one that was not."""

import json
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from killed_training import differences, tensors

from model.estimator import history

MAX_STEPS = 48  # So many that a run is not over before a signal can reach it.
AIMS = {"step", "checkpoint", "restore", "evaluation", "export", "best", "history", "cut"}


@pytest.mark.slow
@pytest.mark.timeout(2000)  # On a busy machine.
@pytest.mark.parametrize(
    ("variant", "num_kills"), [("plain", 50), ("looped", 16)], ids=["plain", "looped"]
)
def test_a_run_killed_at_any_moment_goes_on_and_ends_with_the_same_bits(
    tmp_path, run_program, variant, num_kills
):
    """Weights, optimizer, averages, seeds, order of examples, metrics, best one, exports."""
    done = run_program("tests/killed_training.py", tmp_path, variant, num_kills, 7, timeout=1900)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    kills = [line for line in told if "aim" in line]
    assert len(kills) == num_kills
    assert {kill["aim"] for kill in kills} == AIMS | {"any"}
    ends = [line for line in told if "differences" in line]
    assert ends == [{"run": number, "differences": []} for number in range(len(ends))]
    assert ends


# Signals, to the real program


def start(data, model_dir) -> subprocess.Popen:
    command = [sys.executable, "train.py", f"--data_dir={data}", f"--model_dir={model_dir}"]
    command += [f"--max_steps={MAX_STEPS}", "--batch_size=8", "--warmup_steps=1", "--log_steps=1"]
    command += ["--save_checkpoints_steps=5", "--eval_steps=6", "--precision=float32"]
    command += ["--dropout=0.5", "--dropout_from_step=2"]
    command += ["--candidates=2"]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def signalled(data, model_dir, at: str | None, *numbers) -> tuple[int, list[str]]:
    """Status and lines of a run that gets signals as soon as a line has `at` in it.

    If that is None, it gets them while it loads TensorFlow.
    """
    process = start(data, model_dir)
    lines = []
    if at is None:
        _wait_until_it_loads_tensorflow(process)
    else:
        for line in process.stderr:
            lines.append(line.rstrip("\n"))
            if at in line:
                break
    for number in numbers:
        process.send_signal(number)
        if len(numbers) > 1:
            time.sleep(0.05)  # Two of them that wait to be delivered are one.
    rest = process.communicate(timeout=200)[1]
    return process.returncode, lines + rest.splitlines()


def _wait_until_it_loads_tensorflow(process: subprocess.Popen) -> None:
    maps = pathlib.Path(f"/proc/{process.pid}/maps")
    while process.poll() is None and "tensorflow" not in maps.read_text():
        time.sleep(0.01)


def outcome(model_dir) -> dict:
    found = tensors(model_dir / f"ckpt-{MAX_STEPS}")
    rows = history.rows(model_dir)
    for row in rows:
        row.pop("examples_per_sec", None)
    return {**found, "history": rows, "metrics": (model_dir / "eval/metrics.json").read_text()}


@pytest.fixture(autouse=True)
def ctrl_c_reaches_programs():
    """A shell that runs the tests in the background ignores it, and so would what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
def test_a_run_that_signals_end_again_and_again_saves_says_so_and_ends_with_the_same_bits(
    small_dataset, tmp_path
):
    whole, model_dir = tmp_path / "whole", tmp_path / "model"
    status, lines = signalled(small_dataset, whole, "config |")
    assert status == 0, lines

    # While TensorFlow loads: nothing is there yet.
    status, lines = signalled(small_dataset, model_dir, None, signal.SIGTERM)
    assert (status, lines[-1]) == (143, "error: terminated")
    assert not list(model_dir.glob("ckpt-*"))

    # In training: the step in progress is finished and saved, the last line but one says which.
    for after, number, name, last in [
        (2, signal.SIGTERM, "SIGTERM", (143, "error: terminated")),
        (4, signal.SIGINT, "SIGINT", (130, "error: interrupted")),
    ]:
        status, lines = signalled(small_dataset, model_dir, f"train | step {after:6d} of", number)
        assert (status, lines[-1]) == last
        step = history.rows(model_dir)[-1]["global_step"]
        assert step >= after
        assert f"train | step {step:6d} | {name}, saved; run again to go on" in lines[-2]
        assert (model_dir / f"ckpt-{step}.index").exists()

    # In an evaluation: there is a checkpoint from before it.
    status, lines = signalled(small_dataset, model_dir, "save  | step      6", signal.SIGTERM)
    assert (status, lines[-1]) == (143, "error: terminated")

    # The second signal does not wait for the checkpoint.
    status, lines = signalled(
        small_dataset, model_dir, "train | step      8 of", signal.SIGTERM, signal.SIGTERM
    )
    assert (status, lines[-1]) == (143, "error: terminated")

    status, lines = signalled(small_dataset, model_dir, "config |")
    assert status == 0, lines
    assert differences(outcome(whole), outcome(model_dir)) == []

import gzip
import json
import pathlib
import subprocess
import sys
import time

import pytest
import tensorflow as tf
import toy_hooks
from toy_estimator import collect_log, line_estimator, line_input_fn

from model.estimator import EvalSpec, TrainSpec, train_and_evaluate
from model.estimator.hooks import Hook
from model.estimator.profiler_hook import ProfilerHook, parse_profile


def profiles_in(folder):
    return sorted((pathlib.Path(folder) / "plugins" / "profile").glob("*"))


@pytest.mark.parametrize(
    ("text", "steps"), [("100:110", (100, 110)), ("0:1", (0, 1)), ("007:8", (7, 8))]
)
def test_a_range_is_two_numbers(text, steps):
    assert parse_profile(text) == steps


@pytest.mark.parametrize(
    "text",
    ["", "100", "100:", ":110", "110:100", "5:5", "-1:5", "1:2:3", "a:b", "1.0:2", " 1:2", "١:٢"],
)
def test_another_range_is_refused_in_one_line_that_shows_it(text):
    with pytest.raises(ValueError, match="must be START:STOP") as at:
        parse_profile(text)
    assert repr(text) in str(at.value)
    assert "\n" not in str(at.value)


@pytest.mark.parametrize(("start", "stop"), [(5, 5), (6, 5), (-1, 5)])
def test_a_hook_refuses_an_empty_range(start, stop):
    with pytest.raises(ValueError, match=f"received '{start}:{stop}'"):
        ProfilerHook(start, stop)


@pytest.mark.slow
def test_the_steps_of_the_range_are_profiled_and_no_others(tmp_path, monkeypatch):
    lines = collect_log(monkeypatch)
    hook = ProfilerHook(2, 4)
    toy_hooks.train(hook, tmp_path, range(6), last_step=6)
    (folder,) = profiles_in(tmp_path)
    (trace,) = folder.glob("*.trace.json.gz")
    events = json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]
    assert len([event for event in events if event["name"] == "train"]) == 2
    assert [path.suffix for path in sorted(folder.glob("*.pb"))] == [".pb"]
    table = (folder / "ops.txt").read_text()
    assert table.startswith("2 steps of ")
    (row,) = [line for line in table.splitlines() if line.endswith("  MatMul")]  # The node.
    assert float(row.split()[2]) == 1.0, "calls a step"
    assert any("MatMul" in line for line in lines)
    assert "profile | steps 3 to 4" in lines


@pytest.mark.slow
def test_a_trace_has_processes_threads_and_spans_with_times(tmp_path):
    toy_hooks.train(ProfilerHook(0, 2), tmp_path, range(3), last_step=3)
    (folder,) = profiles_in(tmp_path)
    (trace,) = folder.glob("*.trace.json.gz")
    events = json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]
    assert {event["ph"] for event in events} == {"M", "X"}
    spans = [event for event in events if event["ph"] == "X"]
    named = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    assert {(span["pid"], span["tid"]) for span in spans} <= named
    assert all(span["dur"] > 0 for span in spans)
    steps, products = (
        sorted(
            (span["ts"], span["ts"] + span["dur"])
            for span in spans
            if span["name"].split(":")[0] == name
        )
        for name in ("train", "MatMul")
    )
    assert len(steps) == 2
    assert steps[0][1] <= steps[1][0]
    for (begin, end), (product_begin, product_end) in zip(steps, products, strict=True):
        assert begin <= product_begin < product_end <= end


@pytest.mark.parametrize(
    ("start", "options", "steps", "message"),
    [
        (0, {"last_step": 5}, range(5), "begins at or after the last step, 5"),
        (30, {"last_step": 40}, range(30, 35), "is over: the training goes on from step 30"),
        (0, {"last_step": None}, range(5), "was not reached by step 5"),
        (0, {"last_step": 40, "stop_reason": "target"}, range(5), "was not reached by step 5"),
    ],
    ids=["beyond_the_end", "behind", "input_ended", "stopped_early"],
)
def test_a_range_that_is_not_reached_is_said(tmp_path, monkeypatch, start, options, steps, message):
    lines = collect_log(monkeypatch)
    toy_hooks.train(ProfilerHook(10, 20), tmp_path, steps, **options)
    assert lines == [f"profile | nothing: the range 10:20 {message}. Give another."]
    assert profiles_in(tmp_path) == []


def test_a_pause_before_the_range_is_no_reason_to_complain(tmp_path, monkeypatch):
    lines = collect_log(monkeypatch)
    toy_hooks.train(ProfilerHook(10, 20), tmp_path, range(5), last_step=40)
    assert lines == []


def test_it_is_said_once_however_often_the_training_pauses(tmp_path, monkeypatch):
    lines = collect_log(monkeypatch)
    hook = ProfilerHook(10, 20)
    for first in (30, 32, 34):
        toy_hooks.train(hook, tmp_path, range(first, first + 2), last_step=40)
    assert len(lines) == 1


class Pause(Hook):
    """TensorFlow names a profile by its second."""

    def end(self, run):
        time.sleep(1.1)


@pytest.mark.slow
def test_the_estimator_profiles_its_training_steps_and_no_evaluation(tmp_path):
    estimator = line_estimator(tmp_path)
    hook = ProfilerHook(2, 6)
    train = TrainSpec(line_input_fn(), max_steps=8, hooks=[hook])
    evaluation = EvalSpec(line_input_fn(repeat=False), every_steps=4, hooks=[Pause()])
    train_and_evaluate(estimator, train, evaluation)
    tables = [(folder / "ops.txt").read_text() for folder in profiles_in(tmp_path)]
    assert [table.split(" of ")[0] for table in tables] == ["2 steps", "2 steps"]


@pytest.mark.slow
def test_a_loop_of_steps_is_profiled_whole_and_its_time_shared_out(tmp_path):
    estimator = line_estimator(tmp_path, steps_per_loop=4)
    estimator.train(line_input_fn(), steps=16, hooks=[ProfilerHook(5, 7)])
    (folder,) = profiles_in(tmp_path)
    (trace,) = folder.glob("*.trace.json.gz")
    events = json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]
    (loop,) = [event for event in events if event["name"] == "train"]
    steps, rest = (folder / "ops.txt").read_text().split(" steps of ")
    assert steps == "4"
    assert float(rest.split()[0]) == pytest.approx(loop["dur"] / 1e3 / 4, abs=0.01)


def test_only_the_chief_profiles(tmp_path):
    toy_hooks.train(ProfilerHook(0, 2), tmp_path, range(3), last_step=3, is_chief=False)
    assert profiles_in(tmp_path) == []


@pytest.mark.slow
def test_a_run_that_ends_within_the_range_leaves_a_whole_profile_and_the_profiler_free(tmp_path):
    hook = ProfilerHook(1, 10, tmp_path / "else")
    toy_hooks.train(hook, tmp_path, range(3), last_step=3)
    (folder,) = profiles_in(tmp_path / "else")
    assert (folder / "ops.txt").read_text().startswith("2 steps of ")
    tf.profiler.experimental.start(str(tmp_path))  # Refused while another one is at it.
    tf.profiler.experimental.stop(save=False)


@pytest.mark.slow
def test_after_an_error_within_the_range_the_next_training_has_the_profiler(tmp_path):
    hook = ProfilerHook(0, 10)
    with pytest.raises(RuntimeError, match="of the step"):
        toy_hooks.train(hook, tmp_path, range(2), last_step=20, fails_at=1)
    toy_hooks.train(hook, tmp_path, range(8, 12), last_step=20)
    tables = [path.read_text() for path in tmp_path.rglob("ops.txt")]
    assert [table.split(" of ")[0] for table in tables] == ["2 steps"]


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["error", "exit"])
def test_a_process_that_ends_within_the_range_leaves_a_profile(tmp_path, ending):
    program = f"""
import pathlib, sys
sys.path[:0] = ["tests"]
import toy_hooks
from model.estimator import EvalSpec, TrainSpec, train_and_evaluate
from model.estimator.hooks import Hook
from model.estimator.profiler_hook import ProfilerHook
folder = pathlib.Path({str(tmp_path)!r})
fails_at = {1 if ending == "error" else None}
toy_hooks.train(ProfilerHook(0, 9), folder, range(3), last_step=20, fails_at=fails_at, ends=False)
sys.exit(7)
"""
    root = pathlib.Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == (1 if ending == "error" else 7), done.stderr
    (folder,) = profiles_in(tmp_path)
    (path,) = folder.glob("*.xplane.pb")
    assert path.stat().st_size > 0


def test_a_folder_that_cannot_be_written_does_not_end_the_training(tmp_path, monkeypatch):
    lines = collect_log(monkeypatch)
    (tmp_path / "file").write_text("")
    toy_hooks.train(ProfilerHook(0, 1, tmp_path / "file"), tmp_path, range(2), last_step=2)
    assert any(line.startswith("profile | not written: ") for line in lines)

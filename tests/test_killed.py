"""Killed, interrupted or terminated at any moment: the old dataset is there, or the new one."""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT
from tiny_dataset import files_of

from records.description import load_description
from records.verify import verify_dataset

NUM_KILLS = 50
SEED = 4
# The second is enough for two worker processes.
SIZES = (("--n=40", "--n_test=8"), ("--n=560", "--n_test=8"))
# Small pictures, by the library itself, which has nothing to compile first.
LOOK = ("--width=40", "--height=20", "--length=2", "--renderer=captcha", "--workers=2")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["swap", "renames", "dump"])
def test_killed_at_each_thing_that_it_does_to_the_file_system(tmp_path, run_program, how):
    done = run_program("tests/killed_writer.py", tmp_path / "work", how)
    assert done.returncode == 0, done.stderr
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(kills) > (10 if how == "dump" else 50)
    found = [kill["found"] for kill in kills]
    # The old one (no dump yet), then the new one; between two renames, for one moment, none.
    assert found == sorted(found, key=["old", "none", "new"].index)
    assert found.count("none") == (1 if how == "renames" else 0)
    assert {"old", "new"} <= set(found)
    for kill in kills:
        assert kill["half"] == []
        assert kill["again"] == "new"
    if how != "dump":  # A dump that is there is not written again, so its empty lock stays.
        assert all(kill["beside"] == ["data"] for kill in kills)


@dataclasses.dataclass(frozen=True)
class Run:
    """`python data_gen` over the dataset `out`, in a process group of its own."""

    process: subprocess.Popen
    out: pathlib.Path

    def ended(self) -> tuple[int, str]:
        """Waits for the program and all of its workers, which hold the same standard error."""
        _, stderr = self.process.communicate(timeout=120)
        return self.process.returncode, stderr

    def wait_until_it_writes(self) -> None:
        """Most of a run that short is loading modules."""
        partial = partial_of(self.out)
        while self.process.poll() is None and (
            not partial.exists() or (partial / "of_a_killed_run").exists()
        ):
            time.sleep(0.002)


def partial_of(out):
    return out.with_name(f"{out.name}.partial")


def start(out, size, seed) -> Run:
    if partial_of(out).exists():
        (partial_of(out) / "of_a_killed_run").touch()
    command = [sys.executable, "data_gen", *size, *LOOK, f"--seed={seed}", f"--out={out}"]
    process = subprocess.Popen(
        [*command, "--overwrite"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    return Run(process, out)


@pytest.fixture(autouse=True)
def ctrl_c_reaches_programs():
    """A shell that runs the tests in the background ignores it, and so would what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """For each size and seed what a run leaves that nobody disturbs, and how long it takes."""
    cases = [(size, seed) for size in SIZES for seed in (0, 1)]
    return {case: whole_run(tmp_path_factory.mktemp("whole"), *case) for case in cases}


@dataclasses.dataclass(frozen=True)
class Whole:
    files: dict[str, bytes]
    secs_before_writing: float
    secs_writing: float


def whole_run(folder, size, seed) -> Whole:
    out = folder / "data"
    began = time.monotonic()
    run = start(out, size, seed)
    run.wait_until_it_writes()
    wrote = time.monotonic()
    status, stderr = run.ended()
    assert status == 0, stderr
    return Whole(files_of(out), wrote - began, time.monotonic() - wrote)


def is_whole_or_refused(folder) -> bool:
    try:
        load_description(folder)
    except (ValueError, OSError):
        return True
    return list(verify_dataset(folder)) == []


@pytest.mark.slow
def test_fifty_kills_at_random_moments_leave_one_of_two_whole_datasets(whole, tmp_path):
    """Each run replaces what is there by the other seed's; some kills spare the workers."""
    out = tmp_path / "data"
    rng = np.random.default_rng(SEED)
    assert start(out, SIZES[0], 0).ended()[0] == 0
    there = files_of(out)
    num_killed = 0
    while num_killed < NUM_KILLS:
        size = SIZES[num_killed % 6 == 0]
        seed = 1 if there == whole[size, 0].files else 0
        new = whole[size, seed]
        run = start(out, size, seed)
        if rng.integers(3):
            run.wait_until_it_writes()
            time.sleep(rng.uniform(0, new.secs_writing))
        else:
            time.sleep(rng.uniform(0, new.secs_before_writing))
        if run.process.poll() is None:
            kill = os.kill if num_killed % 12 == 0 else os.killpg
            kill(run.process.pid, signal.SIGKILL)
        status, _ = run.ended()  # Orphans too: one that went on would let this wait for ever.
        num_killed += status == -signal.SIGKILL
        found = files_of(out)
        assert found in (there, new.files)
        there = found
        for folder in tmp_path.iterdir():
            assert is_whole_or_refused(folder)
    assert start(out, SIZES[1], 0).ended()[0] == 0
    assert files_of(out) == whole[SIZES[1], 0].files
    assert os.listdir(tmp_path) == ["data"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signal_number", "status", "line"),
    [
        (signal.SIGINT, 130, "error: interrupted"),
        (signal.SIGTERM, 143, "error: terminated"),
    ],
    ids=["ctrl_c", "terminated"],
)
@pytest.mark.parametrize("to_workers_too", [True, False], ids=["group", "parent"])
def test_stopped_at_random_moments_it_says_so_in_one_line_and_leaves_nothing(
    whole, tmp_path, signal_number, status, line, to_workers_too
):
    out = tmp_path / "data"
    rng = np.random.default_rng((SEED, signal_number, to_workers_too))
    assert start(out, SIZES[0], 0).ended()[0] == 0
    old = files_of(out)
    new = whole[SIZES[1], 1]
    num_stopped = 0
    while num_stopped < 2:
        run = start(out, SIZES[1], 1)
        run.wait_until_it_writes()
        time.sleep(rng.uniform(0, new.secs_writing))
        (os.killpg if to_workers_too else os.kill)(run.process.pid, signal_number)
        received, stderr = run.ended()
        assert os.listdir(tmp_path) == ["data"]
        if received == 0:  # It came too late.
            assert files_of(out) == new.files
            continue
        num_stopped += 1
        errors = [text for text in stderr.splitlines() if " | " not in text]
        assert (received, errors) == (status, [line])
        assert files_of(out) in (old, new.files)

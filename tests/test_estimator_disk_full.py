"""A training on a full disk: one line, whole checkpoints; with room again it goes on."""

import shutil

import pytest
from killed_training import differences, result, train, write_data
from small_disk import ENOUGH_BYTES, PAGE_BYTES, resize

from model.estimator import Estimator, checkpoint_hook, evaluation, history
from model.estimator.best_checkpoint import KeepBest
from model.estimator.checkpoint_file import CheckpointFile
from model.estimator.checkpoints import checkpoints_in
from model.estimator.summaries import Summaries


def fill(disk, pages_left=0) -> None:
    used = shutil.disk_usage(disk).used
    resize(disk, max(1, used + pages_left * PAGE_BYTES))  # 0 would be no limit.


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "data"
    write_data(folder)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory, data):
    model_dir = tmp_path_factory.mktemp("whole") / "model"
    train(data, model_dir, "plain")
    return result(model_dir)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("owner", "name", "call", "pages_left"),
    [
        (checkpoint_hook, "save_checkpoint", 0, 0),
        (checkpoint_hook, "save_checkpoint", 3, 0),
        (checkpoint_hook, "save_checkpoint", 3, 4),
        (Summaries, "write", 1, 0),
        (history, "append", 3, 0),
        (evaluation, "write_metrics", 1, 0),
        (Estimator, "export_saved_model", 0, 0),
        (Estimator, "export_saved_model", 1, 5),
        (KeepBest, "keep", 0, 0),
    ],
    ids=[
        "first_checkpoint",
        "a_checkpoint",
        "half_a_checkpoint",
        "events",
        "history",
        "metrics",
        "export",
        "half_an_export",
        "best",
    ],
)
def test_training_stops_with_one_line_and_goes_on_once_there_is_room(
    disk, data, whole, monkeypatch, owner, name, call, pages_left
):
    model_dir = disk / "model"
    original = getattr(owner, name)
    num_calls = 0

    def called(*arguments, **options):
        nonlocal num_calls
        if num_calls == call:
            fill(disk, pages_left)
        num_calls += 1
        return original(*arguments, **options)

    with monkeypatch.context() as context:
        context.setattr(owner, name, called)
        with pytest.raises(OSError, match="No space left on device") as caught:
            train(data, model_dir, "plain")
    assert "\n" not in str(caught.value)
    assert num_calls > call
    for path in checkpoints_in(model_dir):
        CheckpointFile(path).check_whole()
    resize(disk, ENOUGH_BYTES)
    train(data, model_dir, "plain")
    assert differences(whole, result(model_dir)) == []
    assert not list(model_dir.rglob("*partial*"))


@pytest.mark.slow
@pytest.mark.parametrize("pages_left", [2, 40], ids=["flags", "a_checkpoint"])
def test_the_program_says_so_in_one_line(disk, small_dataset, run_program, pages_left):
    def run():
        return run_program(
            "train.py",
            f"--data_dir={small_dataset}",
            f"--model_dir={disk / 'model'}",
            "--max_steps=2",
            "--batch_size=8",
            "--warmup_steps=1",
        )

    fill(disk, pages_left)
    done = run()
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if " | " not in line]
    assert len(errors) == 1, done.stderr
    assert errors[0].startswith("error: ")
    assert "No space left on device" in errors[0]
    assert "Make room" in errors[0]
    resize(disk, ENOUGH_BYTES)
    done = run()
    assert done.returncode == 0, done.stderr

import errno
import importlib
import json
import os

import numpy as np
import pytest
from toy_estimator import line_estimator, line_input_fn

from model.estimator.best_checkpoint import KeepBest, best_checkpoint
from model.estimator.best_record import BestRecord
from model.estimator.checkpoint_file import CheckpointFile

# The package has a function of this name.
module = importlib.import_module("model.estimator.best_checkpoint")
NAN = float("nan")


@pytest.fixture(scope="module")
def estimator(tmp_path_factory):
    """Checkpoints of steps 1 to 6, whose weights differ."""
    return line_estimator(
        tmp_path_factory.mktemp("model"), save_checkpoints_steps=1, keep_checkpoint_max=9
    ).train(line_input_fn(), steps=6)


def keep(estimator, folder, step, accuracy, **options):
    """What `train_and_evaluate` does after an evaluation at `step`."""
    evaluation = {"accuracy": accuracy, "loss": 1.0, "global_step": step, "n": 2}
    return KeepBest("accuracy", **options).keep(
        folder, f"{estimator.model_dir}/ckpt-{step}", evaluation
    )


def kept_step(folder):
    """The step of the best checkpoint, which can be read whole; None if there is none."""
    path = best_checkpoint(folder)
    if path is None:
        return None
    file = CheckpointFile(path)
    assert np.isfinite(file.value("w"))
    assert json.loads((folder / "best/best.json").read_text())["global_step"] == file.global_step
    return file.global_step


@pytest.mark.parametrize(
    ("options", "values", "kept"),
    [
        ({}, [0.5, 0.6, 0.4], [1, 2, 2]),
        ({}, [0.5, 0.5, 0.5], [1, 1, 1]),
        ({}, [NAN, 0.1, NAN], [None, 2, 2]),
        ({}, [0.5, float("inf"), 0.6], [1, 1, 3]),
        ({"higher_is_better": False}, [0.5, 0.6, 0.4], [1, 1, 3]),
        ({"higher_is_better": False}, [NAN, 0.6, 0.7], [None, 2, 2]),
    ],
    ids=["rises", "equal", "nan", "inf", "error", "error_nan"],
)
def test_the_checkpoint_of_the_best_evaluation_is_kept(estimator, tmp_path, options, values, kept):
    for step, value in enumerate(values, start=1):
        path = keep(estimator, tmp_path, step, value, **options)
        assert kept_step(tmp_path) == kept[step - 1]
        assert path == (best_checkpoint(tmp_path) if kept[step - 1] == step else None)
    assert sorted(os.listdir(tmp_path / "best")) == [
        "best.json",
        f"ckpt-{kept[-1]}.data-00000-of-00001",
        f"ckpt-{kept[-1]}.index",
    ]


def test_without_one_there_is_none(tmp_path):
    assert best_checkpoint(tmp_path) is None


def test_it_outlives_the_checkpoint_and_can_be_evaluated(tmp_path):
    estimator = line_estimator(tmp_path, keep_checkpoint_max=1).train(line_input_fn(), steps=1)
    evaluation = estimator.evaluate(line_input_fn(repeat=False))
    KeepBest("loss", higher_is_better=False).keep(
        tmp_path, estimator.latest_checkpoint(), evaluation
    )
    estimator.train(line_input_fn(), steps=1)
    assert not (tmp_path / "ckpt-1.index").exists()
    again = line_estimator(tmp_path).evaluate(
        line_input_fn(repeat=False), checkpoint_path=best_checkpoint(tmp_path)
    )
    assert again == evaluation
    assert estimator.global_step == 2  # `best/` is not where a training goes on from.


def test_what_is_best_is_known_to_the_next_process(estimator, tmp_path):
    keep(estimator, tmp_path, 1, 0.9)
    assert keep(estimator, tmp_path, 2, 0.8) is None
    assert kept_step(tmp_path) == 1


def no_link(error=errno.EPERM):
    raise OSError(error, "no links here")


@pytest.mark.parametrize("error", [None, errno.EPERM, errno.EXDEV], ids=["link", "none", "other"])
def test_without_hard_links_it_is_a_copy(estimator, tmp_path, monkeypatch, error):
    if error is not None:
        monkeypatch.setattr(os, "link", lambda *_: no_link(error))
    path = keep(estimator, tmp_path, 3, 0.5)
    assert kept_step(tmp_path) == 3
    assert os.path.samefile(f"{path}.index", f"{estimator.model_dir}/ckpt-3.index") == (
        error is None
    )


class KilledError(BaseException):
    pass


def kill_at(function, number):
    """Stands for a function or a method; kills in the place of its call number `number`."""
    calls = []

    def call(*arguments, **options):
        calls.append(arguments)
        if len(calls) == number:
            raise KilledError
        return function(*arguments, **options)

    return call


@pytest.mark.parametrize("begins_anew", [False, True], ids=["next_step", "same_step"])
@pytest.mark.parametrize("links", [True, False], ids=["link", "copy"])
@pytest.mark.parametrize(
    ("owner", "what", "number"),
    [
        *[(os, "replace", number) for number in range(1, 7)],
        (module, "_put", 1),
        (module, "_put", 2),
        (BestRecord, "write", 1),
        (module, "_remove_others", 1),
        *[(module.pathlib.Path, "unlink", number) for number in range(1, 9)],
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_there_is_a_whole_best_one_whenever_it_is_killed(
    estimator, tmp_path, monkeypatch, owner, what, number, links, begins_anew
):
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: no_link())
    before = estimator
    if begins_anew:
        before = line_estimator(tmp_path / "before", rate=0.02).train(line_input_fn(), steps=4)
    keep(before, tmp_path, 4 if begins_anew else 3, 0.5)
    old = CheckpointFile(best_checkpoint(tmp_path)).value("w")
    new = CheckpointFile(f"{estimator.model_dir}/ckpt-4").value("w")
    assert old != new
    with monkeypatch.context() as context:
        context.setattr(owner, what, kill_at(getattr(owner, what), number))
        try:
            keep(estimator, tmp_path, 4, 0.6)
        except KilledError:
            found = json.loads((tmp_path / "best/best.json").read_text())["value"]
            assert (
                CheckpointFile(best_checkpoint(tmp_path)).value("w") == {0.5: old, 0.6: new}[found]
            )
    keep(estimator, tmp_path, 4, 0.6)
    assert CheckpointFile(best_checkpoint(tmp_path)).value("w") == new
    assert sorted(os.listdir(tmp_path / "best")) == [
        "best.json",
        "ckpt-4.data-00000-of-00001",
        "ckpt-4.index",
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: KeepBest("loss"), "`higher_is_better` must be False for the metric 'loss'"),
        (
            lambda: KeepBest("acuracy").keep("x", "x/ckpt-1", {"loss": 1.0, "global_step": 1}),
            r"\(loss\), received 'acuracy'",
        ),
    ],
    ids=["high_loss", "unknown"],
)
def test_it_refuses(tmp_path, monkeypatch, make, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        make()
    assert list(tmp_path.iterdir()) == []

import json
import os

import numpy as np
import pytest

from model.estimator import history

TRAIN = {"global_step": 100, "loss": 2.3}
EVAL = {"global_step": 200, "loss": 0.5, "n": 10, "name": "hard"}


def lines_of(model_dir):
    return (model_dir / "history.jsonl").read_text().splitlines()


def test_rows_come_back_in_the_order_of_time_and_by_kind(tmp_path):
    history.append(tmp_path / "new", "train", TRAIN)
    history.append(tmp_path / "new", "eval", EVAL)
    train, evaluation = {"kind": "train", **TRAIN}, {"kind": "eval", **EVAL}
    assert history.rows(tmp_path / "new") == [train, evaluation]
    assert history.rows(tmp_path / "new", "train") == [train]
    assert history.rows(tmp_path / "new", "eval") == [evaluation]
    assert [json.loads(line) for line in lines_of(tmp_path / "new")] == [train, evaluation]


def test_without_a_file_there_are_no_rows_and_nothing_to_cut(tmp_path):
    assert history.rows(tmp_path / "none") == []
    history.cut_after(tmp_path / "none", 5)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("nan"), "null"),
        (float("inf"), "null"),
        (np.float32("-inf"), "null"),
        (np.float32(0.5), "0.5"),
        (np.int64(7), "7"),
        (np.asarray(0.25), "0.25"),
        (7, "7"),
        ("hard", '"hard"'),
        (None, "null"),
    ],
    ids=["nan", "inf", "inf32", "float32", "int64", "array", "int", "text", "none"],
)
def test_every_value_is_valid_json(tmp_path, value, text):
    history.append(tmp_path, "eval", {"global_step": 1, "x": value})
    assert lines_of(tmp_path) == [f'{{"kind": "eval", "global_step": 1, "x": {text}}}']


@pytest.mark.parametrize("size", range(1, len('{"kind": "train", "global_step": 200}') + 1))
def test_what_a_killed_process_left_of_a_line_is_no_row_and_is_cut_before_the_next(tmp_path, size):
    history.append(tmp_path, "train", {"global_step": 100})
    with open(tmp_path / "history.jsonl", "a") as file:
        file.write('{"kind": "train", "global_step": 200}'[:size])
    assert [row["global_step"] for row in history.rows(tmp_path)] == [100]
    history.append(tmp_path, "train", {"global_step": 300})
    assert [row["global_step"] for row in history.rows(tmp_path)] == [100, 300]
    assert len(lines_of(tmp_path)) == 2


def test_a_first_line_that_was_cut_short_is_cut_too(tmp_path):
    (tmp_path / "history.jsonl").write_text('{"kind"')
    assert history.rows(tmp_path) == []
    history.append(tmp_path, "train", TRAIN)
    assert len(lines_of(tmp_path)) == 1


@pytest.mark.parametrize(
    ("step", "kept"),
    [(0, []), (100, [100, 100]), (150, [100, 100]), (200, [100, 100, 200]), (999, [100, 100, 200])],
    ids=["all", "at_a_row", "between", "last", "beyond"],
)
def test_rows_of_later_steps_are_cut_whatever_their_kind(tmp_path, step, kept):
    for kind, at in (("train", 100), ("eval", 100), ("train", 200)):
        history.append(tmp_path, kind, {"global_step": at})
    history.cut_after(tmp_path, step)
    assert [row["global_step"] for row in history.rows(tmp_path)] == kept
    assert os.listdir(tmp_path) == ["history.jsonl"]


def test_a_kill_while_rows_are_cut_loses_none_that_stay(tmp_path, monkeypatch):
    for at in (100, 200):
        history.append(tmp_path, "train", {"global_step": at})

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            history.cut_after(tmp_path, 100)
    assert [row["global_step"] for row in history.rows(tmp_path)] == [100, 200]
    history.cut_after(tmp_path, 100)
    assert [row["global_step"] for row in history.rows(tmp_path)] == [100]


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "{}", '{"kind": "eval"}', '{"global_step": 1}', '{"kind": 1, "global_step": 1}'],
)
def test_a_whole_line_that_is_no_row_is_refused_by_its_number(tmp_path, line):
    history.append(tmp_path, "train", TRAIN)
    with open(tmp_path / "history.jsonl", "a") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match=r"history.jsonl, line 2 must be .* Remove the line") as at:
        history.rows(tmp_path)
    assert "\n" not in str(at.value)

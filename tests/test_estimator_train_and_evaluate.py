import contextlib
import json
import os
import pathlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from toy_estimator import (
    Line,
    assert_equal_weights,
    collect_log,
    line_estimator,
    line_input_fn,
    line_model_fn,
)

from model.estimator import (
    Estimator,
    EvalSpec,
    RunConfig,
    TrainSpec,
    best_record,
    checkpoint_hook,
    exporters,
    history,
    train_and_evaluate,
)
from model.estimator.best_checkpoint import KeepBest, best_checkpoint
from model.estimator.exporters import BestExporter, Exporter, FinalExporter, LatestExporter
from model.estimator.hooks import Hook, SavingListener
from model.estimator.plateau import ReduceOnPlateau
from model.estimator.scaled_schedule import ScaledSchedule
from model.estimator.stop_rules import NoImprovement, TargetReached, TimeLimitHook

LINE_TEST = line_input_fn(repeat=False)


@pytest.fixture
def lines(monkeypatch):
    return collect_log(monkeypatch)


def evaluated(model_dir, name=None):
    """The steps of the evaluations in the history."""
    rows = history.rows(model_dir, "eval")
    return [row["global_step"] for row in rows if row.get("name") == name]


def versions(model_dir, name):
    """Of which step each version of an exporter is, oldest first."""
    paths = sorted((model_dir / "export" / name).glob("[0-9]*"))
    origins = [json.loads((path / "assets.extra/exported_from.json").read_text()) for path in paths]
    return [origin["global_step"] for origin in origins]


def line_signatures(net):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def serving_default(x):
        return {"y": net(x)}

    return {"serving_default": serving_default}


class Recorder(Exporter):
    """Notes how it is called."""

    def __init__(self, name="recorder"):
        self.name = name
        self.calls = []

    def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
        step = eval_result["global_step"]
        assert checkpoint_path == f"{estimator.model_dir}/ckpt-{step}"
        assert str(export_path) == f"{estimator.model_dir}/export/{self.name}"
        self.calls.append((step, is_the_final_export))


# What follows from an evaluation


def test_every_evaluation_is_a_row_of_the_history(tmp_path):
    metrics = train_and_evaluate(
        line_estimator(tmp_path),
        TrainSpec(line_input_fn(), max_steps=10),
        EvalSpec(LINE_TEST, every_steps=4),
    )
    assert evaluated(tmp_path) == [4, 8, 10]
    assert history.rows(tmp_path, "eval")[-1] == {"kind": "eval", **metrics}


def test_evaluations_with_names_do_not_meet(tmp_path):
    for name in ("easy", None, "hard"):
        recorder = Recorder()
        train_and_evaluate(
            line_estimator(tmp_path),
            TrainSpec(line_input_fn(), max_steps=3),
            EvalSpec(LINE_TEST, name=name, exporters=[recorder]),
        )
        assert recorder.calls == [(3, True)]
        assert evaluated(tmp_path, name) == [3]
    assert {"eval", "eval_easy", "eval_hard"} <= set(os.listdir(tmp_path))


@pytest.mark.parametrize(
    ("every_steps", "max_steps", "repeat", "rules", "calls"),
    [
        (None, 6, True, [], [(6, True)]),
        (4, 6, True, [], [(4, False), (6, True)]),
        (3, 6, True, [], [(3, False), (6, True)]),
        (4, None, False, [], [(4, False), (5, True)]),
        (5, None, False, [], [(5, False), (5, True)]),
        (2, 9, True, [TargetReached("error", 99, higher_is_better=False)], [(2, True)]),
    ],
    ids=["at_the_end", "max_steps", "at_a_multiple", "input", "input_at_a_multiple", "stop_rule"],
)
def test_exporters_are_told_which_export_is_the_final_one(
    tmp_path, every_steps, max_steps, repeat, rules, calls
):
    recorder = Recorder()
    train_and_evaluate(
        line_estimator(tmp_path),
        TrainSpec(line_input_fn(range(5), batch_size=1, repeat=repeat), max_steps=max_steps),
        EvalSpec(LINE_TEST, every_steps=every_steps, exporters=[recorder], stop_rules=rules),
    )
    assert recorder.calls == calls


def test_exporters_and_the_best_checkpoint_have_their_folders(tmp_path):
    # The weight passes 2 at step 2 and is thrown farther each step: step 2 is the best.
    train_and_evaluate(
        line_estimator(tmp_path, rate=0.45, keep_checkpoint_max=1),
        TrainSpec(line_input_fn(x=(1.0,), batch_size=1), max_steps=6),
        EvalSpec(
            LINE_TEST,
            every_steps=2,
            exporters=[
                LatestExporter("latest", line_signatures, exports_to_keep=2),
                BestExporter("best", line_signatures, metric="error", higher_is_better=False),
                FinalExporter("final", line_signatures),
            ],
            keep_best=KeepBest("error", higher_is_better=False),
        ),
    )
    rows = history.rows(tmp_path, "eval")
    best = min(rows, key=lambda row: row["error"])["global_step"]
    assert versions(tmp_path, "latest") == [4, 6]
    assert versions(tmp_path, "final") == [6]
    assert versions(tmp_path, "best")[-1] == best
    assert best_checkpoint(tmp_path) == f"{tmp_path}/best/ckpt-{best}"


@pytest.mark.parametrize(
    ("rule", "ended_at"),
    [
        (TargetReached("error", 1.0, higher_is_better=False), 6),
        (TargetReached("error", 0.0, higher_is_better=False), 20),
        (NoImprovement("error", 4), 6),
    ],
    ids=["reached", "not_reached", "no_improvement"],
)
def test_a_stop_rule_ends_the_training_with_a_line(tmp_path, lines, rule, ended_at):
    # The error is 3 * 0.8^step: 1.92 at step 2, 1.23 at 4, 0.79 at 6.
    metrics = train_and_evaluate(
        line_estimator(tmp_path, rate=0.04),
        TrainSpec(line_input_fn(), max_steps=20),
        EvalSpec(LINE_TEST, every_steps=2, stop_rules=[rule]),
    )
    assert metrics["global_step"] == ended_at
    stopped = [line for line in lines if line.startswith("stop")]
    assert len(stopped) == (ended_at < 20)
    assert all(re.fullmatch(rf"stop  \| step {ended_at:6d} \| error .*", line) for line in stopped)


def test_a_rule_of_an_unknown_metric_is_refused_at_the_first_evaluation(tmp_path):
    with pytest.raises(ValueError, match=r"evaluation's \(loss, error\), received 'eror'"):
        train_and_evaluate(
            line_estimator(tmp_path),
            TrainSpec(line_input_fn(), max_steps=20),
            EvalSpec(LINE_TEST, every_steps=2, stop_rules=[TargetReached("eror", 1)]),
        )
    assert line_estimator(tmp_path).global_step == 2
    assert evaluated(tmp_path) == []


class StopAt(Hook):
    def __init__(self, step):
        self.step = step

    def after_run(self, run, values):
        if run.global_step == self.step:  # Once: it must not be forgotten at an evaluation.
            run.request_stop("enough")


@pytest.mark.parametrize("step", [3, 4, 5], ids=["before", "at", "after"])
def test_a_stop_that_a_hook_asks_for_is_the_end_wherever_it_falls(tmp_path, step):
    recorder = Recorder()
    metrics = train_and_evaluate(
        line_estimator(tmp_path),
        TrainSpec(line_input_fn(), max_steps=20, hooks=[StopAt(step)]),
        EvalSpec(LINE_TEST, every_steps=4, exporters=[recorder]),
    )
    assert metrics["global_step"] == step
    assert recorder.calls[-1] == (step, True)


def test_the_time_limit_ends_the_run_with_one_line_and_an_evaluation(tmp_path, lines):
    hook = TimeLimitHook(minutes=1e-9)
    metrics = train_and_evaluate(
        line_estimator(tmp_path),
        TrainSpec(line_input_fn(), max_steps=20, hooks=[hook]),
        EvalSpec(LINE_TEST, every_steps=4),
    )
    assert metrics["global_step"] == 0
    assert len([line for line in lines if "time limit" in line]) == 1


def test_hooks_and_listeners_reach_training_and_evaluation(tmp_path):
    seen = []

    class Saw(Hook):
        def after_run(self, run, values):
            seen.append((run.mode, run.global_step))

    class Saved(SavingListener):
        def after_save(self, run, path):
            seen.append(("saved", run.global_step))

    train_and_evaluate(
        line_estimator(tmp_path),
        TrainSpec(line_input_fn(), max_steps=2, hooks=[Saw()], saving_listeners=[Saved()]),
        EvalSpec(LINE_TEST, hooks=[Saw()]),
    )
    assert seen == [("saved", 0), ("train", 1), ("train", 2), ("saved", 2), ("eval", 2)]


def scaled_estimator(model_dir, model_fn=line_model_fn, net_fn=Line, rate=0.01):
    schedule = keras.optimizers.schedules.ExponentialDecay(rate, 1000, 1.0)
    return Estimator(
        model_fn,
        model_dir,
        net_fn=lambda params: net_fn(),
        optimizer_fn=lambda params: keras.optimizers.SGD(ScaledSchedule(schedule)),
        config=RunConfig(save_summary_steps=1),
    )


def rates(model_dir):
    return [row["learning_rate"] for row in history.rows(model_dir, "train")]


def test_the_learning_rate_follows_the_rule_and_a_line_says_so(tmp_path, lines):
    # The error grows better each time, and so is worse each time for who wants it higher.
    rule = ReduceOnPlateau("error", patience_evaluations=1)
    train_and_evaluate(
        scaled_estimator(tmp_path),
        TrainSpec(line_input_fn(), max_steps=6),
        EvalSpec(LINE_TEST, every_steps=2, learning_rate_rule=rule),
    )
    np.testing.assert_allclose(rates(tmp_path), [0.01, 0.01, 0.01, 0.01, 0.005, 0.005])
    assert [line for line in lines if line.startswith("rate")] == [
        "rate  | step      4 | learning rate times 0.5 from here on"
    ]


def test_a_resumed_run_has_the_learning_rate_that_it_would_have_had(tmp_path):
    def run(max_steps):
        train_and_evaluate(
            scaled_estimator(tmp_path),
            TrainSpec(line_input_fn(), max_steps=max_steps),
            EvalSpec(
                LINE_TEST,
                every_steps=2,
                learning_rate_rule=ReduceOnPlateau("error", patience_evaluations=1),
            ),
        )

    for max_steps in (2, 4, 6, 8):
        run(max_steps)
    np.testing.assert_allclose(rates(tmp_path)[3:], [0.01, 0.005, 0.005, 0.0025, 0.0025])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TrainSpec(LINE_TEST, max_steps=0), "`max_steps` must be .* received 0"),
        (lambda: TrainSpec(LINE_TEST, hooks=[Hook]), "each Hook must be an object"),
        (
            lambda: TrainSpec(LINE_TEST, saving_listeners=[1]),
            "each SavingListener must be an object",
        ),
        (lambda: EvalSpec(LINE_TEST, hooks=[1]), "each Hook must be an object"),
        (lambda: EvalSpec(LINE_TEST, exporters=[1]), "each Exporter must be an object"),
        (
            lambda: EvalSpec(LINE_TEST, exporters=[Recorder("a"), Recorder("a")]),
            "`exporters` must have names of their own, received a, a",
        ),
    ],
    ids=["max_steps", "hook", "listener", "eval_hook", "exporter", "names"],
)
def test_a_spec_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# Finished, stopped, killed


def overshooting_line(model_dir):
    # Its evaluations at steps 3, 6 and 9 improve, that at 12 is worse.
    return line_estimator(
        model_dir, rate=0.06, save_checkpoints_steps=2, save_summary_steps=2, keep_checkpoint_max=3
    )


def specs(max_steps=12, stop_rules=()):
    """A run with all that can follow from an evaluation."""
    return (
        TrainSpec(line_input_fn(range(7), batch_size=2), max_steps=max_steps),
        EvalSpec(
            LINE_TEST,
            every_steps=3,
            exporters=[
                LatestExporter("latest", line_signatures, exports_to_keep=2),
                BestExporter("best", line_signatures, metric="loss", higher_is_better=False),
                FinalExporter("final", line_signatures),
            ],
            keep_best=KeepBest("error", higher_is_better=False),
            stop_rules=stop_rules,
        ),
    )


def outcome(model_dir):
    """All that must be the same after a kill."""
    rows = [
        {name: value for name, value in row.items() if name != "examples_per_sec"}
        for row in history.rows(model_dir)
    ]
    return {
        "rows": rows,
        "metrics": json.loads((model_dir / "eval/metrics.json").read_text()),
        **{name: versions(model_dir, name) for name in ("latest", "best", "final")},
        "best": json.loads((model_dir / "best/best.json").read_text()),
        "kept": sorted(os.listdir(model_dir / "best")),
        "checkpoints": sorted(path.name for path in model_dir.glob("ckpt-*")),
        "partial": sorted(
            str(path.relative_to(model_dir)) for path in model_dir.rglob("*partial*")
        ),
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    model_dir = tmp_path_factory.mktemp("whole")
    estimator = overshooting_line(model_dir)
    metrics = train_and_evaluate(estimator, *specs())
    return estimator, metrics, outcome(model_dir)


@pytest.mark.parametrize(
    ("stop_rules", "said"),
    [
        ((), "Skipping training since max_steps has already saved."),
        (
            [TargetReached("loss", 99, higher_is_better=False)],
            r"stop  \| step      3 \| loss .* has reached its target 99",
        ),
    ],
    ids=["max_steps", "stop_rule"],
)
def test_a_finished_run_says_so_and_does_nothing_twice(
    tmp_path, lines, monkeypatch, stop_rules, said
):
    metrics = train_and_evaluate(overshooting_line(tmp_path), *specs(6, stop_rules))
    before = outcome(tmp_path)
    lines.clear()

    def unwanted(*_, **__):
        raise AssertionError("done already")

    monkeypatch.setattr(Estimator, "evaluate", unwanted)
    monkeypatch.setattr(Estimator, "export_saved_model", unwanted)
    assert train_and_evaluate(overshooting_line(tmp_path), *specs(6, stop_rules)) == metrics
    assert outcome(tmp_path) == before
    assert [re.fullmatch(said, found) is not None for found in lines] == [True]


def test_a_finished_run_that_gets_more_steps_goes_on(tmp_path, whole):
    for max_steps in (6, 12):
        train_and_evaluate(overshooting_line(tmp_path), *specs(max_steps))
    assert versions(tmp_path, "final") == [6, 12]
    assert outcome(tmp_path)["rows"] == whole[2]["rows"]


def test_rows_of_steps_that_are_gone_are_cut_though_nothing_trains(tmp_path):
    train_and_evaluate(overshooting_line(tmp_path), *specs(6))
    for path in [*tmp_path.glob("ckpt-4.*"), *tmp_path.glob("ckpt-6.*")]:
        path.unlink()
    metrics = train_and_evaluate(overshooting_line(tmp_path), *specs(3))
    assert metrics["global_step"] == 3
    assert evaluated(tmp_path) == [3]


def test_a_damaged_checkpoint_that_is_due_is_trained_anew(tmp_path, whole):
    train_and_evaluate(overshooting_line(tmp_path), *specs())
    (data,) = tmp_path.glob("ckpt-12.data*")
    data.write_bytes(data.read_bytes()[:-9])
    train_and_evaluate(overshooting_line(tmp_path), *specs())
    assert outcome(tmp_path)["rows"] == whole[2]["rows"]
    assert outcome(tmp_path)["best"] == whole[2]["best"]


class KilledError(BaseException):
    pass


def kill_at(monkeypatch, owner, what, number, *, after):
    """Kills at call number `number` of a function or method: instead of it, or when it is done."""
    function = getattr(owner, what)
    calls = []

    def call(*arguments, **options):
        calls.append(arguments)
        if len(calls) != number:
            return function(*arguments, **options)
        if after:
            function(*arguments, **options)
        raise KilledError

    monkeypatch.setattr(owner, what, call)


@pytest.mark.parametrize(
    ("owner", "what", "number", "after"),
    [
        (Estimator, "train", 1, False),
        (Estimator, "train", 1, True),
        (Estimator, "train", 4, True),
        (checkpoint_hook, "save_checkpoint", 3, False),
        (checkpoint_hook, "save_checkpoint", 4, True),
        (Estimator, "evaluate", 1, False),
        (Estimator, "evaluate", 3, True),
        (Estimator, "evaluate", 4, True),
        (LatestExporter, "export", 2, True),
        (LatestExporter, "_remove_old", 5, False),
        (BestExporter, "export", 2, False),
        (best_record.BestRecord, "write", 3, False),
        (FinalExporter, "export", 4, False),
        (FinalExporter, "export", 4, True),
        (tf.saved_model, "save", 3, True),
        (exporters.shutil, "rmtree", 1, False),
        (KeepBest, "keep", 1, True),
        (KeepBest, "keep", 4, False),
        (pathlib.Path, "unlink", 6, True),
        (history, "append", 4, False),
        (history, "append", 9, True),
        (history, "_cut_partial_line", 5, False),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)).rpartition(".")[2],
)
def test_a_run_killed_anywhere_ends_as_one_that_was_not(
    tmp_path, monkeypatch, whole, owner, what, number, after
):
    # `after`: in the place of the call, or when it is done.
    with monkeypatch.context() as context:
        kill_at(context, owner, what, number, after=after)
        with pytest.raises(KilledError):
            train_and_evaluate(overshooting_line(tmp_path), *specs())
    estimator = overshooting_line(tmp_path)
    metrics = train_and_evaluate(estimator, *specs())
    assert metrics == whole[1]
    assert outcome(tmp_path) == whole[2]
    assert_equal_weights(estimator, whole[0])


@pytest.mark.parametrize("killed_at", [None, 1, 2], ids=["finished", "first", "second"])
@pytest.mark.parametrize("every_steps", [4, None], ids=["by_turns", "at_the_end"])
@pytest.mark.parametrize("num_batches", [8, 6], ids=["at_a_multiple", "in_between"])
def test_an_input_that_has_ended_has_ended_for_the_next_process_too(
    tmp_path, monkeypatch, num_batches, every_steps, killed_at
):
    def run():
        recorder = Recorder()
        metrics = train_and_evaluate(
            line_estimator(tmp_path, rate=1e-6),
            TrainSpec(line_input_fn(range(num_batches), batch_size=1, repeat=False)),
            EvalSpec(LINE_TEST, every_steps=every_steps, exporters=[recorder]),
        )
        assert metrics["global_step"] == num_batches
        assert recorder.calls[-1] == (num_batches, True)

    with monkeypatch.context() as context:
        kill_at(context, Estimator, "evaluate", killed_at, after=False)
        with contextlib.suppress(KilledError):
            run()
    run()
    assert evaluated(tmp_path) == [*([4] if every_steps else []), num_batches]

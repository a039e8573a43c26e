"""When hooks and listeners are called, with what, and what they can do."""

import re

import numpy as np
import pytest
import tensorflow as tf
from toy_estimator import (
    assert_equal_weights,
    classifier_estimator,
    classifier_eval_input_fn,
    classifier_input_fn,
    collect_log,
    line_estimator,
    line_input_fn,
    line_model_fn,
)

from model.estimator import (
    EstimatorSpec,
    Hook,
    ModeKeys,
    NanHook,
    SavingListener,
    ScaledSchedule,
    StopAtStepHook,
    history,
)

ONCE = line_input_fn(x=(1, 2, 3, 4), batch_size=2, repeat=False)


class Diary(Hook):
    """Writes down what it is called for."""

    def __init__(self, every_steps=None):
        self.every_steps = every_steps
        self.lines = []

    def begin(self, run):
        self.lines.append(f"begin {run.mode} {run.global_step} of {run.last_step}")

    def after_create(self, run):
        self.lines.append("after_create")

    def before_run(self, run):
        self.lines.append(f"before_run {run.global_step}")

    def after_run(self, run, values):
        self.lines.append(f"after_run {run.global_step}")

    def end(self, run):
        self.lines.append(f"end {run.global_step}")


class SavingDiary(SavingListener):
    def __init__(self):
        self.lines = []

    def begin(self, run):
        self.lines.append(f"begin {run.global_step}")

    def before_save(self, run):
        self.lines.append(f"before_save {run.global_step}")

    def after_save(self, run, path):
        assert tf.train.load_checkpoint(path) is not None  # It is there, and whole.
        self.lines.append(f"after_save {path.rpartition('/')[2]}")

    def end(self, run):
        self.lines.append(f"end {run.global_step}")


def test_a_training_calls_the_five_methods_in_their_order(tmp_path):
    diary = Diary()
    line_estimator(tmp_path).train(line_input_fn(), max_steps=2, hooks=[diary])
    assert diary.lines == [
        "begin train 0 of 2",
        "after_create",
        "before_run 0",
        "after_run 1",
        "before_run 1",
        "after_run 2",
        "end 2",
    ]


def test_an_evaluation_calls_them_too_a_batch_each(tmp_path):
    diary = Diary()
    estimator = line_estimator(tmp_path).train(line_input_fn(), steps=1)
    estimator.evaluate(ONCE, hooks=[diary])
    assert diary.lines == [
        "begin eval 1 of None",
        "after_create",
        *["before_run 1", "after_run 1"] * 2,
        "end 1",
    ]


def test_after_an_error_no_hook_is_told_that_it_is_the_end(tmp_path):
    diary = Diary()
    bad = line_input_fn(x=(1, np.nan), batch_size=1)
    with pytest.raises(ValueError, match="must stay finite"):
        line_estimator(tmp_path).train(bad, steps=2, hooks=[diary])
    assert "end 2" not in diary.lines


def test_a_loop_of_steps_is_one_call_and_ends_where_a_hook_wants_to_see_a_step(tmp_path):
    diary = Diary(every_steps=4)
    options = {"steps_per_loop": 3, "save_checkpoints_steps": 10}
    line_estimator(tmp_path, **options).train(line_input_fn(), max_steps=9, hooks=[diary])
    seen = [line for line in diary.lines if line.startswith("after_run")]
    # The first batch of an input is taken alone.
    assert seen == [f"after_run {step}" for step in (1, 4, 7, 8, 9)]


def test_a_training_hook_gets_what_each_step_returned(tmp_path):
    seen = []

    class Seen(Hook):
        def after_run(self, run, values):
            seen.append({name: value.numpy() for name, value in values.items()})

    # y = 2 x and w = 0: for x = 1 the loss is 4, its derivative -4, and the error 2.
    line_estimator(tmp_path, rate=0.125).train(
        line_input_fn(x=(1,), batch_size=1), steps=1, hooks=[Seen()]
    )
    (values,) = seen
    expected = {
        "loss": 4.0,
        "error": 2.0,
        "learning_rate": 0.125,
        "gradient_norm": 4.0,
        "num_examples": 1.0,
    }
    assert {name: value.tolist() for name, value in values.items()} == {
        name: [value] for name, value in expected.items()
    }


def test_an_evaluation_hook_gets_features_labels_and_predictions(tmp_path):
    def model_fn(features, labels, net, mode):
        spec = line_model_fn(features, labels, net, mode)
        return EstimatorSpec(mode, loss=spec.loss, predictions={"y": net(features)})

    class Seen(Hook):
        def __init__(self):
            self.rows = []

        def after_run(self, run, values):
            y = values["predictions"]["y"]
            self.rows += zip(
                values["features"].numpy(), values["labels"].numpy(), y.numpy(), strict=True
            )

        def end(self, run):
            self.n, self.folder = run.metrics["n"], run.eval_dir

    seen = Seen()
    estimator = line_estimator(tmp_path, rate=1e-6, model_fn=model_fn)
    estimator.train(line_input_fn(), steps=1).evaluate(ONCE, name="odd", hooks=[seen])
    assert [row[:2] for row in seen.rows] == [(1, 2), (2, 4), (3, 6), (4, 8)]
    w = float(estimator.net.w.numpy())
    np.testing.assert_allclose([row[2] for row in seen.rows], [w, 2 * w, 3 * w, 4 * w])
    assert (seen.n, seen.folder) == (4, tmp_path / "eval_odd")


def test_a_hook_can_stop_the_training_which_is_saved_and_goes_on_later(tmp_path, monkeypatch):
    class StopsAt3(Hook):
        def after_run(self, run, values):
            if run.global_step == 3:
                run.request_stop("three is enough")

    lines = collect_log(monkeypatch)
    estimator = line_estimator(tmp_path).train(line_input_fn(), max_steps=9, hooks=[StopsAt3()])
    assert (estimator.global_step, estimator.stop_reason) == (3, "three is enough")
    assert "train | step      3 | stopped: three is enough" in lines
    assert estimator.train(line_input_fn(), max_steps=9).global_step == 9
    assert estimator.stop_reason is None


@pytest.mark.parametrize(
    ("options", "stops_at"),
    [({"num_steps": 2}, 3), ({"last_step": 4}, 4), ({"num_steps": 99}, 6)],
    ids=["adds", "absolute", "later_than_the_end"],
)
@pytest.mark.parametrize("steps_per_loop", [1, 5])
def test_stop_at_step(tmp_path, options, stops_at, steps_per_loop):
    estimator = line_estimator(tmp_path, steps_per_loop=steps_per_loop)
    estimator.train(line_input_fn(), steps=1)
    estimator.train(line_input_fn(), max_steps=6, hooks=[StopAtStepHook(**options)])
    assert estimator.global_step == stops_at


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "one of `num_steps` and `last_step` must be given, received None and None"),
        ({"num_steps": 1, "last_step": 1}, "must be given, received 1 and 1"),
        ({"num_steps": 0}, "`num_steps` must be a whole number of 1 or more"),
    ],
    ids=["none", "both", "zero"],
)
def test_stop_at_step_refuses(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        StopAtStepHook(**options)


def test_a_nan_hook_that_does_not_fail_stops_and_nothing_bad_is_saved(tmp_path):
    # The Estimator's own looks at the log lines only, which come later.
    estimator = line_estimator(tmp_path, log_step_count_steps=99)
    estimator.train(line_input_fn(x=(1, 1), batch_size=1), steps=2)
    bad = line_input_fn(x=(1, np.nan), batch_size=1)
    with pytest.raises(ValueError, match="must stay finite"):
        # It stops; then the closing checkpoint finds the same and refuses.
        estimator.train(bad, steps=9, hooks=[NanHook(1, fail_on_nan_loss=False)])
    assert estimator.global_step == 2


def test_saving_listeners_are_told_of_each_checkpoint(tmp_path):
    diary = SavingDiary()
    estimator = line_estimator(tmp_path, save_checkpoints_steps=2)
    estimator.train(line_input_fn(), steps=3, saving_listeners=[diary])
    saves = [
        line for step in (0, 2, 3) for line in (f"before_save {step}", f"after_save ckpt-{step}")
    ]
    assert diary.lines == ["begin 0", *saves, "end 3"]


def test_a_hook_remembers_over_a_restart(tmp_path):
    class Counts(Hook):
        name = "counts"
        count = 0

        def after_run(self, run, values):
            self.count += 1

        def state(self):
            return {"count": self.count}

        def set_state(self, state):
            self.count = state["count"]

    line_estimator(tmp_path).train(line_input_fn(), steps=3, hooks=[Counts()])
    after = Counts()
    line_estimator(tmp_path).train(line_input_fn(), steps=2, hooks=[after])
    assert after.count == 5


def test_a_summary_after_a_restart_is_over_the_steps_before_it_too(tmp_path):
    losses = {}
    for name, stops in (("whole", [6]), ("parts", [2, 4, 6])):
        for stop in stops:
            estimator = line_estimator(tmp_path / name, rate=0.001, save_summary_steps=3)
            estimator.train(line_input_fn(x=(1, 2, 3), batch_size=1), max_steps=stop)
        losses[name] = [row["loss"] for row in history.rows(tmp_path / name, "train")]
    assert losses["parts"] == losses["whole"]
    assert len(losses["whole"]) == 2


@pytest.mark.parametrize(
    "given", [Hook, print, SavingListener()], ids=["class", "function", "other"]
)
def test_what_is_no_hook_is_refused(tmp_path, given):
    with pytest.raises(ValueError, match="each Hook must be an object of a class derived"):
        line_estimator(tmp_path).train(line_input_fn(), steps=1, hooks=[given])


def test_log_lines_have_chance_beside_what_it_is_the_chance_of(tmp_path, monkeypatch):
    def model_fn(features, labels, net, mode):
        spec = line_model_fn(features, labels, net, mode)
        return EstimatorSpec(
            mode, loss=spec.loss, train_metric_ops=spec.train_metric_ops, chance={"loss": 4.605}
        )

    lines = collect_log(monkeypatch)
    estimator = line_estimator(tmp_path, rate=0.0, model_fn=model_fn, log_step_count_steps=1)
    estimator.train(line_input_fn(x=(1,), batch_size=1), max_steps=1).evaluate(ONCE)
    (train,) = [line for line in lines if " of 1 " in line]
    (evaluation,) = [line for line in lines if line.startswith("eval")]
    assert "| loss 4.0000 (chance 4.61) | error 2.000 |" in train
    assert "| loss 30.0000 (chance 4.61) | n 4 |" in evaluation


# The learning rate's scale


def test_a_scaled_schedule_is_scaled_from_the_next_step_on(tmp_path):
    import keras
    from toy_estimator import Line

    from model.estimator import Estimator

    class Constant(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return tf.constant(0.5)

        def get_config(self):
            return {}

    rates = []

    class Rates(Hook):
        def after_run(self, run, values):
            rates.extend(values["learning_rate"].numpy().tolist())

    estimator = Estimator(
        line_model_fn,
        tmp_path,
        net_fn=lambda params: Line(),
        optimizer_fn=lambda params: keras.optimizers.SGD(ScaledSchedule(Constant())),
    )
    for scale in (1.0, 0.25):
        estimator.set_learning_rate_scale(scale)
        estimator.train(line_input_fn(x=(1e-3,), batch_size=1), steps=1, hooks=[Rates()])
    assert rates == [0.5, 0.125]


def test_a_rate_that_cannot_be_scaled_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must be a ScaledSchedule to be scaled, received"):
        line_estimator(tmp_path).set_learning_rate_scale(0.5)


# Predictions


def _predicted(tmp_path, **options):
    def model_fn(features, labels, net, mode):
        y = net(features)
        if mode == ModeKeys.PREDICT:
            return EstimatorSpec(mode, predictions={"y": y, "half": y / 2})
        return EstimatorSpec(mode, loss=tf.reduce_mean((y - labels) ** 2))

    estimator = line_estimator(tmp_path, model_fn=model_fn).train(line_input_fn(), steps=1)
    return [set(example) for example in estimator.predict(ONCE, **options)]


@pytest.mark.parametrize(
    ("keys", "names"), [(None, {"y", "half"}), (["half"], {"half"}), (("y", "half"), {"y", "half"})]
)
def test_predict_keys_choose(tmp_path, keys, names):
    assert _predicted(tmp_path, predict_keys=keys) == [names] * 4


@pytest.mark.parametrize("keys", [["third"], []])
def test_predict_keys_that_are_not_predicted_are_refused_at_once(tmp_path, keys):
    with pytest.raises(ValueError, match=r"`predict_keys` must be some of y, half, received \["):
        _predicted(tmp_path, predict_keys=keys)


# The moving average of the weights


def test_the_average_is_that_of_the_weights_with_a_decay_that_grows(tmp_path):
    weights = []

    class Weights(Hook):
        def after_run(self, run, values):
            weights.append(float(run.net.w.numpy()))

    estimator = line_estimator(tmp_path, ema_decay=0.25, rate=0.01)
    estimator.train(line_input_fn(), steps=3, hooks=[Weights()])
    average = 0.0  # The weight that it began with.
    for step, weight in enumerate(weights, start=1):
        decay = min(0.25, (1 + step) / (10 + step))  # 2/11, then 1/4.
        average += (1 - decay) * (weight - average)
    (prediction,) = estimator.predict(line_input_fn(x=(1,), batch_size=1, repeat=False))
    np.testing.assert_allclose(prediction["y"], average, rtol=1e-6)
    assert average != weights[-1]
    # The checkpoint has the weights themselves under their names.
    assert estimator.get_variable_value("w") == np.float32(weights[-1])


@pytest.mark.parametrize("process", ["same", "another"])
def test_evaluating_the_average_leaves_the_training_as_it_is(tmp_path, process):
    alone = classifier_estimator(tmp_path / "alone", ema_decay=0.9)
    alone.train(classifier_input_fn, max_steps=8)
    by_turns = classifier_estimator(tmp_path / "by_turns", ema_decay=0.9)
    losses = []
    for stop in (3, 8):
        if process == "another":
            by_turns = classifier_estimator(tmp_path / "by_turns", ema_decay=0.9)
        by_turns.train(classifier_input_fn, max_steps=stop)
        losses.append(by_turns.evaluate(classifier_eval_input_fn)["loss"])
    assert losses[-1] == alone.evaluate(classifier_eval_input_fn)["loss"]
    assert_equal_weights(alone, by_turns)
    without = classifier_estimator(tmp_path / "without").train(classifier_input_fn, max_steps=8)
    assert without.evaluate(classifier_eval_input_fn)["loss"] != losses[-1]
    for name in without.get_variable_names():
        np.testing.assert_array_equal(
            without.get_variable_value(name),
            by_turns.get_variable_value(
                by_turns.get_variable_names()[without.get_variable_names().index(name)]
            ),
        )


def test_a_run_may_begin_to_average_and_the_average_begins_at_its_weights(tmp_path):
    line_estimator(tmp_path, rate=0.01).train(line_input_fn(), steps=5)
    averaging = line_estimator(tmp_path, rate=1e-9, ema_decay=0.9)
    averaging.train(line_input_fn(), steps=1)
    (prediction,) = averaging.predict(line_input_fn(x=(1,), batch_size=1, repeat=False))
    np.testing.assert_allclose(prediction["y"], averaging.get_variable_value("w"), rtol=1e-5)


@pytest.mark.parametrize("decay", [0.0, 1.0, -1.0])
def test_a_decay_out_of_range_is_refused(tmp_path, decay):
    with pytest.raises(ValueError, match=r"`ema_decay` must be in \(0, 1\), received"):
        line_estimator(tmp_path, ema_decay=decay)

import io
import re
import signal
import sys
import time
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl import logging
from toy_estimator import (
    Line,
    assert_equal_weights,
    classifier_estimator,
    classifier_input_fn,
    collect_log,
    line_estimator,
    line_input_fn,
    line_model_fn,
)

from model.estimator import (
    Estimator,
    EstimatorSpec,
    EvalSpec,
    TrainSpec,
    checkpoint_hook,
    train_and_evaluate,
    training_log,
)
from model.estimator.training_log import Window, training_line


@pytest.fixture
def lines(monkeypatch):
    return collect_log(monkeypatch)


def test_a_step_moves_the_weight_down_the_gradient(tmp_path):
    # d/dw of the mean of (w x - 2 x)^2 at w = 0 is the mean of -4 x^2, that is -10; times 0.01.
    estimator = line_estimator(tmp_path, rate=0.01).train(line_input_fn(x=(1, 2)), steps=1)
    np.testing.assert_allclose(estimator.net.w, 0.1, rtol=1e-6)


def test_a_scaled_loss_trains_the_same(tmp_path):
    def estimator(folder, loss_scale_factor):
        return Estimator(
            line_model_fn,
            tmp_path / folder,
            net_fn=lambda params: Line(),
            optimizer_fn=lambda params: keras.optimizers.SGD(
                0.01, loss_scale_factor=loss_scale_factor
            ),
        ).train(line_input_fn(), steps=3)

    # A power of two: dividing by it loses no bit.
    assert_equal_weights(estimator("scaled", 1024.0), estimator("plain", None))


@pytest.mark.parametrize(
    ("calls", "steps"),
    [
        ([{"steps": 3}], 3),
        ([{"steps": 3}, {"steps": 2}], 5),
        ([{"max_steps": 3}], 3),
        ([{"max_steps": 3}, {"max_steps": 5}], 5),
        ([{"max_steps": 3}, {"max_steps": 3}], 3),
        ([{"max_steps": 5}, {"max_steps": 3}], 5),
        ([{"steps": 3}, {"max_steps": 5}, {"steps": 1}], 6),
        ([{"max_steps": 9, "pause_at": 4}], 4),
        ([{"max_steps": 9, "pause_at": 4}, {"max_steps": 9}], 9),
    ],
    ids=["steps", "add", "max", "go_on", "finished", "past", "mixed", "paused", "paused_goes_on"],
)
@pytest.mark.parametrize("process", ["same", "another"])
def test_steps_adds_and_max_steps_is_absolute(tmp_path, calls, steps, process):
    estimator = line_estimator(tmp_path)
    for call in calls:
        estimator = estimator if process == "same" else line_estimator(tmp_path)
        estimator.train(line_input_fn(), **call)
    assert estimator.global_step == steps
    assert estimator.get_variable_value("global_step") == steps


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"steps": 3, "max_steps": 5}, "only one of `steps` and `max_steps` .* received 3 and 5"),
        ({"steps": 0}, "`steps` must be a whole number of 1 or more, received 0"),
        ({"max_steps": -5}, "`max_steps` must be a whole number of 1 or more, received -5"),
        ({"max_steps": 2.5}, "`max_steps` must be a whole number of 1 or more, received 2.5"),
    ],
    ids=["both", "zero", "negative", "fraction"],
)
def test_train_refuses(tmp_path, call, message):
    with pytest.raises(ValueError, match=message):
        line_estimator(tmp_path).train(line_input_fn(), **call)


def test_a_finished_run_says_so_and_builds_nothing(tmp_path, lines):
    line_estimator(tmp_path).train(line_input_fn(), max_steps=2)
    lines.clear()

    def net_fn(params):
        raise AssertionError("not needed")

    Estimator(line_model_fn, tmp_path, net_fn=net_fn).train(line_input_fn(), max_steps=2)
    assert lines == ["Skipping training since max_steps has already saved."]


def test_training_without_an_optimizer_is_refused(tmp_path):
    estimator = Estimator(line_model_fn, tmp_path, net_fn=lambda params: Line())
    with pytest.raises(ValueError, match="`optimizer_fn` must be given to train, received None"):
        estimator.train(line_input_fn(), steps=1)


@pytest.mark.parametrize("model_dir", ["file", "file/below"], ids=["a_file", "below_a_file"])
def test_a_model_dir_that_cannot_be_one_is_one_line(tmp_path, model_dir):
    (tmp_path / "file").touch()
    with pytest.raises((ValueError, OSError), match="must be") as caught:
        line_estimator(tmp_path / model_dir).train(line_input_fn(), steps=1)
    assert "\n" not in str(caught.value)


# The input


@pytest.mark.parametrize(
    ("input_fn", "message"),
    [
        (lambda: iter([]), "must return a tf.data.Dataset, received list_iterator"),
        (
            lambda: tf.data.Dataset.from_tensor_slices(([1.0], [2.0], [3.0])).batch(1),
            "must give elements .* received tuples of 3",
        ),
        (
            lambda: tf.data.Dataset.from_tensor_slices(([1.0], [2.0])),
            "must give batches, .* Call .batch",
        ),
        (
            lambda: line_input_fn(repeat=False)().take(0),
            "must give at least one batch to train on, received none",
        ),
    ],
    ids=["iterator", "triples", "unbatched", "empty"],
)
def test_an_input_fn_that_gives_something_else_is_refused(tmp_path, input_fn, message):
    with pytest.raises(ValueError, match=f"`input_fn` {message}"):
        line_estimator(tmp_path).train(input_fn, steps=1)


def test_training_ends_with_its_input_and_says_so(tmp_path, lines):
    estimator = line_estimator(tmp_path)
    estimator.train(line_input_fn(x=range(5), repeat=False), steps=10)
    assert estimator.global_step == 3  # Of 2, 2 and 1 examples.
    assert "train | step      3 | the input has ended, and training with it" in lines


TEN = line_input_fn(x=range(10), batch_size=1)
TEN_ONCE = line_input_fn(x=range(10), batch_size=1, repeat=False)
OTHER = line_input_fn(x=range(20, 30), batch_size=1)


@pytest.mark.parametrize(
    ("calls", "last_seen"),
    [
        ([(TEN, 3), (TEN, 4)], 6),
        ([(TEN, 3), (TEN, 9)], 1),
        ([(TEN_ONCE, 10), (TEN_ONCE, 2)], 1),
        ([(TEN_ONCE, 99), (TEN_ONCE, 2)], 1),
        ([(TEN_ONCE, 99), (TEN_ONCE, 99), (TEN_ONCE, 4)], 3),
    ],
    ids=["goes_on", "next_epoch", "stopped_at_the_end", "ended", "ended_twice"],
)
@pytest.mark.parametrize("process", ["same", "another"])
def test_the_input_goes_on_where_it_was(tmp_path, calls, last_seen, process):
    estimator = line_estimator(tmp_path, rate=1e-6)
    for input_fn, steps in calls:
        estimator = estimator if process == "same" else line_estimator(tmp_path, rate=1e-6)
        estimator.train(input_fn, steps=steps)
    assert estimator.get_variable_value("seen") == last_seen


def test_another_input_in_the_same_process_starts_at_its_beginning(tmp_path):
    estimator = line_estimator(tmp_path, rate=1e-6).train(TEN, steps=3).train(OTHER, steps=1)
    assert estimator.get_variable_value("seen") == 20


def test_input_with_another_pipeline_than_before_starts_anew_and_says_so(tmp_path, lines):
    line_estimator(tmp_path, rate=1e-6).train(TEN, steps=3)
    estimator = line_estimator(tmp_path, rate=1e-6)
    estimator.train(lambda: TEN().unbatch().shuffle(1).batch(1), steps=1)
    assert estimator.get_variable_value("seen") == 0
    path = tmp_path / "ckpt-3"
    assert f"input | starts anew: {path} holds no place in a pipeline like this" in lines


def test_damaged_data_is_not_taken_for_a_damaged_checkpoint(tmp_path):
    # A symbolic checkpoint is restored by reading the window of records once more.
    records = tmp_path / "x.tfrecord"
    with tf.io.TFRecordWriter(str(records)) as writer:
        for x in range(10):
            writer.write(str(x).encode())

    def input_fn():
        options = tf.data.Options()
        options.experimental_symbolic_checkpoint = True
        window = tf.data.TFRecordDataset(str(records)).batch(10)
        x = window.flat_map(tf.data.Dataset.from_tensor_slices).map(tf.strings.to_number)
        return x.map(lambda x: (x, 2 * x)).batch(1).with_options(options)

    line_estimator(tmp_path / "model", rate=1e-6).train(input_fn, steps=3)
    records.write_bytes(records.read_bytes()[:-1])
    with pytest.raises(tf.errors.DataLossError):
        line_estimator(tmp_path / "model", rate=1e-6).train(input_fn, steps=1)


def test_input_from_python_trains_and_a_resumed_run_starts_it_anew(tmp_path, lines):
    def input_fn():
        spec = tf.TensorSpec([], tf.float32)
        return tf.data.Dataset.from_generator(
            lambda: ((float(x), 2.0 * x) for x in range(10)), output_signature=(spec, spec)
        ).batch(1)

    line_estimator(tmp_path, rate=1e-6).train(input_fn, steps=3)
    assert any(line.startswith("input | its place cannot be saved") for line in lines)
    estimator = line_estimator(tmp_path, rate=1e-6).train(input_fn, steps=1)
    assert estimator.get_variable_value("seen") == 0


# What is logged


def test_a_log_line_has_the_step_the_means_the_rate_and_the_time_left(tmp_path, lines):
    # Examples 1, 2, 3, 4 with y = 2 x and a rate of 0: losses 4 x^2, errors 2 x.
    line_estimator(tmp_path, rate=0.0, log_step_count_steps=2).train(
        line_input_fn(x=(1, 2, 3, 4), batch_size=1), max_steps=4
    )
    logged = [line for line in lines if " of " in line]
    rest = r" \| +\d+ examples/s \| 0:00 left"
    assert re.fullmatch(
        r"train \| step      2 of 4 \| loss 10.0000 \| error 3.000" + rest, logged[0]
    )
    assert re.fullmatch(
        r"train \| step      4 of 4 \| loss 50.0000 \| error 7.000" + rest, logged[1]
    )
    assert len(logged) == 2


def test_a_short_batch_weighs_what_it_holds_in_the_log(tmp_path, lines):
    line_estimator(tmp_path, rate=0.0).train(
        line_input_fn(x=(1, 2, 6), batch_size=2, repeat=False), steps=5
    )
    assert any("error 6.000" in line for line in lines)  # (2 + 4 + 12) / 3.


def test_steps_since_the_last_line_get_one_when_training_stops(tmp_path, lines):
    line_estimator(tmp_path, log_step_count_steps=2).train(line_input_fn(), steps=3)
    assert [line[:26] for line in lines if " of " in line] == [
        "train | step      2 of 3 |",
        "train | step      3 of 3 |",
    ]


def test_every_save_is_a_line_with_its_path(tmp_path, lines):
    line_estimator(tmp_path, save_checkpoints_steps=2).train(line_input_fn(), steps=3)
    saved = [line.rpartition(" | ")[0] for line in lines if line.startswith("save")]
    assert saved == [f"save  | step {step:6d} | {tmp_path}/ckpt-{step}" for step in (0, 2, 3)]


def test_the_rate_leaves_out_the_time_of_checkpoints(tmp_path, monkeypatch, lines):
    def save_slowly(*arguments):
        time.sleep(0.2)
        return save_checkpoint(*arguments)

    save_checkpoint = checkpoint_hook.save_checkpoint
    monkeypatch.setattr(checkpoint_hook, "save_checkpoint", save_slowly)
    config = {"save_checkpoints_steps": 1, "log_step_count_steps": 5}
    line_estimator(tmp_path, **config).train(line_input_fn(batch_size=2), max_steps=5)
    (rate,) = [int(match[1]) for line in lines if (match := re.search(r"(\d+) examples/s", line))]
    assert rate > 5 * 2 / (4 * 0.2)  # Four checkpoints lie between the steps.


def test_rate_and_time_of_a_step_are_means_over_the_window(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(training_log, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    window = Window()
    for _ in range(2):
        now[0] += 0.5
        window.add({"loss": [1.0], "learning_rate": [0.1], "num_examples": [32.0]})
    assert window.scalars()["examples_per_sec"] == pytest.approx(64.0)
    assert window.seconds_a_step() == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("step", "last_step", "start", "end"),
    [
        (1200, 20000, "train | step   1200 of 20000 | loss 0.0312 | acc 0.991 |", "| 4:10 left"),
        (19999, 20000, "train | step  19999 of 20000 |", "| 0:00 left"),
        (1200, 400000, "train | step   1200 of 400000 |", "| 1:28:24 left"),
        (1200, None, "train | step   1200 | loss 0.0312 |", "|  1512 examples/s"),
    ],
    ids=["minutes", "last", "hours", "no_end"],
)
def test_a_log_line_reads(step, last_step, start, end):
    scalars = {"loss": 0.03119, "acc": 0.9911, "learning_rate": 0.1, "examples_per_sec": 1512.3}
    line = training_line(step, last_step, scalars, seconds_a_step=0.0133)
    assert line.startswith(start)
    assert line.endswith(end)


def test_a_terminal_gets_a_bar_and_log_lines_stand_on_lines_of_their_own(tmp_path, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(logging, "info", lambda text, *values: print(text % values, file=terminal))
    line_estimator(tmp_path, log_step_count_steps=2).train(line_input_fn(), max_steps=6)
    shown = terminal.getvalue()
    assert re.search(r"train:.*/6", shown)
    # Each line starts where the bar was wiped, or after another line.
    assert len(re.findall(r"[\r\n]train \| step +[246] of 6 .* left\n", shown)) == 3


def test_without_a_terminal_there_is_no_bar(tmp_path, capfd, lines):
    line_estimator(tmp_path).train(line_input_fn(), steps=2)
    assert "train:" not in capfd.readouterr().err


# What goes wrong


@pytest.mark.parametrize(
    ("x", "options"),
    [
        ((1.0, 1.0, 1.0, np.nan), {"log_step_count_steps": 4}),
        ((1.0, 1.0, 1.0, np.inf), {"log_step_count_steps": 4}),
        ((1.0, 1.0, 1.0, np.nan), {"log_step_count_steps": 99, "save_checkpoints_steps": 4}),
        ((1.0, 1.0, np.nan, 1.0), {"log_step_count_steps": 99}),
    ],
    ids=["nan_when_logged", "infinite_when_logged", "nan_when_saved", "nan_in_between"],
)
def test_a_loss_that_is_not_finite_ends_training_and_is_not_saved(tmp_path, x, options):
    estimator = line_estimator(tmp_path, **options).train(line_input_fn(x, batch_size=1), steps=2)
    with pytest.raises(ValueError, match=r"loss and weights must stay finite, received (nan|inf) "):
        estimator.train(line_input_fn(x[2:], batch_size=1), steps=10)
    assert estimator.global_step == 2
    # The Estimator is still good for use, at its newest checkpoint.
    assert np.isfinite(estimator.evaluate(line_input_fn(repeat=False))["loss"])


def test_weights_that_are_not_finite_are_not_saved_though_the_loss_still_is(tmp_path):
    with pytest.raises(ValueError, match="loss and weights must stay finite, received inf"):
        line_estimator(tmp_path, rate=3e38).train(line_input_fn(), steps=1)
    assert line_estimator(tmp_path).global_step == 0


def test_a_loss_that_is_not_finite_is_not_saved_though_the_weights_still_are(tmp_path):
    def model_fn(features, labels, net, mode):
        return EstimatorSpec(mode, loss=net.w**2 + tf.stop_gradient(features[0]))

    estimator = line_estimator(
        tmp_path, model_fn=model_fn, save_checkpoints_steps=1, log_step_count_steps=99
    )
    with pytest.raises(ValueError, match="received nan by step 3"):
        estimator.train(line_input_fn(x=(1, 1, np.nan, 1), batch_size=1), steps=4)
    assert estimator.global_step == 2


@pytest.fixture
def heeds_ctrl_c():
    """Python's own handler, also where the shell that runs the tests ignores the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _interrupt_at(monkeypatch, step, times=1):
    def info(text, *values):
        if f"train | step {step:6d} of" in text % values:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(logging, "info", info)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_saves_and_the_resumed_run_is_as_if_it_had_not_been(tmp_path, monkeypatch):
    whole = classifier_estimator(tmp_path / "whole").train(classifier_input_fn, max_steps=9)
    interrupted = classifier_estimator(tmp_path / "interrupted", log_step_count_steps=1)
    with monkeypatch.context() as context:
        _interrupt_at(context, step=4)
        with pytest.raises(KeyboardInterrupt):
            interrupted.train(classifier_input_fn, max_steps=9)
    assert interrupted.global_step == 4
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert_equal_weights(interrupted.train(classifier_input_fn, max_steps=9), whole)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_a_second_ctrl_c_does_not_wait(tmp_path, monkeypatch):
    estimator = line_estimator(tmp_path, log_step_count_steps=1)
    with monkeypatch.context() as context:
        _interrupt_at(context, step=4, times=2)
        with pytest.raises(KeyboardInterrupt):
            estimator.train(line_input_fn(), max_steps=9)
    assert estimator.global_step == 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# Training and evaluating by turns


@pytest.mark.parametrize(
    ("every_steps", "begin", "input_fn", "evaluated"),
    [
        (None, 0, TEN, [10]),
        (4, 0, TEN, [4, 8, 10]),
        (5, 0, TEN, [5, 10]),
        (99, 0, TEN, [10]),
        (4, 5, TEN, [8, 10]),
        (4, 10, TEN, [10]),
        (4, 0, line_input_fn(x=range(6), batch_size=1, repeat=False), [4, 6]),
    ],
    ids=["at_the_end", "by_turns", "aligned", "rarely", "resumed", "finished", "input_ends"],
)
def test_evaluations_fall_on_multiples_and_on_the_end(
    tmp_path, lines, every_steps, begin, input_fn, evaluated
):
    if begin:
        line_estimator(tmp_path).train(TEN, max_steps=begin)
    lines.clear()
    metrics = train_and_evaluate(
        line_estimator(tmp_path),
        TrainSpec(input_fn, max_steps=10),
        EvalSpec(line_input_fn(repeat=False), every_steps=every_steps),
    )
    steps = [int(re.search(r"step +(\d+)", line)[1]) for line in lines if line.startswith("eval")]
    assert steps == evaluated
    assert metrics["global_step"] == evaluated[-1]
    assert ("Skipping training since max_steps has already saved." in lines) == (begin == 10)


def test_an_input_that_ends_at_an_evaluation_is_not_begun_again(tmp_path):
    estimator = line_estimator(tmp_path)
    metrics = train_and_evaluate(
        estimator,
        TrainSpec(line_input_fn(x=range(8), batch_size=1, repeat=False)),
        EvalSpec(line_input_fn(repeat=False), every_steps=4),
    )
    assert metrics["global_step"] == 8


def test_evaluating_in_between_changes_nothing_in_training(tmp_path):
    alone = classifier_estimator(tmp_path / "alone").train(classifier_input_fn, max_steps=12)
    by_turns = classifier_estimator(tmp_path / "by_turns")
    train_and_evaluate(
        by_turns,
        TrainSpec(classifier_input_fn, max_steps=12),
        EvalSpec(lambda: classifier_input_fn().take(3), every_steps=3),
    )
    assert_equal_weights(alone, by_turns)


def test_log_lines_count_to_the_end_of_the_run_and_not_to_the_next_evaluation(tmp_path, lines):
    train_and_evaluate(
        line_estimator(tmp_path, log_step_count_steps=4),
        TrainSpec(TEN, max_steps=8),
        EvalSpec(line_input_fn(repeat=False), every_steps=4),
    )
    assert [line[:26] for line in lines if " of " in line] == [
        "train | step      4 of 8 |",
        "train | step      8 of 8 |",
    ]

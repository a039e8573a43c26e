"""Several steps in one compiled loop, and a step in several parts: nothing else may change."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from toy_estimator import (
    assert_equal_weights,
    classifier_estimator,
    classifier_input_fn,
    collect_log,
    line_estimator,
    line_input_fn,
    weights,
)

from model.estimator import Estimator, EstimatorSpec, Hook, RunConfig, history
from model.estimator.batch_parts import BatchParts
from model.model_fn import model_fn
from model.networks import NetworkConfig, build_network
from model.params import ModelParams
from records.input_fn import input_fn_maker

CADENCE = {"log_step_count_steps": 5, "save_summary_steps": 5, "save_checkpoints_steps": 6}


class Recorder(Hook):
    """Remembers what it is told; `every_steps` as given."""

    def __init__(self, every_steps=None):
        self.every_steps = every_steps
        self.seen = []  # (global step, number of steps in the call)
        self.values = []

    def after_run(self, run, values):
        self.seen.append((run.global_step, len(values["loss"])))
        rows = {name: value.numpy().tolist() for name, value in values.items()}
        self.values += [
            {name: row[i] for name, row in rows.items()} for i in range(len(values["loss"]))
        ]


def captcha_estimator(model_dir, optimizer=keras.optimizers.Adam, **options):
    """The network `small` in float32, with shifts, and dropout from step 2."""
    network = NetworkConfig(image_shape=(30, 100, 3), num_positions=4, num_classes=10)
    return Estimator(
        model_fn,
        model_dir,
        net_fn=lambda params: build_network(params.network),
        optimizer_fn=lambda params: optimizer(1e-4, global_clipnorm=1.0),
        config=RunConfig(**CADENCE, **options),
        params=ModelParams(network=network, shift_rows=2, shift_columns=4, dropout_from_step=2),
    )


def captcha_input_fn(data_dir, batch_size=16):
    return input_fn_maker(
        data_dir / "train",
        data_dir / "data_info.csv",
        shuffle=True,
        batch_size=batch_size,
        epoch=None,
        seed=0,
    )


def rows_without_rates(model_dir):
    """What the history keeps, but for the one number that no two runs share."""
    return [
        {name: value for name, value in row.items() if name != "examples_per_sec"}
        for row in history.rows(model_dir)
    ]


def assert_same_run(first, first_hook, second, second_hook):
    """Equal to the last bit: weights, optimizer, values of each step, history."""
    assert first_hook.values == second_hook.values
    assert_equal_weights(first, second)
    assert rows_without_rates(first.model_dir) == rows_without_rates(second.model_dir)
    names = first.get_variable_names()
    assert len(names) == len(second.get_variable_names())
    # Layers without names are numbered over the whole process: compare by place.
    for name, other in zip(names, second.get_variable_names(), strict=True):
        one, two = first.get_variable_value(name), second.get_variable_value(other)
        np.testing.assert_array_equal(one, two, err_msg=name)


# Steps in a loop


@pytest.mark.parametrize(("steps_per_loop", "longest"), [(2, 2), (30, 4)])
def test_steps_in_a_loop_are_the_same_to_the_last_bit(tmp_path, steps_per_loop, longest):
    runs = []
    for number in (1, steps_per_loop):
        hook = Recorder()
        estimator = classifier_estimator(tmp_path / str(number), steps_per_loop=number, **CADENCE)
        estimator.train(classifier_input_fn, max_steps=20, hooks=[hook])
        runs += [estimator, hook]
    assert_same_run(*runs)
    # The first step is one alone, and then there are log lines and checkpoints.
    assert max(number for _, number in runs[3].seen) == longest


@pytest.mark.parametrize("process", ["same", "another"])
def test_a_run_in_loops_goes_on_in_the_input_where_it_was(tmp_path, process):
    estimators = []
    for number in (1, 4):
        options = {"steps_per_loop": number, **CADENCE}
        estimator = classifier_estimator(tmp_path / str(number), **options)
        estimator.train(classifier_input_fn, max_steps=30, pause_at=13)
        if process == "another":
            estimator = classifier_estimator(tmp_path / str(number), **options)
        estimator.train(classifier_input_fn, max_steps=30)
        assert estimator.global_step == 30
        estimators.append(estimator)
    assert_equal_weights(*estimators)


@pytest.mark.slow
def test_the_captcha_network_in_loops_is_the_same_to_the_last_bit(tmp_path, small_dataset):
    runs = []
    for number in (1, 5):
        hook = Recorder()
        estimator = captcha_estimator(tmp_path / str(number), steps_per_loop=number)
        estimator.train(captcha_input_fn(small_dataset), max_steps=11, hooks=[hook])
        runs += [estimator, hook]
    assert_same_run(*runs)


@pytest.mark.parametrize("num_batches", [5, 8, 9], ids=["within", "at_its_end", "after_its_first"])
def test_an_input_that_ends_in_a_loop_ends_training_there(tmp_path, monkeypatch, num_batches):
    lines = collect_log(monkeypatch)
    input_fn = line_input_fn(x=range(num_batches), batch_size=1, repeat=False)
    estimator = line_estimator(tmp_path, rate=1e-3, steps_per_loop=4)
    estimator.train(input_fn, max_steps=100)
    plain = line_estimator(tmp_path / "plain", rate=1e-3).train(input_fn, max_steps=100)
    assert estimator.global_step == plain.global_step == num_batches
    assert_equal_weights(estimator, plain)
    text = f"train | step {num_batches:6d} | the input has ended, and training with it"
    assert lines.count(text) == 2


@pytest.mark.parametrize(
    ("every_steps", "options", "stop_at", "seen"),
    [
        # The first batch of an input comes alone: whether there is one shows by it.
        (None, {}, 12, [1, 5, 9, 12]),
        (3, {}, 12, [1, 3, 6, 9, 12]),
        (None, {"save_checkpoints_steps": 7}, 12, [1, 5, 7, 11, 12]),
        (None, {"log_step_count_steps": 2}, 6, [1, 2, 4, 6]),
        (None, {"save_summary_steps": 5}, 8, [1, 5, 8]),
    ],
    ids=["nobody_waits", "a_hook", "a_checkpoint", "a_log_line", "a_summary"],
)
def test_no_loop_runs_past_a_step_that_somebody_waits_for(
    tmp_path, every_steps, options, stop_at, seen
):
    hook = Recorder(every_steps)
    line_estimator(tmp_path, rate=1e-6, steps_per_loop=4, **options).train(
        line_input_fn(), max_steps=stop_at, hooks=[hook]
    )
    assert [step for step, _ in hook.seen] == seen


# Parts of a batch


@pytest.mark.parametrize(
    ("num_rows", "num_parts", "bounds"),
    [
        (8, 2, [0, 4, 8]),
        (5, 2, [0, 2, 5]),
        (7, 4, [0, 1, 3, 5, 7]),
        (4, 4, [0, 1, 2, 3, 4]),
        (1, 1, [0, 1]),
    ],
)
@pytest.mark.parametrize("kind", ["num_accumulated", "num_side_by_side"])
def test_parts_cover_a_batch_and_differ_by_one_row_at_most(num_rows, num_parts, bounds, kind):
    parts = BatchParts(**{kind: num_parts})
    assert parts.num_parts == num_parts
    ranges = [
        tuple(int(end) for end in parts.rows(tf.constant(num_rows, tf.int64), index))
        for index in range(num_parts)
    ]
    assert ranges == list(itertools.pairwise(bounds))


@pytest.mark.parametrize(
    "parts",
    [
        {"accumulate_gradients": 2},
        {"accumulate_gradients": 4},
        {"parts_side_by_side": 2},
        {"parts_side_by_side": 4},
        {"accumulate_gradients": 2, "parts_side_by_side": 2},
    ],
    ids=lambda parts: "_".join(f"{name}_{number}" for name, number in parts.items()),
)
def test_gradients_added_up_are_the_same_bits_where_sums_are_exact(tmp_path, parts):
    # Powers of two: no sum of three steps rounds.
    input_fn = line_input_fn(x=(1, 2, 0.5, 4), batch_size=4)
    runs = []
    for name, options in (("whole", {}), ("parts", parts)):
        hook = Recorder()
        estimator = line_estimator(tmp_path / name, 2**-6, **options)
        estimator.train(input_fn, steps=3, hooks=[hook])
        runs += [estimator, hook]
    assert_same_run(*runs)


@pytest.mark.parametrize("kind", ["accumulate_gradients", "parts_side_by_side"])
def test_a_part_weighs_what_it_holds(tmp_path, kind):
    # d/dw of the mean of (w x - 2 x)^2 at w = 0 is -4 (1 + 4 + 16) / 3 = -28. The mean of the
    # means over 1 and over 2 and 4 would be -4 (1 + 10) / 2 = -22.
    hook = Recorder()
    estimator = line_estimator(tmp_path, rate=0.01, **{kind: 2})
    estimator.train(line_input_fn(x=(1, 2, 4), batch_size=3), steps=1, hooks=[hook])
    np.testing.assert_allclose(estimator.net.w, 0.28, rtol=1e-6)
    assert hook.values[0]["loss"] == pytest.approx(28)  # 4 (1 + 4 + 16) / 3
    assert hook.values[0]["error"] == pytest.approx(14 / 3)
    assert hook.values[0]["gradient_norm"] == pytest.approx(28)
    assert hook.values[0]["num_examples"] == 3


def float64_estimator(model_dir, **options):
    """Whose rounding is far below any mistake: no batch statistics, no dropout."""

    def net_fn():
        return keras.Sequential(
            [
                keras.Input([16]),
                keras.layers.Dense(8, activation="relu", dtype="float64"),
                keras.layers.Dense(2, dtype="float64"),
            ]
        )

    return classifier_estimator(model_dir, net_fn=net_fn, **options)


@pytest.mark.parametrize("parts", [2, 3, 7], ids=["even", "uneven", "nearly_one_each"])
@pytest.mark.parametrize("steps_per_loop", [1, 3])
@pytest.mark.parametrize("kind", ["accumulate_gradients", "parts_side_by_side"])
def test_gradients_added_up_are_those_of_the_whole_batch(tmp_path, parts, steps_per_loop, kind):
    whole = float64_estimator(tmp_path / "whole").train(classifier_input_fn, steps=15)
    options = {kind: parts, "steps_per_loop": steps_per_loop}
    estimator = float64_estimator(tmp_path / "parts", **options)
    estimator.train(classifier_input_fn, steps=15)
    for one, other in zip(weights(whole), weights(estimator), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["accumulate_gradients", "parts_side_by_side"])
def test_a_captcha_has_its_shift_and_its_dropout_in_whatever_part_it_is(
    tmp_path, small_dataset, kind
):
    # Not by Adam, which moves a weight as far where its gradient is nothing but rounding.
    hooks = []
    for parts in (1, 3):
        hooks.append(Recorder())
        options = {"optimizer": keras.optimizers.SGD, kind: parts}
        captcha_estimator(tmp_path / str(parts), **options).train(
            captcha_input_fn(small_dataset), max_steps=8, hooks=[hooks[-1]]
        )
    for one, other in zip(hooks[0].values, hooks[1].values, strict=True):
        assert one == pytest.approx(other, rel=1e-5)


@pytest.mark.parametrize(
    ("parts", "batch_size", "repeat", "steps_per_loop", "received"),
    [
        (4, 3, True, 1, 3),
        (4, 4, False, 1, 2),
        (4, 4, False, 10, 2),
    ],
    ids=["all", "the_last_one", "the_last_one_in_a_loop"],
)
def test_a_batch_smaller_than_its_parts_is_refused(
    tmp_path, parts, batch_size, repeat, steps_per_loop, received
):
    input_fn = line_input_fn(x=range(10), batch_size=batch_size, repeat=repeat)
    estimator = line_estimator(
        tmp_path, 1e-6, accumulate_gradients=parts, steps_per_loop=steps_per_loop
    )
    message = f"a batch must have at least 4 examples, .* received {received}. Raise the batch"
    with pytest.raises(ValueError, match=message) as caught:
        estimator.train(input_fn, max_steps=100)
    assert "\n" not in str(caught.value)


def test_labels_may_be_none_in_parts_too(tmp_path):
    def features_only_model_fn(features, net, mode):
        return EstimatorSpec(mode, loss=tf.reduce_mean((net(features) - 1.0) ** 2))

    estimator = line_estimator(
        tmp_path, 0.5, model_fn=features_only_model_fn, accumulate_gradients=2
    )
    dataset = tf.data.Dataset.from_tensors(tf.constant([1.0, 1.0]))
    estimator.train(dataset.repeat, steps=1)
    assert float(estimator.net.w) == 1.0  # From 0 down the gradient, -2, times 0.5.

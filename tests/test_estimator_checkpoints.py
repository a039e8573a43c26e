import gc
import json
import pathlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from toy_estimator import (
    assert_equal_weights,
    classifier_estimator,
    classifier_eval_input_fn,
    classifier_input_fn,
    classifier_net,
    collect_log,
    line_estimator,
    line_input_fn,
    weights,
)

from model.estimator import Estimator, EstimatorSpec

TEN = line_input_fn(x=range(10), batch_size=1)


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """24 steps at one go, with dropout, batch normalisation, Adam and a shuffled input."""
    model_dir = tmp_path_factory.mktemp("whole")
    return classifier_estimator(model_dir).train(classifier_input_fn, max_steps=24)


@pytest.mark.parametrize(
    ("process", "stops"),
    [("another", (24,)), ("another", (1, 24)), ("another", (7, 13, 24)), ("same", (7, 13, 24))],
    ids=["never_stopped", "after_one_step", "at_an_epochs_end", "in_one_process"],
)
def test_a_run_stopped_and_resumed_ends_with_the_same_bits(tmp_path, whole_run, process, stops):
    # An epoch is 12.5 batches, and a shuffle buffer is full at every stop.
    estimator = classifier_estimator(tmp_path)
    for stop in stops:
        estimator = estimator if process == "same" else classifier_estimator(tmp_path)
        estimator.train(classifier_input_fn, max_steps=stop)
    assert_equal_weights(estimator, whole_run)


def test_fresh_weights_depend_on_the_seed_alone(tmp_path):
    estimators = []
    for folder in ("first", "second"):
        estimators.append(classifier_estimator(tmp_path / folder))
        weights(estimators[-1])
        keras.utils.set_random_seed(len(estimators))  # What others draw leaves no trace.
    assert_equal_weights(*estimators)


def test_another_seed_trains_another_network(tmp_path, whole_run):
    other = classifier_estimator(tmp_path, tf_random_seed=1)
    other.train(classifier_input_fn, max_steps=24)
    assert not np.array_equal(weights(other)[0], weights(whole_run)[0])


def test_a_checkpoint_holds_network_dropout_optimizer_step_and_input(whole_run):
    keys = [name for name, _ in tf.train.list_variables(whole_run.latest_checkpoint())]
    assert {key.partition("/")[0] for key in keys} == {
        "_CHECKPOINTABLE_OBJECT_GRAPH",
        "global_step",
        "hooks",
        "iterator",
        "names",
        "net",
        "optimizer",
        "random",
    }
    (seed_state,) = [
        np.asarray(variable) for variable in whole_run.net.variables if "seed" in variable.path
    ]
    saved = tf.train.load_variable(
        whole_run.latest_checkpoint(), "random/0/.ATTRIBUTES/VARIABLE_VALUE"
    )
    np.testing.assert_array_equal(saved, seed_state)
    assert saved[1] == 24  # Keras counts how often it was drawn from.


def test_variables_have_the_names_that_keras_gives_them(whole_run):
    names = whole_run.get_variable_names()
    assert names[0] == "global_step"
    (kernel,) = [name for name in names if re.fullmatch(r"sequential\w*/conv2d\w*/kernel", name)]
    np.testing.assert_array_equal(whole_run.get_variable_value(kernel), weights(whole_run)[0])
    assert any(name.endswith("conv2d_kernel_momentum") for name in map(_unnumbered, names))
    assert not any("learning_rate" in name for name in names)


def _unnumbered(name):
    return re.sub(r"_\d+(?=[_/]|$)", "", name)


def test_a_name_that_is_not_there_is_refused(whole_run):
    with pytest.raises(ValueError, match=r"must be one of those in .*ckpt-24, received 'nothing'"):
        whole_run.get_variable_value("nothing")


@pytest.mark.parametrize(
    "rate",
    [
        lambda value: value,
        lambda value: keras.optimizers.schedules.ExponentialDecay(value, 1, 0.5),
    ],
    ids=["number", "schedule"],
)
def test_a_resumed_run_uses_the_learning_rate_it_is_given(tmp_path, rate):
    line_estimator(tmp_path, rate=rate(0.01)).train(line_input_fn(), steps=2)
    before = line_estimator(tmp_path).get_variable_value("w")
    still = line_estimator(tmp_path, rate=rate(0.0)).train(line_input_fn(), steps=2)
    assert still.get_variable_value("w") == before
    moved = line_estimator(tmp_path, rate=rate(0.1)).train(line_input_fn(), steps=1)
    assert moved.get_variable_value("w") != before


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"save_checkpoints_steps": 2}, [2, 4, 6, 8, 9]),
        ({"save_checkpoints_steps": 2, "keep_checkpoint_max": 2}, [8, 9]),
        ({"save_checkpoints_steps": 100}, [0, 9]),
        ({"save_checkpoints_secs": 1e-9, "keep_checkpoint_max": 3}, [7, 8, 9]),
    ],
    ids=["steps", "keep_two", "first_and_last", "every_moment"],
)
def test_the_newest_checkpoints_are_kept(tmp_path, options, kept):
    line_estimator(tmp_path, **options).train(line_input_fn(), steps=9)
    assert sorted(int(path.stem[5:]) for path in tmp_path.glob("ckpt-*.index")) == kept


@pytest.mark.parametrize("state", [None, "garbage", 'model_checkpoint_path: "ckpt-2"'])
def test_the_newest_checkpoint_is_found_whatever_the_file_named_checkpoint_says(tmp_path, state):
    estimator = line_estimator(tmp_path, save_checkpoints_steps=2).train(line_input_fn(), steps=4)
    (tmp_path / "checkpoint").unlink()
    if state:
        (tmp_path / "checkpoint").write_text(state)
    assert estimator.latest_checkpoint() == str(tmp_path / "ckpt-4")


# Damage


def _damage(path: pathlib.Path, how: str):
    if how == "gone":
        path.unlink()
        return
    content = bytearray(path.read_bytes())
    if how == "flipped":
        content[len(content) // 2] ^= 1
    path.write_bytes(content[: {"cut": len(content) // 2, "empty": 0}.get(how, len(content))])


@pytest.mark.parametrize(
    ("suffix", "how"),
    [
        (".index", "cut"),
        (".index", "empty"),
        (".index", "flipped"),
        (".data-00000-of-00001", "cut"),
        (".data-00000-of-00001", "empty"),
        (".data-00000-of-00001", "flipped"),
        (".data-00000-of-00001", "gone"),
    ],
)
def test_a_damaged_newest_checkpoint_is_warned_of_and_the_one_before_is_used(
    tmp_path, monkeypatch, suffix, how
):
    whole = line_estimator(tmp_path / "whole").train(TEN, max_steps=9)
    line_estimator(tmp_path, save_checkpoints_steps=4).train(TEN, max_steps=6)
    damaged = tmp_path / "ckpt-6"
    _damage(damaged.with_suffix(suffix), how)
    files = set(tmp_path.glob("ckpt-6.*"))
    lines = collect_log(monkeypatch)
    estimator = line_estimator(tmp_path)
    assert estimator.evaluate(line_input_fn(repeat=False))["global_step"] == 4
    (line,) = [line for line in lines if "cannot be read" in line]
    assert line.startswith(f"checkpoint {damaged} cannot be read (")
    assert line.endswith(f"): going back to {tmp_path}/ckpt-4")
    assert set(tmp_path.glob("ckpt-6.*")) == files  # To look does not move anything.
    # Nothing of the damaged one has got into the network.
    assert_equal_weights(estimator.train(TEN, max_steps=9), whole)
    assert {path.name for path in tmp_path.glob("damaged-*")} == {
        f"damaged-{path.name}" for path in files
    }


def test_if_every_checkpoint_is_damaged_nothing_is_begun_anew(tmp_path):
    line_estimator(tmp_path, save_checkpoints_steps=4).train(TEN, max_steps=6)
    for path in tmp_path.glob("ckpt-*.index"):
        _damage(path, "cut")
    before = sorted(tmp_path.iterdir())
    message = f"checkpoint {tmp_path}/ckpt-6 must be whole .* So it is with all 3 in {tmp_path}: "
    with pytest.raises(ValueError, match=message) as caught:
        line_estimator(tmp_path).train(TEN, max_steps=9)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    tf.train.Checkpoint(w=tf.Variable(1.0)).write(str(tmp_path / "ckpt-5"))
    with pytest.raises(ValueError, match="ckpt-5 must be whole and written by this Estimator"):
        line_estimator(tmp_path).evaluate(line_input_fn(repeat=False))


@pytest.mark.parametrize(
    "use",
    [
        lambda estimator: estimator.evaluate(classifier_eval_input_fn),
        lambda estimator: estimator.predict(classifier_eval_input_fn),
        lambda estimator: estimator.export_saved_model("unused", lambda net: {}),
        lambda estimator: estimator.get_variable_names(),
        lambda estimator: estimator.get_variable_value("global_step"),
    ],
    ids=["evaluate", "predict", "export", "names", "value"],
)
def test_where_nothing_was_trained_nothing_can_be_used(tmp_path, use):
    with pytest.raises(ValueError, match=r"`model_dir` must hold a checkpoint, .* Train first\."):
        use(classifier_estimator(tmp_path / "model"))
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_path_that_does_not_exist_is_refused(whole_run):
    with pytest.raises(
        ValueError, match=r"`checkpoint_path` must name .* 'gone'\. The newest is .*24"
    ):
        whole_run.evaluate(classifier_eval_input_fn, checkpoint_path="gone")


# Another network


@pytest.mark.parametrize(
    ("net_fn", "message"),
    [
        (
            lambda: classifier_net(units=9),
            r"the net variables of \S+ must be .*, received others: "
            r"\S+/dense\w*/kernel is float32 \[64, 9\], in the checkpoint float32 \[64, 8\]; "
            r"\S+/bias is float32 \[9\], in the checkpoint float32 \[8\]; "
            r"\S+/kernel is float32 \[9, 2\], in the checkpoint float32 \[8, 2\]\. Build",
        ),
        (
            lambda: classifier_net(extra_layer=True),
            r"others: \S+/kernel float32 \[8, 8\] is not in the checkpoint; "
            r"\S+/bias float32 \[8\] is not in the checkpoint\. Build",
        ),
        (
            lambda: keras.Sequential([keras.Input([16]), keras.layers.Dense(2)]),
            r"others: \S+/dense\w*/kernel is float32 \[16, 2\], in the .*; and \d+ more\. Build",
        ),
    ],
    ids=["wider", "deeper", "another"],
)
def test_another_network_is_refused_with_the_difference(tmp_path, net_fn, message):
    classifier_estimator(tmp_path).train(classifier_input_fn, steps=1)
    estimator = classifier_estimator(tmp_path, net_fn=net_fn)
    before = weights(estimator)
    for use in (estimator.evaluate, lambda input_fn: estimator.train(input_fn, steps=1)):
        with pytest.raises(ValueError, match=message) as caught:
            use(classifier_input_fn)
        assert "\n" not in str(caught.value)
    for one, other in zip(before, weights(estimator), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_optimizer_is_refused_but_not_needed_to_evaluate(tmp_path):
    classifier_estimator(tmp_path).train(classifier_input_fn, steps=1)
    estimator = classifier_estimator(tmp_path, optimizer=keras.optimizers.SGD)
    assert estimator.evaluate(classifier_eval_input_fn)["n"] == 100
    with pytest.raises(
        ValueError, match=r"the optimizer variables of \S+ must be .* is in the checkpoint alone"
    ):
        estimator.train(classifier_input_fn, steps=1)


@pytest.mark.parametrize("dropout", [0.0, 0.5], ids=["without", "with"])
def test_a_run_may_go_on_with_dropout_or_without(tmp_path, monkeypatch, dropout):
    classifier_estimator(tmp_path, net_fn=lambda: classifier_net(0.5 - dropout)).train(
        classifier_input_fn, steps=2
    )
    lines = collect_log(monkeypatch)
    estimator = classifier_estimator(tmp_path, net_fn=lambda: classifier_net(dropout))
    assert estimator.train(classifier_input_fn, steps=2).global_step == 4
    assert any("random layers have changed" in line for line in lines)


def test_layers_with_names_are_found_by_name_whatever_their_order(tmp_path):
    class Pair(tf.Module):
        def __init__(self, names):
            super().__init__()
            self.of = {name: tf.Variable(float(ord(name)), name=name) for name in names}
            self.order = [self.of[name] for name in names]

        @property
        def variables(self):
            return self.order

        def __call__(self, x):
            return x * (self.of["a"] + 0 * self.of["b"])

    def estimator(names):
        return Estimator(
            _plain_model_fn,
            tmp_path,
            net_fn=lambda params: Pair(names),
            optimizer_fn=lambda params: keras.optimizers.SGD(1e-9),
        )

    estimator("ab").train(line_input_fn(), steps=1)
    turned = estimator("ba")
    turned.evaluate(line_input_fn(repeat=False))
    assert round(float(turned.net.of["a"])) == ord("a")


def _plain_model_fn(features, labels, net, mode):
    return EstimatorSpec(mode, loss=tf.reduce_mean((net(features) - labels) ** 2))


# Several in one folder


def test_an_older_checkpoint_can_be_looked_at_while_training_goes_on(tmp_path, whole_run):
    estimator = classifier_estimator(tmp_path, save_checkpoints_steps=6)
    estimator.train(classifier_input_fn, max_steps=12)
    newest = estimator.evaluate(classifier_eval_input_fn)
    older = estimator.evaluate(classifier_eval_input_fn, checkpoint_path=tmp_path / "ckpt-6")
    assert older["global_step"] == 6
    assert older["loss"] != newest["loss"]
    assert estimator.evaluate(classifier_eval_input_fn) == newest
    estimator.evaluate(classifier_eval_input_fn, checkpoint_path=tmp_path / "ckpt-6")
    assert_equal_weights(estimator.train(classifier_input_fn, max_steps=24), whole_run)


def test_what_another_process_trains_is_seen(tmp_path):
    trainer = line_estimator(tmp_path).train(line_input_fn(), steps=1)
    evaluator = line_estimator(tmp_path)
    assert evaluator.evaluate(line_input_fn(repeat=False))["global_step"] == 1
    trainer.train(line_input_fn(), steps=1)
    assert evaluator.evaluate(line_input_fn(repeat=False))["global_step"] == 2


def test_a_model_dir_that_was_emptied_is_trained_from_scratch(tmp_path):
    estimator = line_estimator(tmp_path).train(line_input_fn(), steps=3)
    for path in tmp_path.glob("ckpt-*"):
        path.unlink()
    estimator.train(line_input_fn(), steps=1)
    assert estimator.global_step == 1
    np.testing.assert_allclose(estimator.net.w, 0.1, rtol=1e-6)


def test_the_process_that_trained_reads_nothing_back(tmp_path, monkeypatch):
    estimator = line_estimator(tmp_path).train(line_input_fn(), steps=1)

    def load_checkpoint(path):
        raise AssertionError(f"read {path}")

    monkeypatch.setattr(tf.train, "load_checkpoint", load_checkpoint)
    estimator.evaluate(line_input_fn(repeat=False))
    list(estimator.predict(line_input_fn(repeat=False)))
    estimator.train(line_input_fn(), steps=1).evaluate(line_input_fn(repeat=False))


@pytest.mark.slow
def test_memory_stays_flat_over_many_rounds(tmp_path):
    estimator = line_estimator(tmp_path)

    def input_fn():  # With a function of its own, as real ones have.
        return TEN().map(lambda x, y: (x, y + 0.0))

    def run(num_rounds):
        for _ in range(num_rounds):
            estimator.train(input_fn, steps=1)
            estimator.evaluate(input_fn, steps=1)
            next(estimator.predict(input_fn))
        gc.collect()
        return len(gc.get_objects())

    before = run(2)
    assert run(10) - before < 10 * 20  # Measured: 2 a round, which TensorFlow keeps.


def test_the_names_in_a_checkpoint_can_be_read_without_this_program(whole_run):
    names = json.loads(
        tf.train.load_variable(
            whole_run.latest_checkpoint(), "names/.ATTRIBUTES/VARIABLE_VALUE"
        ).decode()
    )
    assert len(names["net"]) == 10
    assert len(names["random"]) == 1

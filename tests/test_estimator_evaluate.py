import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from toy_estimator import (
    FEATURES,
    Line,
    classifier_estimator,
    classifier_eval_input_fn,
    classifier_input_fn,
    collect_log,
    line_estimator,
    line_input_fn,
    line_model_fn,
)

from model.estimator import Estimator, Hook, RunConfig

# With w = 0 and y = 2 x the errors of these are 2, 4, 6, 8, 20, the squares 4, 16, 36, 64, 400.
FIVE = line_input_fn(x=(1, 2, 3, 4, 10), batch_size=2, repeat=False)


@pytest.fixture
def untrained(tmp_path):
    """At w = 0, after a step of rate 0."""
    return line_estimator(tmp_path, rate=0.0).train(line_input_fn(), steps=1)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    model_dir = tmp_path_factory.mktemp("classifier")
    return classifier_estimator(model_dir).train(classifier_input_fn, steps=5)


def test_means_are_over_examples_so_a_short_last_batch_counts_for_what_it_holds(untrained):
    assert untrained.evaluate(FIVE) == {
        "loss": pytest.approx(520 / 5),
        "error": pytest.approx(40 / 5),
        "global_step": 1,
        "n": 5,
    }


@pytest.mark.parametrize("batch_size", [1, 7, 32, 100])
def test_the_batch_size_does_not_change_the_result(classifier, batch_size):
    batches = classifier_eval_input_fn().unbatch().batch(batch_size)
    expected = classifier.evaluate(classifier_eval_input_fn)
    assert classifier.evaluate(lambda: batches) == pytest.approx(expected, rel=1e-6)


def test_steps_limits_the_batches(untrained):
    metrics = untrained.evaluate(FIVE, steps=2)
    assert (metrics["n"], metrics["error"]) == (4, pytest.approx(20 / 4))


@pytest.mark.parametrize(
    ("name", "folder"), [(None, "eval"), ("train", "eval_train")], ids=["unnamed", "named"]
)
def test_the_result_is_also_a_file(untrained, tmp_path, name, folder):
    metrics = untrained.evaluate(FIVE, name=name)
    assert json.loads((tmp_path / folder / "metrics.json").read_text()) == metrics
    assert list((tmp_path / folder).glob("*.partial")) == []


def test_the_result_is_one_log_line(untrained, monkeypatch):
    lines = collect_log(monkeypatch)
    untrained.evaluate(FIVE)
    assert [line.rpartition(" | ")[0] for line in lines] == [
        "eval  | step      1 | loss 104.0000 | error 8.000 | n 5"
    ]


@pytest.mark.parametrize(
    ("input_fn", "steps", "message"),
    [
        (lambda: FIVE().take(0), None, "`input_fn` must give at least one example to evaluate"),
        (FIVE, 0, "`steps` must be a whole number of 1 or more, received 0"),
    ],
    ids=["empty", "no_steps"],
)
def test_evaluate_refuses(untrained, tmp_path, input_fn, steps, message):
    with pytest.raises(ValueError, match=message):
        untrained.evaluate(input_fn, steps=steps)
    assert not (tmp_path / "eval").exists()


def test_batches_evaluated_side_by_side_come_back_in_their_order(tmp_path):
    """100 examples in batches of 6: the last has 4, and 3 does not divide their number, 17."""

    class Kept(Hook):
        def __init__(self):
            self.batches = []

        def after_run(self, run, values):
            names = ("features", "labels", "predictions", "loss")
            tensors = tf.nest.flatten([values[name] for name in names])
            self.batches.append([tensor.numpy().tolist() for tensor in tensors])

    results, hooks = [], []
    for number in (1, 3, 20):
        hooks.append(Kept())
        estimator = classifier_estimator(tmp_path, parts_side_by_side=number)
        if number == 1:
            estimator.train(classifier_input_fn, steps=5)
        results.append(
            estimator.evaluate(
                lambda: classifier_eval_input_fn().unbatch().batch(6), hooks=[hooks[-1]]
            )
        )
    assert len(hooks[0].batches) == 17
    for result, hook in zip(results[1:], hooks[1:], strict=True):
        assert result == results[0]
        assert hook.batches == hooks[0].batches


def test_dropout_is_off_and_weights_stay_as_they_are(classifier):
    before = [np.asarray(variable) for variable in classifier.net.variables]
    assert classifier.evaluate(classifier_eval_input_fn) == classifier.evaluate(
        classifier_eval_input_fn
    )
    for one, other in zip(before, classifier.net.variables, strict=True):
        np.testing.assert_array_equal(one, other)


# Predictions


def test_predict_yields_an_example_at_a_time_in_order(classifier):
    expected = np.asarray(tf.nn.softmax(classifier.net(FEATURES)))
    examples = list(classifier.predict(classifier_eval_input_fn))
    assert len(examples) == 100
    assert examples[0].keys() == {"probabilities"}
    np.testing.assert_allclose([e["probabilities"] for e in examples], expected, atol=1e-6)


def test_predict_yields_whole_batches_if_asked(classifier):
    batches = classifier.predict(classifier_eval_input_fn, yield_single_examples=False)
    assert [batch["probabilities"].shape for batch in batches] == [(32, 2)] * 3 + [(4, 2)]


def test_predict_takes_features_alone(untrained):
    features = tf.data.Dataset.from_tensor_slices(tf.constant([1.0, 2.0])).batch(2)
    assert list(untrained.predict(lambda: features)) == [{"y": 0.0}, {"y": 0.0}]


def test_predict_computes_a_batch_when_it_is_asked_for(untrained):
    predictions = untrained.predict(lambda: FIVE().repeat())
    assert [next(predictions)["y"] for _ in range(7)] == [0.0] * 7


# TensorBoard


def _curves(folder):
    """Tag to [(step, value)] of all events in `folder`."""
    events = EventAccumulator(str(folder)).Reload()
    return {
        tag: [
            (event.step, float(tf.make_ndarray(event.tensor_proto)))
            for event in events.Tensors(tag)
        ]
        for tag in events.Tags()["tensors"]
    }


def test_events_hold_loss_metrics_rate_and_speed_for_train_and_loss_and_metrics_for_eval(tmp_path):
    estimator = line_estimator(tmp_path, rate=0.0, save_summary_steps=2)
    input_fn = line_input_fn(x=(1, 2, 3, 4), batch_size=1)
    for _ in range(2):
        estimator.train(input_fn, steps=2).evaluate(FIVE)
    train = _curves(tmp_path)
    assert train.keys() == {
        "loss",
        "error",
        "learning_rate",
        "gradient_norm",
        "examples_per_sec",
    }
    assert train["loss"] == [(2, 10.0), (4, 50.0)]
    assert train["error"] == [(2, 3.0), (4, 7.0)]
    assert _curves(tmp_path / "eval") == {
        "loss": [(2, 104.0), (4, 104.0)],
        "error": [(2, 8.0), (4, 8.0)],
    }
    # One file a folder, however often it is written to.
    assert len(list(tmp_path.glob("*tfevents*"))) == 1
    assert len(list((tmp_path / "eval").glob("*tfevents*"))) == 1


def test_the_learning_rate_shown_is_the_one_that_the_step_used(tmp_path):
    # The first update uses the schedule's value for 0 and so on.
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0, 1], [0.5, 0.25, 0.125])
    Estimator(
        line_model_fn,
        tmp_path,
        net_fn=lambda params: Line(),
        optimizer_fn=lambda params: keras.optimizers.SGD(schedule),
        config=RunConfig(save_summary_steps=1),
    ).train(line_input_fn(x=(0,), batch_size=1), steps=3)
    assert _curves(tmp_path)["learning_rate"] == [(1, 0.5), (2, 0.25), (3, 0.125)]

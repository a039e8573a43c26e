import dataclasses
import math
import pathlib
import re
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl import logging

from model.causes import CAUSES, advice
from model.dead_units import DeadUnitsWarning, dead_shares_fn, network_inputs, relu_layers
from model.dropout import SwitchedDropout
from model.estimator import (
    Estimator,
    EvalSpec,
    ModeKeys,
    RunConfig,
    TrainSpec,
    train_and_evaluate,
)
from model.learning_warnings import GapWarning, GradientWarning, StuckWarning
from tests.toy_estimator import (
    classifier_estimator,
    classifier_eval_input_fn,
    classifier_input_fn,
    classifier_model_fn,
    classifier_net,
)
from training.config import TrainConfig

ROOT = pathlib.Path(__file__).parent.parent

LN_10 = math.log(10)


@pytest.fixture
def warnings(monkeypatch):
    """The lines of absl's warnings."""
    lines = []
    monkeypatch.setattr(logging, "warning", lambda text, *values: lines.append(text % values))
    return lines


def fake_run(step=0, mode=ModeKeys.TRAIN, chance=None, metrics=None, net=None, is_chief=True):
    return types.SimpleNamespace(
        mode=mode,
        global_step=step,
        chance={"loss": LN_10} if chance is None else chance,
        metrics=metrics,
        net=net,
        is_chief=is_chief,
    )


def feed(hook, run, num_steps=1, **values):
    """Runs `num_steps` steps that all return `values`."""
    for _ in range(num_steps):
        run.global_step += 1
        hook.after_run(run, {name: tf.constant([value]) for name, value in values.items()})


@pytest.mark.parametrize(
    ("losses", "chance", "expected"),
    # A loss a window of 100 steps.
    [
        ([3.0, *[2.3026] * 9], {"loss": LN_10}, [1000]),
        ([3.0, *[2.3026] * 8], {"loss": LN_10}, []),
        ([2.3026] * 3, {"loss": LN_10}, []),
        ([3.0, 2.31, 2.30, 2.3, 1.5, 0.7, 0.4, 0.3, 0.2, 0.1, 0.1], {"loss": LN_10}, []),
        ([2.3026] * 9 + [2.2, 2.3], {"loss": LN_10}, [1100]),
        ([2.3026] * 9 + [2.285] * 2, {"loss": LN_10}, [1000]),
        ([2.3026] * 9 + [2.279] * 2, {"loss": LN_10}, []),
        ([2.6] * 20, {"loss": LN_10}, [1000]),
        ([2.3026] * 20, {}, []),
        ([2.3026] * 20, {"loss": math.log(36)}, []),
    ],
    ids=[
        "at_chance",
        "too_early",
        "a_short_run",
        "leaves_at_400",
        "comes_back",
        "within_1_percent",
        "outside",
        "above_chance_is_no_better",
        "chance_not_known",
        "of_other_alphabets",
    ],
)
def test_a_loss_at_chance_warns_once(warnings, losses, chance, expected):
    hook, run = StuckWarning(), fake_run(chance=chance)
    for loss in losses:
        feed(hook, run, 100, loss=loss)
    assert [int(re.search(r"step +(\d+)", line)[1]) for line in warnings] == expected


def test_steps_of_one_loop_count_each(warnings):
    """With steps_per_loop=4 a call returns four values, of which one is much larger."""
    hook, run = StuckWarning(from_step=8, every_steps=8), fake_run()
    for losses in ([2.0, 2.0, 2.0, 2.0], [2.0, 2.0, 2.0, 4.6]):
        run.global_step += 4
        hook.after_run(run, {"loss": tf.constant(losses)})
    assert "the loss was 2.325 over the last 8 steps" in warnings[0]


@pytest.mark.parametrize(
    ("norms", "losses", "expected"),
    # A window of 100 steps each.
    [
        # Medians of a run of configs/quick.flags, seed 1.
        ([4.3, 1.6, 1.6, 2.8, 3.6, 3.4, 2.9, 1.8], [2.6, 2.3, 2.3, 1.8, 1.2, 0.7, 0.4, 0.1], []),
        ([4.3, 1.6, 3.6, 0.01], [2.6, 2.3, 0.7, 0.001], []),
        ([4.3, 1.6, 0.021], [2.6, 2.3, 2.3], ["vanishes: its norm is 0.021, from 4.3"]),
        ([4.3, 1.6, 0.022], [2.6, 2.3, 2.3], []),
        ([9e-6, 9e-6], [2.3, 2.3], ["vanishes: its norm is 9e-06"]),
        ([2.0, 4.0, 390.0], [2.3, 2.3, 2.3], []),
        (
            [2.0, 4.0, 410.0],
            [2.3, 2.3, 2.3],
            ["410 in one of the last 100 steps, and at most 4"],
        ),
        ([2.0, 150.0, 14000.0], [2.3, 2.3, 2.3], []),
        ([2.0, 410.0, 1e5, 1e-6], [2.3] * 4, ["explodes: its norm was 410 "]),
        ([1.1e6], [2.3], ["explodes: its norm was 1.1e+06"]),
    ],
    ids=[
        "healthy",
        "falls_with_the_loss",
        "vanishes",
        "not_quite",
        "never_was_any",
        "grows_much",
        "explodes",
        "grows_step_by_step",
        "once",
        "at_once",
    ],
)
def test_a_gradient_warns_against_its_own_history(warnings, norms, losses, expected):
    hook, run = GradientWarning(), fake_run()
    for norm, loss in zip(norms, losses, strict=True):
        feed(hook, run, 100, loss=loss, gradient_norm=norm)
    assert len(warnings) == len(expected)
    for line, part in zip(warnings, expected, strict=True):
        assert part in line


@pytest.mark.parametrize(("norm", "num_warnings"), [(190.0, 0), (210.0, 1)])
@pytest.mark.parametrize("num_before", [1, 150])
def test_one_wild_step_is_enough_if_it_is_wild(warnings, norm, num_warnings, num_before):
    hook, run = GradientWarning(), fake_run()
    feed(hook, run, num_before, loss=2.3, gradient_norm=2.0)
    feed(hook, run, 1, loss=2.3, gradient_norm=norm)
    feed(hook, run, 199 - num_before, loss=2.3, gradient_norm=2.0)
    assert len(warnings) == num_warnings


def test_single_small_gradients_do_not_vanish(warnings):
    hook, run = GradientWarning(), fake_run()
    feed(hook, run, 60, loss=2.3, gradient_norm=2.0)
    feed(hook, run, 40, loss=2.3, gradient_norm=0.0)
    assert not warnings


def test_without_a_known_chance_a_gradient_is_held_against_the_first_loss(warnings):
    for loss, num_warnings in ((3.0, 0), (9.0, 1)):
        hook, run = GradientWarning(), fake_run(chance={})
        feed(hook, run, 100, loss=8.0, gradient_norm=1.0)
        feed(hook, run, 100, loss=loss, gradient_norm=1e-3)
        assert len(warnings) == num_warnings


@pytest.mark.parametrize(
    ("trained", "evaluated", "n", "warns"),
    [
        (0.98, 0.976, 2000, False),
        (1.0, 0.6, 2000, True),
        # 95 % intervals: 6,400 of 1.0 from 0.9994; 0.93 of 2,000 to 0.9404, of 100 to 0.966.
        (1.0, 0.93, 2000, True),
        (1.0, 0.93, 100, False),
        (1.0, 0.96, 2000, False),
        (0.5, 0.9, 2000, False),
    ],
    ids=["healthy", "by_heart", "beyond", "interval_explains", "within_margin", "better"],
)
def test_a_gap_warns_beyond_what_intervals_explain(warnings, trained, evaluated, n, warns):
    hook = GapWarning()
    feed(hook, fake_run(), 100, character_accuracy=trained, num_examples=64.0)
    metrics = {"character_accuracy": evaluated, "n": n}
    for _ in range(2):
        hook.end(fake_run(100, ModeKeys.EVAL, metrics=metrics))
    assert len(warnings) == warns
    if warns:
        assert f"character_accuracy is 1.000 in training and {evaluated:.3f} on {n}" in warnings[0]


@pytest.mark.parametrize(
    "metrics", [{"character_accuracy": 0.1, "n": 2000}, {"loss": 9.0, "n": 2000}]
)
def test_an_evaluation_without_training_or_without_the_metric_has_no_gap(warnings, metrics):
    hook = GapWarning()
    if "loss" in metrics:
        feed(hook, fake_run(), 100, character_accuracy=1.0, num_examples=64.0)
    hook.end(fake_run(100, ModeKeys.EVAL, metrics=metrics))
    assert not warnings


def toy_net(kernel="he_normal", dropout=0.5):
    """Two ReLU layers of 8 channels, by argument and as a layer, and one of another kind."""
    image = keras.Input([6, 6, 1], name="image")
    x = keras.layers.Conv2D(
        8, 3, activation="relu", kernel_initializer=kernel, bias_initializer="ones", name="conv"
    )(image)
    x = SwitchedDropout(dropout, seed=1)(keras.layers.Flatten()(x))
    x = keras.layers.Dense(8, name="before")(x)
    x = keras.layers.ReLU(name="relu")(x)
    return keras.Model(image, keras.layers.Dense(3, name="logits")(x))


def kill(net, layer, num_units):
    """Gives the first units of `layer` a bias that no picture can lift."""
    bias = net.get_layer(layer).bias
    bias.assign(np.where(np.arange(8) < num_units, -1e6, 1e6))


def pictures(num=20):
    return np.random.default_rng(5).normal(size=[num, 6, 6, 1]).astype(np.float32)


@pytest.mark.parametrize("num_dead", [0, 3, 8])
def test_dead_units_are_counted_layer_by_layer(num_dead):
    net = toy_net()
    kill(net, "before", num_dead)
    assert dead_shares_fn(net)(pictures()) == {"conv": 0.0, "relu": num_dead / 8}


def test_a_unit_that_one_place_of_one_picture_wakes_is_alive():
    net = toy_net(kernel="ones")
    net.get_layer("conv").bias.assign(np.full(8, -5.0))
    images = np.zeros([20, 6, 6, 1], np.float32)
    assert dead_shares_fn(net)(images)["conv"] == 1.0
    images[7, 3, 2] = 5.1
    assert dead_shares_fn(net)(images)["conv"] == 0.0


def test_units_that_only_dropout_holds_at_0_are_alive():
    assert dead_shares_fn(toy_net(dropout=0.999999))(pictures(200))["relu"] < 0.5


def test_networks_of_every_kind_are_looked_at():
    used_before = keras.layers.Dense(4, activation="relu", name="used_before")
    used_before(keras.Input([4]))
    one, other = keras.Input([4], name="one"), keras.Input([4], name="other")
    net = keras.Model([one, other], used_before(one) + keras.layers.ReLU(name="relu")(other))
    assert [layer.name for layer in relu_layers(net)] == ["relu"]
    features = {"other": -np.ones([2, 4]), "one": np.ones([2, 4]), "third": np.ones([2, 1])}
    assert dead_shares_fn(net)(network_inputs(net, features)) == {"relu": 1.0}
    assert len(dead_shares_fn(classifier_net())(np.ones([3, 16]))) == 2
    assert dead_shares_fn(tf.Module())(None) == {}
    with pytest.raises(ValueError, match=r"inputs, one, other, received one. Name the keras.Input"):
        network_inputs(net, {"one": 1})


@pytest.mark.parametrize(("num_dead", "expected"), [(0, []), (7, []), (8, ["relu 100%"])])
def test_a_dead_layer_warns_once(warnings, num_dead, expected):
    net = toy_net()
    kill(net, "before", num_dead)
    labels = np.zeros(20, np.int64)
    batches = tf.data.Dataset.from_tensor_slices(({"image": pictures()}, labels)).batch(3)
    hook, run = DeadUnitsWarning(lambda: batches, every_steps=10), fake_run(net=net)
    feed(hook, run, 9, loss=2.3)
    assert not warnings
    feed(hook, run, 30, loss=2.3)
    assert len(warnings) == len(expected)
    for line, part in zip(warnings, expected, strict=True):
        assert part in line


def stuck(hook, run):
    feed(hook, run, 100, loss=2.31)


def exploding(hook, run):
    feed(hook, run, 100, loss=2.31, gradient_norm=1e7)


def by_heart(hook, run):
    feed(hook, run, 100, character_accuracy=1.0, num_examples=64.0)
    metrics = {"character_accuracy": 0.1, "n": 1000}
    hook.end(fake_run(run.global_step, ModeKeys.EVAL, metrics=metrics))


@pytest.mark.parametrize(
    ("make_hook", "provoke"),
    [(StuckWarning, stuck), (GradientWarning, exploding), (GapWarning, by_heart)],
    ids=lambda value: value.__name__,
)
def test_a_resumed_run_does_not_warn_again(warnings, make_hook, provoke):
    hook, run = make_hook(), fake_run(1000)
    provoke(hook, run)
    provoke(hook, run)
    assert len(warnings) == 1
    resumed, other = make_hook(), make_hook()
    resumed.set_state(hook.state())
    other.set_state(other.state())
    provoke(resumed, run)
    assert len(warnings) == 1
    provoke(other, run)
    assert len(warnings) == 2


def test_a_resumed_run_remembers_its_gradients(warnings):
    hook, run = GradientWarning(), fake_run()
    feed(hook, run, 100, loss=2.3, gradient_norm=2.0)
    resumed = GradientWarning()
    resumed.set_state(hook.state())
    feed(resumed, run, 100, loss=2.3, gradient_norm=210.0)
    assert len(warnings) == 1


def test_only_the_chief_speaks(warnings):
    hook = StuckWarning()
    stuck(hook, fake_run(1000, is_chief=False))
    assert not warnings
    assert hook.has_warned


def test_a_run_in_two_processes_warns_once(warnings, tmp_path):
    """No loss is below a chance of 1e-9, so that every run is stuck."""

    def model_fn(features, labels, net, mode):
        spec = classifier_model_fn(features, labels, net, mode)
        return dataclasses.replace(spec, chance={"loss": 1e-9})

    for max_steps in (10, 20):
        estimator = Estimator(
            model_fn,
            tmp_path,
            net_fn=lambda params: classifier_net(),
            optimizer_fn=lambda params: keras.optimizers.Adam(0.01),
            config=RunConfig(save_checkpoints_steps=5),
        )
        hooks = [
            StuckWarning(from_step=10, every_steps=5),
            GradientWarning(every_steps=5),
            GapWarning(every_steps=5, metric="accuracy"),
            DeadUnitsWarning(classifier_input_fn, every_steps=5),
        ]
        estimator.train(classifier_input_fn, max_steps=max_steps, hooks=hooks)
        estimator.evaluate(classifier_eval_input_fn, hooks=hooks)
    assert len(warnings) == 1
    assert warnings[0].startswith("learn | step     10 | it does not learn: the loss was ")


def test_evaluations_of_one_training_warn_once(warnings, tmp_path):
    """Whatever the accuracies, they are no more than 1 apart."""
    hook = GapWarning(metric="accuracy", margin=-1.1, every_steps=5)
    train_and_evaluate(
        classifier_estimator(tmp_path),
        TrainSpec(classifier_input_fn, max_steps=15, hooks=[hook]),
        EvalSpec(classifier_eval_input_fn, every_steps=5, hooks=[hook]),
    )
    assert len(warnings) == 1
    assert warnings[0].startswith("learn | step      5 | it learns by heart: accuracy is ")


SPEAKERS = ("causes", "warning_hook", "learning_warnings", "dead_units")


@pytest.mark.parametrize("module", SPEAKERS)
def test_every_flag_that_a_message_names_is_one_of_train(module):
    text = (ROOT / "model" / f"{module}.py").read_text()
    fields = {field.name for field in dataclasses.fields(TrainConfig)}
    named = set(re.findall(r"--([a-z]\w*)", text)) - {"help"}
    assert named <= fields
    assert named or module != "causes"


@pytest.mark.parametrize("symptom", CAUSES)
def test_advice_is_one_line_with_a_flag_in_each_cause(symptom):
    assert "\n" not in advice(symptom)
    for number, cause in enumerate(CAUSES[symptom], start=1):
        assert f"({number}) {cause}" in advice(symptom)
        assert "--" in cause

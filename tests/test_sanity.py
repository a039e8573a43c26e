import dataclasses
import functools
import pathlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl import logging

from model.heads import position_logits
from model.logit_order import targets_in_logit_order
from model.model_fn import model_fn
from model.networks import NetworkConfig
from model.params import ModelParams
from model.sanity import run_sanity
from model.sanity_checks import ATTEMPT_CHECKS, DATA_CHECKS, Attempt, Examples
from training.config import TrainConfig
from training.data import input_fns

N, L, K = 32, 2, 4


def images():
    return np.random.default_rng(1).integers(0, 256, (N, 6, 8, 3)).astype(np.uint8)


def labels():
    return np.random.default_rng(2).integers(0, K, (N, L))


class Standardised(keras.layers.Layer):
    """What PerImageStandardisation is for real pictures."""

    def call(self, image):
        return tf.cast(image, tf.float32) / 128 - 1


class OnlyTraining(keras.layers.Layer):
    """Lets nothing through in an evaluation."""

    def call(self, x, training=False):
        return x if training else tf.zeros_like(x)


class StopGradient(keras.layers.Layer):
    def call(self, x):
        return tf.stop_gradient(x)


class Times(keras.layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self._factor = factor

    def call(self, x):
        return self._factor * x


def tiny_net(config, between=None, after=None, activation="relu", kernel="he_normal", bias="zeros"):
    """One hidden layer, with a layer `between` it and the heads, and one `after` them."""
    image = keras.Input(config.image_shape, name="image", dtype="uint8")
    x = keras.layers.Flatten()(Standardised()(image))
    x = keras.layers.Dense(
        32, activation, kernel_initializer=kernel, bias_initializer=bias, name="hidden"
    )(x)
    x = between(x) if between else x
    logits = position_logits(x, num_positions=L, num_classes=K, seeds=range(L))
    return keras.Model(image, after(logits) if after else logits)


def deep(x):
    """Linear layers, which have no units to die."""
    for _ in range(3):
        x = keras.layers.Dense(32)(x)
    return x


def nearly_equal():
    """Pictures that differ in one pixel, hardly."""
    x = np.repeat(images()[:1], N, 0)
    x[:, 0, 0, 0] = 100 + np.arange(N)
    return x


def net_with(**options):
    return {"net_fn": functools.partial(tiny_net, **options)}


def with_loss(targets_of):
    """A model_fn whose loss takes other targets, as `targets_of` makes them of labels [N, L]."""

    def changed_model_fn(features, labels, net, mode, params, step):
        spec = model_fn(features, labels, net, mode, params, step)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=targets_of(labels), logits=net(features["image"])
        )
        return dataclasses.replace(spec, loss=tf.reduce_mean(losses))

    return {"model_fn": changed_model_fn}


def rolled_second_position(labels):
    return targets_in_logit_order(tf.stack([labels[:, 0], tf.roll(labels[:, 1], 1, 0)], axis=1))


def sanity(x=None, y=None, rate=0.01, params=None, num=N, **options):
    network = NetworkConfig(image_shape=(6, 8, 3), num_positions=L, num_classes=K)
    x, y = images() if x is None else x, labels() if y is None else y
    return run_sanity(
        ModelParams(network=network, learning_rate=rate, **(params or {"dropout_from_step": 900})),
        lambda: tf.data.Dataset.from_tensor_slices(({"image": x}, y)).batch(10).repeat(2),
        num_examples=num,
        **{"net_fn": tiny_net, "max_seconds": 30, "max_steps": 300, **options},
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_network_that_can_learn_passes(seed):
    result = sanity(params={"seed": seed, "dropout_from_step": 900})
    assert result.passed
    assert result.causes == {}
    assert result.remarks == ()
    assert result.character_accuracy == 1
    assert 1 < result.steps < 300
    assert result.loss < 1
    assert result.verdict.startswith(f"passed: learnt all characters of {N} captchas by heart in ")
    result.raise_if_failed()


# Name of the check: what provokes it, and part of what it says.
PROVOKED = {
    "labels_out_of_range": [
        ({"y": labels() + 1}, "classes in [0, 4), received 4"),
        ({"y": -labels()}, "received -"),
    ],
    "pictures_constant": [
        ({"x": np.repeat(images()[:, :1, :1, :1], 6, 1).repeat(8, 2).repeat(3, 3)}, "32 of 32"),
        ({"x": np.where(np.arange(N)[:, None, None, None] < 16, 0, images())}, "16 of 32"),
    ],
    "pictures_equal": [({"x": np.repeat(images()[:1], N, 0)}, "all 32 pictures are equal")],
    "equal_pictures_differ_in_label": [
        ({"x": np.tile(images()[:16], (2, 1, 1, 1))}, "pictures have several labels each, one ("),
    ],
    "one_class_only": [({"y": np.full([N, L], 3)}, "all 32 labels are [3, 3]")],
    "starts_far_from_chance": [
        ({**net_with(after=Times(300.0)), "rate": 1e-3, "max_steps": 5}, "far from 1.386"),
    ],
    "not_finite": [
        (net_with(after=Times(np.nan)), "nan before the first step"),
        (net_with(kernel="zeros", after=Times(1e38)), "steps, from 1.386: the learning rate"),
    ],
    "dead_units": [
        (net_with(bias=keras.initializers.Constant(-1e3)), "from the beginning, in hidden (100%)"),
        (net_with(kernel="zeros"), "from the beginning"),
    ],
    "no_gradient": [
        ({**net_with(between=StopGradient()), "max_steps": 5}, "reaches hidden/kernel, hid"),
    ],
    "logits_through_an_activation": [
        (net_with(after=keras.layers.Activation("sigmoid")), "a sigmoid or a softmax stands"),
        (net_with(after=keras.layers.Softmax()), "a sigmoid or a softmax stands"),
        ({**net_with(after=keras.layers.Activation("tanh")), "max_steps": 16}, "a tanh stands"),
        ({**net_with(after=keras.layers.Activation("relu")), "max_steps": 8}, "a ReLU stands"),
    ],
    "learning_rate_too_high": [
        ({**net_with(activation=None, between=deep), "rate": 0.9, "max_steps": 15}, "0.9, is too"),
    ],
    "labels_in_another_order": [(with_loss(lambda y: tf.reshape(y, [-1])), "in another order")],
    "position_at_chance": [(with_loss(rolled_second_position), "at position 1 (")],
    "inference_differs": [(net_with(between=OnlyTraining()), "right while it trains")],
    "learning_rate_too_low": [({"rate": 1e-6, "max_steps": 60}, "1e-06, is too low")],
    "too_little_time": [({"rate": 1e-3, "max_steps": 12}, "12 steps, and the time was over")],
    "unknown": [({"x": nearly_equal(), "rate": 1e-3, "max_steps": 100}, "none of the usual")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [(name, *case) for name, cases in PROVOKED.items() for case in cases],
)
def test_what_holds_it_is_named(name, options, message):
    result = sanity(**options)
    assert not result.passed
    assert next(iter(result.causes)) == name
    assert message in result.causes[name]
    with pytest.raises(ValueError, match="--sanity must learn 32 captchas by heart") as error:
        result.raise_if_failed()
    assert "\n" not in str(error.value)
    assert f"{name}: {result.causes[name]}" in str(error.value)


def test_every_check_is_provoked():
    assert {*DATA_CHECKS, *ATTEMPT_CHECKS, "unknown"} == set(PROVOKED)


def attempt(**changes):
    """One that failed for no reason that shows."""
    y = labels()
    usual = {
        "examples": Examples(images=images(), labels=y, num_classes=K),
        "learning_rate": 1e-3,
        "losses": np.full(100, 1.3),
        "digits": (y + 1) % K,
        "inferred_digits": (y + 1) % K,
        "first_logits": np.linspace(-2, 2, N * L * K).reshape(-1, K),
        "last_logits": np.linspace(-2, 2, N * L * K).reshape(-1, K),
        "gradient_norms": {"conv/kernel": 1.0},
        "first_dead": {"conv": 0.0},
        "last_dead": {"conv": 0.5},
    }
    return Attempt(**{**usual, **changes})


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("not_finite", {"losses": np.array([1.4, 9.0, np.inf])}, "inf after 2 steps, from 1.400"),
        ("dead_units", {"last_dead": {"conv": 0.91}}, r"have died, in conv \(91%\)"),
        ("starts_far_from_chance", {"losses": np.array([7.0, 1.3])}, "starts at 7,"),
        ("learning_rate_too_high", {"losses": np.array([1.3] * 50 + [1.4] * 50)}, "to 1.400"),
        ("learning_rate_too_high", {"losses": np.array([2.0, 4.1] + [1.9] * 50)}, "over 4.100"),
        ("learning_rate_too_high", {"learning_rate": 0.006}, "0.006, is too high"),
        ("learning_rate_too_low", {"learning_rate": 9e-6}, "9e-06, is too low"),
        ("too_little_time", {"losses": np.full(79, 1.3)}, "in 79 steps, and the time was over"),
        ("too_little_time", {"losses": np.linspace(2, 1, 999)}, "in 999 steps, and the time"),
    ],
)
def test_an_attempt_shows(name, changes, message):
    assert re.search(message, ATTEMPT_CHECKS[name](attempt(**changes)))


@pytest.mark.parametrize("name", ATTEMPT_CHECKS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"losses": np.array([6.9] + [1.3] * 99)},
        {"last_dead": {"conv": 0.9}},
        {"learning_rate": 1e-5},
        {"learning_rate": 0.005},
        {"losses": np.array([2.0, 3.9] + [1.9] * 98)},
    ],
)
def test_what_is_usual_is_no_cause(name, changes):
    assert ATTEMPT_CHECKS[name](attempt(**changes)) is None


@pytest.mark.parametrize(
    ("params", "y", "remark"),
    [
        ({"dropout_from_step": 0}, None, "dropout of 0.2 from step 0 on can hold the loss"),
        ({"dropout_from_step": 499}, None, "use --dropout_from_step=500 or more"),
        ({"dropout_from_step": 500}, None, None),
        ({"dropout_from_step": 299, "warmup_steps": 100}, None, "--dropout_from_step=300"),
        ({"dropout_from_step": 900, "shift_rows": 2}, None, "shifts of up to 2 of 6 pixels"),
        ({"dropout_from_step": 900, "shift_columns": 2}, None, None),
        ({"dropout_from_step": 900, "shift_columns": 3}, None, "lower --shift_columns"),
        ({"dropout_from_step": 900}, labels() * [1, 0], "same character at position 1:"),
    ],
)  # fmt: skip
def test_what_may_hold_a_training_and_not_this_is_remarked_on(params, y, remark):
    result = sanity(y=y, params=params)
    assert result.passed
    assert len(result.remarks) == (remark is not None)
    if remark:
        assert remark in result.remarks[0]


def test_the_network_is_built_without_dropout():
    configs = []

    def net_fn(config):
        configs.append(config)
        return tiny_net(config)

    sanity(net_fn=net_fn, max_steps=1)
    assert [config.dropout for config in configs] == [0.0]


def test_a_network_that_is_right_in_training_alone_is_not_done():
    assert sanity(**net_with(between=OnlyTraining()), max_steps=120).steps == 120


def test_time_over_is_over_at_once():
    result = sanity(max_seconds=0)
    assert (result.passed, result.steps) == (False, 1)


def test_fewer_examples_than_wanted_are_enough():
    """10 batches of 10 repeated give 64 of the 32, each with its own label."""
    assert sanity(num=64).passed
    assert sanity(num=500).passed


def test_an_empty_input_is_refused():
    with pytest.raises(ValueError, match="at least one example"):
        sanity(x=images()[:0], y=labels()[:0])


def test_a_learning_rate_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"`learning_rate` must be in \(0, 1\), received 1.5"):
        sanity(rate=1.5)


def test_it_writes_nothing_and_says_what_was_looked_at(tmp_path, monkeypatch):
    lines = []
    for level in ("info", "warning"):
        monkeypatch.setattr(logging, level, lambda text, *values: lines.append(text % values))
    monkeypatch.chdir(tmp_path)
    result = sanity(**net_with(kernel="zeros"))
    assert not list(tmp_path.iterdir())
    assert all(line.startswith("sanity | ") and "\n" not in line for line in lines)
    assert "32 captchas of 6x8x3" in lines[0]
    text = "\n".join(lines)
    for name in (*DATA_CHECKS, *ATTEMPT_CHECKS):
        assert name in text
    assert result.verdict not in text  # For the caller, to print or to raise.


@pytest.mark.slow
@pytest.mark.parametrize("net", ["attention_small", "attention_fine", "wide"])
def test_our_networks_learn_captchas_by_heart(small_dataset, net):
    config = TrainConfig(data_dir=str(small_dataset))
    network = NetworkConfig(name=net, image_shape=(30, 100, 3), num_positions=4, num_classes=10)
    params = ModelParams(network=network, dropout_from_step=1500, shift_rows=2, shift_columns=4)
    result = run_sanity(params, input_fns(config)[0])
    assert result.passed
    assert result.remarks == ()


def test_every_flag_that_a_message_names_is_one_of_train():
    folder = pathlib.Path(__file__).parent.parent / "model"
    text = "".join(path.read_text() for path in folder.glob("sanity*.py"))
    fields = {field.name for field in dataclasses.fields(TrainConfig)}
    named = set(re.findall(r"--([a-z]\w*)", text))
    assert {"learning_rate", "dropout_from_step", "data_dir"} <= named
    assert named <= fields

"""`--warm_start_from=FIRST,SECOND`: trained networks side by side, as one that is trained on."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from model.captcha_estimator import captcha_estimator
from model.estimator import RunConfig
from model.joining import join
from model.logit_order import logits_by_example
from model.networks import NETWORKS, Architecture, NetworkConfig, build_network
from model.params import ModelParams

SHAPE = (13, 19, 3)
NARROW = Architecture(
    blocks=((2,), (3, 4)), dense_units=(6, 5), dropout=0.0, activation="leaky_relu"
)
LOOKING = dataclasses.replace(NARROW, glimpses=3, glimpse_channels=2)
FINE = dataclasses.replace(LOOKING, pools=((2, 1), (2, 3)), glimpse_width=5, looks_by_content=True)


def times(architecture, k):
    return dataclasses.replace(
        architecture,
        blocks=tuple(tuple(k * width for width in block) for block in architecture.blocks),
        dense_units=tuple(k * units for units in architecture.dense_units),
        glimpses=k * architecture.glimpses,
        glimpse_channels=architecture.glimpse_channels * (k if architecture.glimpses else 1),
    )


def network(architecture, seed=0, image_shape=SHAPE, num_classes=7):
    config = NetworkConfig(
        image_shape=image_shape, num_positions=2, num_classes=num_classes, seed=seed
    )
    net = build_network(config, architecture)
    random = np.random.default_rng(seed)
    for weight in net.weights:  # Biases too, which begin at 0.
        weight.assign(weight.numpy() + random.normal(0, 0.1, weight.shape))
    return net


def save(net, folder):
    """A checkpoint as the Estimator writes it."""
    variables = [weight.value for weight in net.weights]
    names = json.dumps({"net": [weight.path for weight in net.weights]})
    tf.train.Checkpoint(
        net=variables, names=tf.Variable(names), global_step=tf.Variable(3, dtype=tf.int64)
    ).write(str(folder / "ckpt-3"))
    return str(folder / "ckpt-3")


@pytest.mark.parametrize(
    "architecture", [NARROW, LOOKING, FINE], ids=["dense", "glimpses", "by content"]
)
@pytest.mark.parametrize("k", [2, 3])
def test_side_by_side_they_say_the_mean_of_their_logits(tmp_path, architecture, k):
    parts = [network(architecture, seed) for seed in range(k)]
    places = []
    for number, part in enumerate(parts):
        (tmp_path / str(number)).mkdir()
        places.append(save(part, tmp_path / str(number)))
    together = network(times(architecture, k), seed=9)
    join(together, places)
    images = np.random.default_rng(0).integers(0, 256, (5, *SHAPE), np.uint8)
    wanted = np.mean([part(images) for part in parts], axis=0)
    np.testing.assert_allclose(together(images), wanted, atol=1e-5)
    assert np.abs(parts[0](images) - wanted).max() > 0.01


def test_networks_that_are_not_as_wide_together_are_refused_and_named(tmp_path):
    places = [save(network(NARROW), tmp_path)] * 2
    message = (
        r"side by side as wide as this one, received 2 whose conv1_1/kernel are \[\[3, 3, 3, 2"
    )
    with pytest.raises(ValueError, match=message):
        join(network(times(NARROW, 3)), places)
    with pytest.raises(ValueError, match="whose position_0/kernel are"):
        join(network(times(NARROW, 2), num_classes=8), places)
    with pytest.raises(ValueError, match="whose fc1/kernel are"):
        join(network(times(NARROW, 2), image_shape=(29, 19, 3)), places)


@pytest.mark.parametrize(
    ("architecture", "named"),
    [
        (dataclasses.replace(times(LOOKING, 2), glimpses=5), "look/kernel"),
        (dataclasses.replace(times(LOOKING, 2), glimpses=3), "look/kernel"),
        (dataclasses.replace(times(LOOKING, 2), glimpses=1), "look/kernel"),
        (dataclasses.replace(times(LOOKING, 2), glimpse_channels=2), "position_any/kernel"),
    ],
)
def test_glimpses_that_are_not_those_of_both_are_refused_and_named(tmp_path, architecture, named):
    places = [save(network(LOOKING), tmp_path)] * 2
    with pytest.raises(ValueError, match=f"received 2 whose {named} are"):
        join(network(architecture), places)


def test_another_kind_of_network_is_refused(tmp_path):
    places = [save(network(NARROW), tmp_path)] * 2
    deeper = dataclasses.replace(times(NARROW, 2), blocks=((4,), (6, 8, 8)))
    with pytest.raises(ValueError, match=r"ckpt-3 without conv2_3/kernel"):
        join(network(deeper), places)


TWO_OF = pytest.mark.parametrize(
    ("part", "both"),
    [
        ("medium", "large"),
        ("attention", "attention_large"),
        ("attention_fine", "attention_fine_large"),
    ],
)


@TWO_OF
def test_two_of_one_are_as_wide_as_the_other(part, both):
    assert times(NETWORKS[part], 2) == NETWORKS[both]


@TWO_OF
def test_a_run_begins_with_both_and_goes_on_with_its_own(tmp_path, part, both):
    """Once there is a checkpoint of its own, those of the others need not be there any more."""
    images = np.random.default_rng(0).integers(0, 256, (8, 30, 100, 3), np.uint8)

    def input_fn():
        labels = np.zeros((8, 4), np.int64)
        return tf.data.Dataset.from_tensors(({"image": images}, labels)).repeat()

    def estimator(name, net, **options):
        config = NetworkConfig(
            name=net, image_shape=(30, 100, 3), num_positions=4, num_classes=10, dropout=0.0
        )
        params = ModelParams(network=config, learning_rate=1e-3, warmup_steps=1, total_steps=4)
        return captcha_estimator(params, tmp_path / name, RunConfig(tf_random_seed=1), **options)

    def said(estimator):
        return logits_by_example(estimator.net(images), 4).numpy()

    places = [str(tmp_path / name) for name in ("first", "second")]
    parts = [estimator(name, part) for name in ("first", "second")]
    for steps, trained in enumerate(parts, start=1):
        trained.train(input_fn, max_steps=steps)
    joined = estimator("both", both, warm_start_from=",".join(places))
    wanted = np.mean([said(trained) for trained in parts], axis=0)
    np.testing.assert_allclose(said(joined), wanted, atol=1e-4)
    joined.train(input_fn, max_steps=2)
    after = said(joined)
    assert np.abs(after - wanted).max() > 0.01
    for place in places:
        shutil.rmtree(place)
    again = estimator("both", both, warm_start_from=",".join(places))
    again.evaluate(lambda: input_fn().take(1))
    np.testing.assert_allclose(said(again), after, atol=1e-5)

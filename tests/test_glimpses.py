"""`model.glimpses`: where each head looks, and that all heads read with the same weights."""

import dataclasses
import itertools

import keras
import light_network_files
import numpy as np
import pytest
import tensorflow as tf

from export.light_reader import LightReader
from model.glimpses import Glimpses
from model.heads import glimpse_logits, is_of_head, position_logits
from model.logit_order import logits_by_example
from model.networks import NETWORKS, NetworkConfig, build_network

SIZES = pytest.mark.parametrize(
    ("num_positions", "num_glimpses", "num_columns"),
    [(4, 1, 13), (4, 2, 13), (1, 1, 5), (6, 2, 20), (3, 3, 4)],
)

LOOKING = pytest.mark.parametrize("name", ["attention", "attention_fine", "attention_small"])


def looked_at(num_positions, num_glimpses, num_columns, scores=None):
    """The weights `[L * G, W]` of a fresh layer: what it sees in columns that say their number."""
    layer = Glimpses(num_positions, num_glimpses)
    columns = np.eye(num_columns, dtype=np.float32)[np.newaxis]
    if scores is None:
        scores = np.zeros([1, num_positions * num_glimpses * num_columns], np.float32)
    seen = layer([scores, columns]).numpy()
    assert seen.shape == (1, num_positions, num_glimpses * num_columns)
    return seen.reshape(num_positions * num_glimpses, num_columns)


@SIZES
def test_a_fresh_head_looks_at_its_own_share_of_the_columns(
    num_positions, num_glimpses, num_columns
):
    weights = looked_at(num_positions, num_glimpses, num_columns)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    centres = weights @ (np.arange(num_columns) + 0.5)
    np.testing.assert_allclose(centres, num_columns - centres[::-1], atol=1e-5)  # A mirror image.
    assert (np.diff(centres) > 0).all()
    nearest = weights.argmax(axis=1) + 0.5
    ideal = (np.arange(len(weights)) + 0.5) * num_columns / len(weights)
    assert np.abs(nearest - ideal).max() <= 0.5 + 1e-6


@SIZES
def test_scores_move_where_it_looks(num_positions, num_glimpses, num_columns):
    wanted = np.random.default_rng(0).integers(0, num_columns, num_positions * num_glimpses)
    scores = 1000 * np.eye(num_columns, dtype=np.float32)[wanted]
    weights = looked_at(num_positions, num_glimpses, num_columns, scores.reshape(1, -1))
    np.testing.assert_array_equal(weights.argmax(axis=1), wanted)
    np.testing.assert_allclose(weights.max(axis=1), 1)


def test_each_picture_is_looked_at_by_its_own_scores():
    layer = Glimpses(2, 2)
    random = np.random.default_rng(1)
    scores, columns = random.normal(size=(3, 2 * 2 * 5)), random.normal(size=(3, 5, 7))
    together = layer([scores.astype(np.float32), columns.astype(np.float32)])
    for n in range(3):
        alone = layer([scores[n : n + 1].astype(np.float32), columns[n : n + 1].astype(np.float32)])
        np.testing.assert_allclose(together[n : n + 1], alone, atol=1e-6)


def test_what_a_column_holds_adds_to_its_score():
    """Wherever the column stands: the first look finds the fourth channel, the second the first."""
    layer = Glimpses(1, 2)
    columns = np.eye(5, dtype=np.float32)[np.newaxis, ::-1]
    by_content = 1000 * columns @ np.eye(5, dtype=np.float32)[:, [3, 0]]  # [1, W, L * G]
    seen = layer([np.zeros([1, 2 * 5], np.float32), columns, by_content]).numpy()
    np.testing.assert_allclose(seen[0, 0], np.eye(5)[[3, 0]].ravel(), atol=1e-6)


def test_weights_are_found_in_float32():
    """In bfloat16 steps of scores near 200 are 1, and 200.4 would weigh as much as 200."""
    layer = Glimpses(1, 1, dtype="mixed_bfloat16")
    layer.build([(None, 3), (None, 3, 3)])
    layer.where.assign([[200.0, 200.4, 0.0]])
    seen = layer([tf.zeros([1, 3]), tf.eye(3)[tf.newaxis]])
    assert seen.dtype == tf.bfloat16
    wanted = np.exp(0.4) / (1 + np.exp(0.4))
    assert float(seen[0, 0, 1]) == pytest.approx(wanted, abs=0.003)


def test_all_positions_are_read_by_the_same_weights_in_the_order_of_the_logits():
    glimpses = keras.Input((4, 6))
    net = keras.Model(glimpses, glimpse_logits(glimpses, num_classes=5, seed=1))
    seen = np.random.default_rng(2).normal(size=(3, 4, 6)).astype(np.float32)
    kernel, bias = net.weights
    logits = net(seen)
    for position in range(4):
        rows = logits[position * 3 : (position + 1) * 3]  # As `model.logit_order` has it.
        np.testing.assert_allclose(rows, seen[:, position] @ kernel + bias, atol=1e-6)


def test_heads_are_known_by_their_paths():
    features, seen = keras.Input((8,)), keras.Input((2, 6))
    logits = [
        position_logits(features, num_positions=2, num_classes=5, seeds=[1, 2]),
        glimpse_logits(seen, num_classes=5, seed=3),
    ]
    weights = keras.Model([features, seen], logits).weights
    assert len(weights) == 6
    assert all(is_of_head(weight.path) for weight in weights)
    net = build_network(network_config())
    others = [weight for weight in net.weights if not is_of_head(weight.path)]
    assert all(5 not in weight.shape for weight in others)
    assert len(net.weights) - len(others) == 2 * (4 + 1)


def network_config(**options):
    return NetworkConfig(
        **{
            "name": "attention",
            "image_shape": (30, 100, 3),
            "num_positions": 4,
            "num_classes": 5,
            **options,
        }
    )


@pytest.mark.parametrize(
    ("name", "widths", "units", "num_pooled", "num_columns", "width"),
    [
        ("attention_fine", (16, 24, 24, 48, 48, 96, 96), 128, 8, 50, 5),
        ("attention_small", (8, 16, 16, 32, 32, 64, 64), 64, 7, 25, 3),
    ],
)
def test_networks_that_look_by_content_have_the_parameters_counted_by_hand(
    name, widths, units, num_pooled, num_columns, width
):
    expected = sum(9 * a * b + b for a, b in itertools.pairwise((3, *widths)))
    expected += 2 * num_pooled * widths[-1] * units + units  # The dense layer, after the last pool.
    expected += 4 * width * widths[-1] * units + units  # Columns before it, 4 rows high.
    expected += units * 4 * 2 * num_columns + 4 * 2 * num_columns  # Scores,
    expected += 4 * 2 * num_columns  # where it looks,
    expected += units * 4 * 2 + 4 * 2  # and scores by content.
    expected += 4 * (units * 10 + 10) + 2 * units * 10 + 10
    net = build_network(network_config(name=name, num_classes=10))
    assert net.count_params() == expected


def test_the_network_has_the_parameters_counted_by_hand():
    assert NETWORKS["attention"].glimpses == 2
    convolutions = [(3, 16), (16, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128)]
    expected = sum(9 * a * b + b for a, b in convolutions)
    expected += 2 * 7 * 128 * 128 + 128  # The dense layer, after the last pool.
    expected += 4 * 3 * 128 * 128 + 128  # Columns of 13, before it.
    expected += 128 * 4 * 2 * 13 + 4 * 2 * 13 + 4 * 2 * 13  # Scores, and where it looks.
    expected += 4 * (128 * 10 + 10) + 2 * 128 * 10 + 10
    net = build_network(network_config(num_classes=10))
    assert net.count_params() == expected == 738_690


@LOOKING
@pytest.mark.parametrize("shape", [(30, 100, 3), (60, 160, 3), (17, 33, 3)])
@pytest.mark.parametrize("dtype_policy", ["float32", "mixed_bfloat16"])
def test_any_size_gives_float32_logits_position_by_position(name, shape, dtype_policy):
    net = build_network(network_config(name=name, image_shape=shape, dtype_policy=dtype_policy))
    logits = net(np.random.default_rng(0).integers(0, 256, (2, *shape), np.uint8))
    assert logits.shape == (4 * 2, 5)
    assert logits.dtype == "float32"
    assert np.std(logits, axis=0).min() > 0


@LOOKING
def test_what_is_looked_at_changes_all_that_is_read(name):
    """All weights have a gradient, also those that say where to look."""
    net = build_network(network_config(name=name))
    image = np.random.default_rng(0).integers(0, 256, (4, 30, 100, 3), np.uint8)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(np.arange(16) % 5, net(image))
        )
    gradients = tape.gradient(loss, [weight.value for weight in net.trainable_variables])
    for weight, gradient in zip(net.trainable_variables, gradients, strict=True):
        assert float(tf.norm(gradient)) > 0, weight.path


@pytest.mark.slow  # Converting takes seconds a file.
@LOOKING
def test_each_light_form_looks_where_the_network_looks(tmp_path, name):
    shape = (17, 33, 3)
    net = build_network(network_config(name=name, image_shape=shape))
    for weight in net.weights:
        if is_of_head(weight.path) and weight.path.endswith("kernel"):
            weight.assign(5 * weight)  # It says something, as a trained one does.
    pictures = np.random.default_rng(3).integers(0, 256, (40, *shape), np.uint8)
    description = dataclasses.replace(
        light_network_files.DESCRIPTION, image_shape=shape, alphabet="abcde", num_positions=4
    )
    light_network_files.write(net, tmp_path, description=description, pictures=pictures)
    wanted = tf.nn.softmax(logits_by_example(net(pictures), 4)).numpy()
    assert wanted.max() > 0.5
    for file in light_network_files.NAMES:
        read = LightReader(tmp_path / file).read_images(pictures).probabilities
        assert np.abs(read - wanted).max() < (0.1 if "int8" in file else 1e-2), file

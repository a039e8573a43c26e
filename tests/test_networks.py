import keras
import numpy as np
import pytest
import tensorflow as tf

from model.dropout import SwitchedDropout
from model.estimator import ModeKeys
from model.model_fn import model_fn
from model.networks import NETWORKS, NetworkConfig, build_network
from model.params import ModelParams


def config(**options):
    return NetworkConfig(
        **{"image_shape": (30, 100, 3), "num_positions": 4, "num_classes": 10, **options}
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "vgg12"}, "`net` must be one of small, .* received 'vgg12'"),
        ({"activation": "sigmoid"}, "`activation` must be one of relu, leaky_relu, received 's"),
        ({"dropout": 1.0}, r"`dropout` must be in \[0, 1\), received 1.0"),
        ({"dropout": -0.1}, "received -0.1"),
    ],
)
def test_a_network_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        config(**options)


@pytest.mark.parametrize(
    ("name", "num_convolutions", "num_pools"),
    # The number in a VGG's name counts its weight layers: convolutions, two dense ones, the head.
    [
        ("vgg11", 11 - 3, 5),
        ("vgg13", 13 - 3, 5),
        ("vgg16", 16 - 3, 5),
        ("vgg19", 19 - 3, 5),
        ("book", 13, 5),
        ("small", 7, 4),
        ("medium", 7, 4),
        ("attention", 7, 4),
        ("attention_large", 7, 4),
        ("attention_fine", 7, 4),
        ("attention_small", 7, 4),
        ("attention_fine_large", 7, 4),
        ("large", 7, 4),
        ("wide", 6, 4),
    ],
)
def test_each_network_has_its_layers(name, num_convolutions, num_pools):
    blocks = NETWORKS[name].blocks
    assert sum(map(len, blocks)) == num_convolutions
    assert len(blocks) == num_pools


def test_the_book_has_004s_widths():
    book = NETWORKS["book"]
    widths = ((64, 64), (128, 128), (128, 128, 128), (256, 128, 128), (512, 512, 512))
    assert (book.blocks, book.dense_units, book.dropout) == (widths, (4096, 4096), 0.5)


def test_the_plain_network_has_the_parameters_counted_by_hand():
    convolutions = [(3, 16), (16, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128)]
    expected = sum(9 * a * b + b for a, b in convolutions)
    expected += (2 * 7 * 128 + 1) * 256  # 30 x 100, halved four times, rounded up.
    expected += 4 * (256 + 1) * 10
    net = build_network(config(name="small"))
    assert sum(int(np.prod(v.shape)) for v in net.trainable_variables) == expected


@pytest.mark.parametrize(
    ("shape", "positions", "classes"),
    [((30, 100, 3), 4, 10), ((60, 160, 3), 6, 36), ((17, 33, 3), 1, 2)],
    ids=["default", "wide_letters", "odd_size"],
)
def test_any_size_gives_float32_logits_position_by_position(shape, positions, classes):
    net = build_network(config(image_shape=shape, num_positions=positions, num_classes=classes))
    logits = net(np.zeros((2, *shape), np.uint8))
    assert logits.shape == (positions * 2, classes)
    assert logits.dtype == "float32"


def test_logits_are_float32_when_the_network_computes_in_bfloat16():
    net = build_network(config(dtype_policy="mixed_bfloat16"))
    assert net.get_layer("fc1").compute_dtype == "bfloat16"
    assert net.output.dtype == "float32"
    assert {v.dtype for v in net.trainable_variables} == {"float32"}


@pytest.mark.parametrize(
    ("options", "activation"),
    [
        ({}, "leaky_relu"),
        ({"name": "wide"}, "leaky_relu"),
        ({"name": "vgg11"}, "relu"),  # As published.
        ({"activation": "relu"}, "relu"),
        ({"name": "vgg11", "activation": "leaky_relu"}, "leaky_relu"),
    ],
)
def test_every_hidden_layer_has_the_networks_activation(options, activation):
    net = build_network(config(**options))
    hidden = [layer for layer in net.layers if layer.name.startswith(("conv", "fc"))]
    assert len(hidden) > 6
    assert {layer.activation.__name__ for layer in hidden} == {activation}


@pytest.mark.parametrize(
    "name", ["small", "attention", "attention_fine", "attention_small", "wide", "vgg11"]
)
@pytest.mark.parametrize("num_classes", [10, 36])
def test_a_fresh_network_guesses(name, num_classes):
    """Its loss is that of guessing, ln K, though its logits tell pictures apart."""
    net = build_network(config(name=name, num_classes=num_classes))
    rng = np.random.default_rng(0)
    logits = net(rng.integers(0, 256, (32, 30, 100, 3), np.uint8))
    labels = tf.constant(rng.integers(0, num_classes, 4 * 32))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    assert float(tf.reduce_mean(losses)) == pytest.approx(np.log(num_classes), rel=0.1)
    assert np.std(logits, axis=0).min() > 0


def test_equal_configs_give_equal_weights_and_other_seeds_others():
    first, again, other = (build_network(config(seed=seed)) for seed in (1, 1, 2))
    for a, b, c in zip(first.weights, again.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a, b)
        is_equal = "bias" in a.name or "seed" in a.name or a.name == "where"
        assert is_equal or (a != c).numpy().any(), a.path


def test_contrast_and_brightness_of_a_picture_do_not_matter():
    """Standardisation is part of the network: a x + b in, the same logits out."""
    image = np.random.default_rng(0).integers(0, 100, (1, 30, 100, 3)).astype(np.float32)
    net = build_network(config())
    np.testing.assert_allclose(net(image), net(2 * image + 30), atol=1e-4)


def test_standardisation_gives_mean_0_and_deviation_1_and_bears_a_blank_picture():
    layer = build_network(config()).get_layer("standardise")
    images = np.random.default_rng(0).integers(0, 256, (2, 30, 100, 3)).astype(np.uint8)
    images[1] = 200
    pixels = layer(images).numpy()
    assert pixels[0].mean() == pytest.approx(0, abs=1e-5)
    assert pixels[0].std() == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(pixels[1], 0)


def test_standardisation_sees_the_pixels_in_full_when_the_network_computes_in_bfloat16():
    """bfloat16 has 8 bits: 201 and 202 would be one number before the mean is taken away."""
    layer = build_network(config(dtype_policy="mixed_bfloat16")).get_layer("standardise")
    image = np.full((1, 30, 100, 3), 201, np.uint8)
    image[0, :, 50:] = 202
    values = keras.ops.convert_to_numpy(keras.ops.cast(layer(image), "float32"))
    assert sorted(np.unique(values)) == [-1.0, 1.0]


def test_dropout_can_be_switched_by_a_tensor():
    layer = SwitchedDropout(0.25, seed=1)
    ones = np.ones((50, 400), np.float32)
    for off in (False, None, tf.constant(False)):
        np.testing.assert_array_equal(layer(ones, training=off), ones)
    for on in (True, tf.constant(True)):
        dropped = layer(ones, training=on).numpy()
        assert set(np.unique(dropped)) == {np.float32(0), np.float32(1 / 0.75)}
        assert (dropped == 0).mean() == pytest.approx(0.25, abs=0.01)
    assert (layer(ones, training=True) != layer(ones, training=True)).numpy().any()


@pytest.mark.parametrize(("step", "drops"), [(0, False), (9, False), (10, True), (11, True)])
def test_dropout_begins_at_its_step(step, drops):
    network = config(dropout=0.9)
    params = ModelParams(network=network, dropout_from_step=10)
    net = build_network(network)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 30, 100, 3), np.uint8)
    features = {"image": tf.constant(pixels)}
    labels = tf.zeros([2, 4], tf.int64)

    def loss(mode, step):
        return float(
            model_fn(features, labels, net, mode, params, tf.constant(step, tf.int64)).loss
        )

    assert (loss(ModeKeys.TRAIN, step) != pytest.approx(loss(ModeKeys.EVAL, step))) == drops

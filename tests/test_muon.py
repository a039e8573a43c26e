"""Muon moves the kernels of convolutions, Adam the rest."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from model.muon import ConvolutionMuon
from model.networks import NetworkConfig
from model.optimizer import make_optimizer
from model.params import OPTIMIZERS, ModelParams

SHAPES = {"kernel": (3, 3, 4, 8), "square": (1, 1, 6, 6), "narrow": (1, 1, 4, 16)}
RATE = 0.01


def variable(shape, seed=0):
    return keras.Variable(np.random.default_rng(seed).normal(size=shape), dtype="float32")


def gradients(shape, number):
    rng = np.random.default_rng(7)
    return [tf.constant(rng.normal(size=shape), tf.float32) for _ in range(number)]


def moved(optimizer, shape, number=1):
    """What the last of `number` updates adds to a variable."""
    weights = variable(shape)
    optimizer.build([weights])
    before = None
    for gradient in gradients(shape, number):
        before = weights.numpy()
        optimizer.apply([gradient])
    return weights.numpy() - before


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_an_update_of_a_kernel_is_nearly_orthogonal_whatever_the_gradient(shape):
    update = moved(ConvolutionMuon(RATE, kernel_ratio=4.0), shape, number=3)
    matrix = update.reshape(-1, shape[-1])
    rows, columns = matrix.shape
    singular_values = np.linalg.svd(matrix, compute_uv=False)
    scale = 4 * RATE * max(1, rows / columns) ** 0.5
    assert np.all(singular_values > 0.5 * scale)
    assert np.all(singular_values < 1.3 * scale)  # Of five iterations, as their author says.


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_an_update_is_what_kerass_own_iterations_on_the_whole_matrix_give(shape):
    (gradient,) = gradients(shape, 1)
    optimizer = ConvolutionMuon(RATE, nesterov=False)
    matrix = tf.reshape(gradient, [-1, shape[-1]])
    expected = optimizer.zeropower_via_newtonschulz5(matrix, optimizer.ns_steps)
    scale = 4 * RATE * max(1, matrix.shape[0] / matrix.shape[1]) ** 0.5
    np.testing.assert_allclose(
        moved(optimizer, shape).reshape(matrix.shape), -scale * expected, atol=1e-5 * scale
    )


def test_it_goes_down_the_gradient():
    shape = SHAPES["kernel"]
    update = moved(ConvolutionMuon(RATE), shape)
    assert np.sum(update * gradients(shape, 1)[0].numpy()) < 0


def test_a_gradient_of_zero_moves_no_kernel():
    weights = variable(SHAPES["kernel"])
    optimizer = ConvolutionMuon(RATE)
    optimizer.build([weights])
    before = weights.numpy()
    optimizer.apply([tf.zeros(weights.shape)])
    np.testing.assert_array_equal(weights.numpy(), before)


@pytest.mark.parametrize("shape", [(6, 8), (8,), ()], ids=["dense", "bias", "scalar"])
def test_all_other_weights_move_as_adam_moves_them(shape):
    by_muon = moved(ConvolutionMuon(RATE), shape, number=4)
    by_adam = moved(keras.optimizers.Adam(RATE), shape, number=4)
    np.testing.assert_allclose(by_muon, by_adam, rtol=1e-5, atol=1e-9)


def test_it_is_built_again_from_its_config():
    optimizer = ConvolutionMuon(RATE, kernel_ratio=3.0, weight_decay=0.5)
    again = ConvolutionMuon.from_config(optimizer.get_config())
    np.testing.assert_array_equal(
        moved(optimizer, SHAPES["kernel"]), moved(again, SHAPES["kernel"])
    )


NETWORK = NetworkConfig(image_shape=(30, 100, 3), num_positions=4, num_classes=10)


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", keras.optimizers.Adam), ("muon", ConvolutionMuon)]
)
def test_the_parameters_name_the_optimizer_and_clip_its_gradient(name, kind):
    params = ModelParams(network=NETWORK, optimizer=name, gradient_clip=2.0)
    optimizer = make_optimizer(params, 0.001)
    assert type(optimizer) is kind
    assert optimizer.global_clipnorm == 2.0
    assert {name, "adam", "muon"} == set(OPTIMIZERS)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_in_a_step_kernels_lose_decay_times_rate_of_themselves_and_biases_nothing(name):
    shapes = {"conv/kernel": SHAPES["kernel"], "fc/kernel": (6, 8), "fc/bias": (8,)}
    ends = []
    for decay in (0.0, 2.0):
        params = ModelParams(network=NETWORK, optimizer=name, weight_decay=decay)
        weights = [
            keras.Variable(variable(shape).numpy(), name=path.split("/")[1])
            for path, shape in shapes.items()
        ]
        optimizer = make_optimizer(params, RATE)
        optimizer.build(weights)
        optimizer.apply([gradients(shape, 1)[0] for shape in shapes.values()])
        ends.append([one.numpy() for one in weights])
    for (path, shape), plain, decayed in zip(shapes.items(), *ends, strict=True):
        lost = 0 if path == "fc/bias" else 2.0 * RATE * variable(shape).numpy()
        np.testing.assert_allclose(plain - decayed, lost, atol=1e-6, err_msg=path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "sgd"}, "`optimizer` must be one of muon, adam, received 'sgd'"),
        ({"weight_decay": -1.0}, "`weight_decay` must be at least 0, received -1.0"),
    ],
    ids=["another_name", "weights_that_grow"],
)
def test_other_parameters_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ModelParams(network=NETWORK, **options)

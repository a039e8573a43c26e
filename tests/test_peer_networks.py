import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import peers
from benchmarks.fused_batch_normalization import FusedBatchNormalization
from benchmarks.peer_networks import (
    PEERS,
    PeerParams,
    Sizes,
    ctc_decode,
    ctc_loss,
    peer_model_fn,
)
from data_gen.example import make_example
from data_gen.style import Style

OURS = Sizes(image_shape=(30, 100, 3), num_positions=4, num_classes=10)


def test_the_program_knows_every_peer():
    assert set(peers.PUBLISHED) == set(PEERS)


@pytest.mark.parametrize(
    ("name", "height", "width", "num_positions", "num_classes", "parameters"),
    [
        # As each one's source prints them.
        ("captcha_tensorflow", 100, 120, 4, 256, 9_626_624),
        ("captcha_break", 64, 128, 4, 36, 2_653_360),
        # No source prints it. Convolutions 320 and 18,496, dense 49,216, LSTMs 197,632 and
        # 164,352, the 19 characters, one for unknown ones and the blank 2,709.
        ("keras_ocr", 50, 200, 5, 20, 432_725),
    ],
)
def test_with_its_authors_sizes_a_network_has_their_parameters(
    name, height, width, num_positions, num_classes, parameters
):
    sizes = Sizes(
        image_shape=(height, width, 3), num_positions=num_positions, num_classes=num_classes
    )
    assert PEERS[name].build(sizes).count_params() == parameters


@pytest.mark.parametrize(
    ("name", "logits_shape", "parameters"),
    [
        # Convolutions 56,320; 1,280 * 1,024 + 1,024; 1,024 * 40 + 40.
        ("captcha_tensorflow", (2, 4, 10), 1_409_064),
        # As above less four heads of 2,049 * 36, with four of 1,025 * 10.
        ("captcha_break", (2, 4, 10), 2_653_360 - 295_056 + 41_000),
        # 448 instead of 768 columns into the dense layer, 11 classes instead of 21.
        ("keras_ocr", (2, 25, 11), 432_725 - 320 * 64 - 10 * 129),
    ],
)
@pytest.mark.parametrize("dtype_policy", ["float32", "mixed_bfloat16"])
def test_with_our_sizes_logits_are_float32_and_have_this_shape(
    name, logits_shape, parameters, dtype_policy
):
    sizes = Sizes(
        image_shape=(30, 100, 3), num_positions=4, num_classes=10, dtype_policy=dtype_policy
    )
    net = PEERS[name].build(sizes)
    assert net.count_params() == parameters
    logits = net(np.zeros((2, 30, 100, 3), np.uint8), training=False)
    assert logits.shape == logits_shape
    assert logits.dtype == tf.float32


def logits_of(steps, num_classes=11):
    """Sure of the class of each step: float32 `[1, T, K + 1]`."""
    return tf.constant(50 * np.eye(num_classes, dtype=np.float32)[steps][None])


BLANK = 10


@pytest.mark.parametrize(
    ("steps", "digits"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 4]),
        ([1, 1, BLANK, 2, 3, 3, 3, 4], [1, 2, 3, 4]),
        ([7, BLANK, 7, 0, BLANK, 0], [7, 7, 0, 0]),  # A blank keeps equal characters apart.
        ([BLANK, BLANK, 5, BLANK], [5, -1, -1, -1]),
        ([BLANK, BLANK, BLANK], [-1, -1, -1, -1]),
        ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4]),
    ],
)
def test_ctc_merges_repetitions_and_leaves_out_blanks(steps, digits):
    assert ctc_decode(logits_of(steps), 4).numpy().tolist() == [digits]


def test_ctc_loss_is_the_log_of_all_ways_to_write_the_label():
    # Two steps, one of 3 classes each and all alike: "0" is written by 00, 0-, -0 of 9 ways.
    logits = tf.zeros([2, 2, 3])
    loss = ctc_loss(logits, tf.constant([[0], [1]], tf.int64))
    assert loss.numpy() == pytest.approx(2 * math.log(3), rel=1e-5)


def test_ctc_loss_takes_each_label_with_its_own_picture():
    logits = tf.concat([logits_of([1, BLANK, 2, 2]), logits_of([3, 4, BLANK, BLANK])], axis=0)
    right = ctc_loss(logits, tf.constant([[1, 2], [3, 4]], tf.int64))
    wrong = ctc_loss(logits, tf.constant([[3, 4], [1, 2]], tf.int64))
    assert right < 1e-3
    assert wrong > 50


def test_a_softmax_over_all_heads_at_once_trains_as_one_a_head():
    # As captcha_tensorflow is published; Keras divides by the sum of each head.
    logits = tf.random.stateless_normal([3, 4, 10], seed=[0, 1])
    labels = tf.constant(np.random.default_rng(0).integers(0, 10, (3, 4)))
    published = tf.reshape(tf.nn.softmax(tf.reshape(logits, [3, 40])), [3, 4, 10])
    losses = keras.losses.CategoricalCrossentropy()(tf.one_hot(labels, 10), published)
    np.testing.assert_allclose(losses, PEERS["captcha_tensorflow"].loss(logits, labels), rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_fused_normalisation_is_keras_own(training):
    image = tf.random.stateless_normal([8, 5, 6, 3], seed=[0, 2], mean=2, stddev=3)
    own, fused = keras.layers.BatchNormalization(), FusedBatchNormalization()
    for _ in range(2):  # The averages have moved in the second round.
        expected, received = own(image, training=training), fused(image, training=training)
    np.testing.assert_allclose(received, expected, atol=1e-5)
    np.testing.assert_allclose(fused.moving_mean, own.moving_mean, rtol=1e-5)
    # The fused kernel's variance is that of a sample: of n values, times n / (n - 1).
    np.testing.assert_allclose(fused.moving_variance, own.moving_variance, rtol=1e-2)


# Without keras_ocr, which takes 600 steps of its own to leave the blanks.
@pytest.mark.slow
@pytest.mark.parametrize(("name", "steps"), [("captcha_tensorflow", 200), ("captcha_break", 300)])
def test_a_peer_learns_32_captchas_by_heart(name, steps):
    metrics = learn_by_heart(PEERS[name], steps)
    assert metrics["character_accuracy"] > 0.9


def learn_by_heart(peer, num_steps):
    """Means of the evaluation's metrics after so many steps on the same captchas."""
    keras.utils.set_random_seed(1)
    net, optimizer = peer.build(OURS), peer.make_optimizer()
    optimizer.build(net.trainable_variables)
    examples = [make_example(Style(), 1, "train", index) for index in range(32)]
    features = {"image": tf.constant(np.stack([example.image for example in examples]))}
    labels = tf.constant(np.stack([example.digits for example in examples]))
    params = PeerParams(peer=peer, sizes=OURS)

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            loss = peer_model_fn(features, labels, net, "train", params).loss
        variables = net.trainable_variables
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        optimizer.apply(gradients, variables)

    for _ in range(num_steps):
        step()
    metrics = peer_model_fn(features, labels, net, "eval", params).eval_metric_ops
    return {key: float(tf.reduce_mean(value)) for key, value in metrics.items()}

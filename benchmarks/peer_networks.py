"""Networks that others published for reading captchas, built afresh from their shapes.

Each is trained as its authors train it: their optimizer, rate, batch, scaling of pixels, dropout,
initial weights and loss. None of their code is here; what was read is named as each one's source.
Sizes of pictures and alphabets are arguments. With the authors' own the parameters are as many as
they publish (tests/test_peer_networks.py); with ours only that changes which has to, and each says
what. Pictures like those that two of them were published for are styles in benchmarks/styles: one
can see there whether they learn as their logs say. Pixels come as uint8 and are scaled inside, so
all networks are fed alike.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping

import keras
import tensorflow as tf
from keras import layers

from benchmarks.fused_batch_normalization import FusedBatchNormalization
from model.estimator import EstimatorSpec, ModeKeys
from model.metrics import character_accuracy, sequence_accuracy

_NOTHING = -1  # In the place of a character that was not read.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """What a network is built for, and its arithmetic."""

    image_shape: tuple[int, int, int]  # Height, width, 3.
    num_positions: int
    num_classes: int
    dtype_policy: str = "float32"  # Or "mixed_bfloat16". Weights and logits are float32 with both.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Peer:
    """A network and how its authors train it.

    Attributes:
      source: Repository and file that shape and settings were read in.
      changed: What our pictures and texts forced us to change.
      build: Sizes to a model from image, uint8 `[N, H, W, 3]`, to float32 logits.
      make_optimizer: Fresh, with the published settings.
      batch_size: Captchas a step.
      loss: (logits, labels int64 `[N, L]`) to a float scalar.
      decode: (logits, L) to digits int64 `[N, L]`, -1 where nothing was read.
      precision: "auto", as ours has it, or what the network learns better with.
    """

    source: str
    changed: str
    build: Callable[[Sizes], keras.Model]
    make_optimizer: Callable[[], keras.optimizers.Optimizer]
    batch_size: int
    loss: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    decode: Callable[[tf.Tensor, int], tf.Tensor]
    precision: str = "auto"


def _build_three_convolutions(sizes: Sizes) -> keras.Model:
    """Three unpadded convolutions, each pooled, and one hidden layer; logits `[N, L, K]`."""
    dtype = sizes.dtype_policy
    image = x = keras.Input(sizes.image_shape, dtype="uint8")
    x = layers.Rescaling(1 / 255, dtype=dtype)(x)
    for filters in (32, 64, 64):
        x = layers.Conv2D(filters, 3, activation="relu", dtype=dtype)(x)
        x = layers.MaxPooling2D(2, dtype=dtype)(x)
    x = layers.Flatten(dtype=dtype)(x)
    x = layers.Dense(1024, activation="relu", dtype=dtype)(x)
    x = layers.Dense(sizes.num_positions * sizes.num_classes, dtype="float32")(x)
    x = layers.Reshape((sizes.num_positions, sizes.num_classes), dtype="float32")(x)
    return keras.Model(image, x)


def _build_normalised_vgg(sizes: Sizes) -> keras.Model:
    """Five blocks of two convolutions with batch normalisation, and L heads; logits `[N, L, K]`."""
    dtype = sizes.dtype_policy
    image = x = keras.Input(sizes.image_shape, dtype="uint8")
    x = layers.Rescaling(1 / 255, dtype=dtype)(x)
    for filters in (32, 64, 128, 256, 256):
        for _ in range(2):
            x = layers.Conv2D(
                filters, 3, padding="same", kernel_initializer="he_uniform", dtype=dtype
            )(x)
            x = FusedBatchNormalization(dtype=dtype)(x)
            x = layers.Activation("relu", dtype=dtype)(x)
        # Theirs are "valid", which is the same for 64x128 and leaves nothing of a height of 30.
        x = layers.MaxPooling2D(2, padding="same", dtype=dtype)(x)
    x = layers.Flatten(dtype=dtype)(x)
    heads = [
        layers.Dense(sizes.num_classes, dtype="float32")(x) for _ in range(sizes.num_positions)
    ]
    return keras.Model(image, keras.ops.stack(heads, axis=1))


def _build_recurrent(sizes: Sizes) -> keras.Model:
    """Two convolutions, then two LSTMs along the width; logits `[N, W // 4, K + 1]`, blank last."""
    dtype = sizes.dtype_policy
    height, width, _ = sizes.image_shape
    image = keras.Input(sizes.image_shape, dtype="uint8")
    x = layers.Rescaling(1 / 255, dtype="float32")(image)
    x = keras.ops.image.rgb_to_grayscale(x)
    x = layers.Permute((2, 1, 3))(x)  # [N, W, H, 1]: time runs along the width.
    for filters in (32, 64):
        x = layers.Conv2D(
            filters,
            3,
            activation="relu",
            kernel_initializer="he_normal",
            padding="same",
            dtype=dtype,
        )(x)
        x = layers.MaxPooling2D(2, dtype=dtype)(x)
    x = layers.Reshape((width // 4, (height // 4) * 64), dtype=dtype)(x)
    x = layers.Dense(64, activation="relu", dtype=dtype)(x)
    x = layers.Dropout(0.2, dtype=dtype)(x)
    for units in (128, 64):
        lstm = layers.LSTM(units, return_sequences=True, dropout=0.25, dtype=dtype)
        x = layers.Bidirectional(lstm, dtype=dtype)(x)
    return keras.Model(image, layers.Dense(sizes.num_classes + 1, dtype="float32")(x))


def _cross_entropies(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """`[N, L, K]` to `[N, L]`."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def _mean_over_heads(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(_cross_entropies(logits, labels))


def _sum_over_heads(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.reduce_sum(_cross_entropies(logits, labels), axis=1))


def ctc_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Connectionist temporal classification, summed over the batch.

    By TensorFlow 1's kernel, as its authors have it: tf.nn.ctc_loss is many small steps on a CPU.

    Args:
      logits: float32 `[N, T, K + 1]`, the blank last.
      labels: int64 `[N, L]`; all have L characters.
    """
    indices = tf.where(tf.ones_like(labels, tf.bool))  # [N * L, 2], row by row.
    sparse = tf.SparseTensor(
        indices, tf.cast(tf.reshape(labels, [-1]), tf.int32), tf.shape(labels, tf.int64)
    )
    num_examples, num_steps = tf.unstack(tf.shape(logits)[:2])
    losses = tf.compat.v1.nn.ctc_loss(
        labels=sparse,
        inputs=logits,
        sequence_length=tf.fill([num_examples], num_steps),
        time_major=False,
    )
    return tf.reduce_sum(losses)


def ctc_decode(logits: tf.Tensor, num_positions: int) -> tf.Tensor:
    """The most probable class of each step, repetitions merged, blanks left out.

    Args:
      logits: float32 `[N, T, K + 1]`, the blank last.
      num_positions: L. What is read beyond that is cut off, as its authors do.

    Returns:
      int64 `[N, L]`, -1 behind the end of a shorter text.
    """
    num_examples, num_steps = tf.unstack(tf.shape(logits)[:2])
    (decoded,), _ = tf.nn.ctc_greedy_decoder(
        tf.transpose(logits, [1, 0, 2]), tf.fill([num_examples], num_steps)
    )
    texts = tf.sparse.to_dense(decoded, default_value=_NOTHING)[:, :num_positions]
    missing = num_positions - tf.shape(texts)[1]
    return tf.pad(texts, [[0, 0], [0, missing]], constant_values=_NOTHING)


def _largest(logits: tf.Tensor, num_positions: int) -> tf.Tensor:
    del num_positions
    return tf.argmax(logits, axis=-1)


PEERS: Mapping[str, Peer] = {
    "captcha_tensorflow": Peer(
        source="JackonYang/captcha-tensorflow, captcha-solver-tf2-4digits-AlexNet-98.8.ipynb",
        # Its softmax runs over all heads at once, but Keras's cross-entropy divides by the sum of
        # each head, so what is trained is a softmax a head, as here. Its dropout is commented out.
        changed=(
            "10 classes a head instead of 256, of which its digits use 10; 100x30 instead of "
            "120x100"
        ),
        build=_build_three_convolutions,
        make_optimizer=keras.optimizers.Adam,
        batch_size=64,
        loss=_mean_over_heads,
        decode=_largest,
    ),
    "captcha_break": Peer(
        source="ypwhs/captcha_break, cnn_2019.ipynb",
        # Its second stage (from the best weights, at 1e-4) begins where three epochs of 128,000
        # pictures brought no progress: in its log after 2 million.
        changed=(
            "10 classes instead of 36; 100x30 instead of 128x64; pools padded, as 30 can be "
            "halved four times only; the first stage alone"
        ),
        build=_build_normalised_vgg,
        make_optimizer=functools.partial(keras.optimizers.Adam, 1e-3, amsgrad=True),
        batch_size=128,
        loss=_sum_over_heads,
        decode=_largest,
    ),
    "keras_ocr": Peer(
        source="keras-team/keras-io, examples/vision/captcha_ocr.py",
        changed=(
            "10 characters instead of 19 and one for unknown ones; 100x30 instead of 200x50, so "
            "25 steps in time instead of 50; early stopping off"
        ),
        build=_build_recurrent,
        make_optimizer=keras.optimizers.Adam,
        batch_size=16,
        loss=ctc_loss,
        decode=ctc_decode,
        precision="float32",  # Nothing is gained by bfloat16: 4.3 ms of CPU a captcha, and 4.7.
    ),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class PeerParams:
    """A peer and its sizes, as an Estimator takes them."""

    peer: Peer
    sizes: Sizes


def peer_model_fn(
    features: Mapping[str, tf.Tensor],
    labels: tf.Tensor,
    net: keras.Model,
    mode: str,
    params: PeerParams,
) -> EstimatorSpec:
    """`model_fn` of a peer: its loss, and the metrics that ours has.

    Args:
      features: {"image": uint8 `[N, H, W, 3]`}.
      labels: int64 `[N, L]`.
      net: As `Peer.build` gives it.
      mode: TRAIN or EVAL of `ModeKeys`.
      params: The peer.
    """
    logits = net(features["image"], training=mode == ModeKeys.TRAIN)
    loss = params.peer.loss(logits, labels)
    if mode == ModeKeys.TRAIN:
        return EstimatorSpec(mode, loss=loss)
    digits = params.peer.decode(logits, params.sizes.num_positions)
    return EstimatorSpec(
        mode,
        loss=loss,
        predictions={"digits": digits},
        eval_metric_ops={
            "character_accuracy": character_accuracy(digits, labels),
            "sequence_accuracy": sequence_accuracy(digits, labels),
        },
    )

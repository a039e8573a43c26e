"""A small network with the contract of `model.networks`, and how tests save it."""

import json
import pathlib

import keras
import numpy as np
import tensorflow as tf

from export.signatures import captcha_signatures

IMAGE_SHAPE = (6, 9, 3)
ALPHABET = "012é"
NUM_POSITIONS = 3


def build_net() -> keras.Model:
    """Image, uint8 `[N, 6, 9, 3]`, to logits, float32 `[3 * N, 4]`, all first characters first.

    One level of one pixel changes the logits by about 1e-3, so equal outputs are equal pixels. A
    convolution is in it for what an empty batch does to one.
    """
    image = keras.Input(IMAGE_SHAPE, dtype="uint8")
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(8, 3, kernel_initializer=keras.initializers.HeNormal(seed=1))(x)
    x = keras.layers.Flatten()(x)
    heads = [
        keras.layers.Dense(
            len(ALPHABET), kernel_initializer=keras.initializers.RandomNormal(seed=2 + position)
        )(x)
        for position in range(NUM_POSITIONS)
    ]
    return keras.Model(image, keras.layers.Concatenate(axis=0)(heads))


def signatures(net: keras.Model):
    return captcha_signatures(
        net, image_shape=IMAGE_SHAPE, alphabet=ALPHABET, num_positions=NUM_POSITIONS
    )


def save(net: keras.Model, folder: pathlib.Path) -> pathlib.Path:
    """Saves as the export does: what the C++ loader needs is the plain variables."""
    module = tf.Module()
    module.variables_of_net = [weight.value for weight in net.weights]
    tf.saved_model.save(module, str(folder), signatures=signatures(net))
    extra = folder / "assets.extra"
    extra.mkdir()
    (extra / "model.json").write_text(json.dumps({"alphabet": ALPHABET}))
    return folder


def pictures(num: int, seed: int = 0) -> np.ndarray:
    """uint8 `[num, 6, 9, 3]`."""
    return np.random.default_rng((seed, 9, 0)).integers(0, 256, [num, *IMAGE_SHAPE], np.uint8)

"""The two signatures of an exported captcha network: pixels to text, and picture files to text.

Inputs:
  serving_default: `image`, uint8 `[N, H, W, 3]`.
  serving_bytes: `image_bytes`, string `[N]`, PNG or JPEG of any size and mode, see
    `export.graph_decoding`.

Outputs of both, for N pictures, L positions and K classes:
  text: string `[N]`, UTF-8, at most L characters.
  digits: int64 `[N, L]`, the class index at each position.
  probabilities: float32 `[N, L, K]`, a softmax at each position.
  confidence: float32 `[N]`, the product over positions of the largest probability: the network's
    own estimate that the whole text is right.

The classes are the characters of the alphabet and, for a network that reads captchas of varying
length, one more: the blank, for no character. A text leaves blanks out wherever they stand, and may
be empty; they count in `confidence`, as where a text ends can be wrong like any character.

N may be 0; the outputs then have no rows.
"""

from collections.abc import Callable, Mapping

import tensorflow as tf

from export.graph_decoding import decode_pictures
from model.logit_order import logits_by_example

PIXELS = "serving_default"
BYTES = "serving_bytes"


def captcha_signatures(
    net: Callable[..., tf.Tensor],
    *,
    image_shape: tuple[int, int, int],
    alphabet: str,
    num_positions: int,
) -> Mapping[str, tf.types.experimental.PolymorphicFunction]:
    """The functions to save, by signature name.

    Args:
      net: Image, uint8 `[N, H, W, 3]`, to logits, float32 `[L * N, K]`, as in `model.logit_order`.
        It is called with `training=False`.
      image_shape: Height, width, 3.
      alphabet: Class k is character k. There may be one class more, the blank.
      num_positions: L.
    """

    def read(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return _read(net, image, alphabet, num_positions)

    @tf.function(input_signature=[tf.TensorSpec([None, *image_shape], tf.uint8, name="image")])
    def serving_default(image):
        return read(image)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
    def serving_bytes(image_bytes):
        return read(decode_pictures(image_bytes, image_shape))

    return {PIXELS: serving_default, BYTES: serving_bytes}


def _read(
    net: Callable[..., tf.Tensor], image: tf.Tensor, alphabet: str, num_positions: int
) -> dict[str, tf.Tensor]:
    num_images = tf.shape(image)[0]
    # oneDNN's convolution crashes the process on an empty batch: run one blank picture instead, and
    # give back none of its rows.
    num_blank = tf.cast(tf.equal(num_images, 0), tf.int32)
    logits = net(tf.pad(image, [[0, num_blank], [0, 0], [0, 0], [0, 0]]), training=False)
    by_example = logits_by_example(logits, num_positions)[:num_images]  # [N, L, K]
    probabilities = tf.nn.softmax(by_example)
    digits = tf.argmax(by_example, axis=-1)  # [N, L]
    character_of_class = tf.constant([*alphabet, ""])  # No character for the blank.
    return {
        "text": tf.strings.reduce_join(tf.gather(character_of_class, digits), axis=1),
        "digits": digits,
        "probabilities": probabilities,
        "confidence": tf.reduce_prod(tf.reduce_max(probabilities, axis=-1), axis=-1),
    }

"""The function that a .tflite or .onnx file holds: pixels to probabilities, and what they say."""

from collections.abc import Callable

import tensorflow as tf

from export.light_reader import IMAGE, PROBABILITIES
from model.logit_order import logits_by_example


def light_network(
    net: Callable[..., tf.Tensor], image_shape: tuple[int, int, int], num_positions: int
) -> tf.types.experimental.PolymorphicFunction:
    """The network without texts, which neither format has room for.

    Args:
      net: As for `export.signatures`.
      image_shape: Height, width, 3.
      num_positions: L.

    Returns:
      From `image`, uint8 `[N, H, W, 3]`, N at least 1, to `probabilities` float32 `[N, L, K]`,
      `digits` int64 `[N, L]` and `confidence` float32 `[N]`, as `export.signatures` has them.
    """

    @tf.function(input_signature=[tf.TensorSpec([None, *image_shape], tf.uint8, name=IMAGE)])
    def read(image):
        by_example = logits_by_example(net(image, training=False), num_positions)
        probabilities = tf.nn.softmax(by_example)  # [N, L, K]
        return {
            PROBABILITIES: probabilities,
            "digits": tf.argmax(by_example, axis=-1, output_type=tf.int64),
            "confidence": tf.reduce_prod(tf.reduce_max(probabilities, axis=-1), axis=-1),
        }

    return read

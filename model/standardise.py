"""Per-image standardisation as a layer: mean 0 and deviation 1 over all pixels of a picture."""

import keras
import tensorflow as tf


class PerImageStandardisation(keras.layers.Layer):
    """`[N, H, W, C]` of any real dtype to the layer's compute dtype.

    The library pastes dark text nearly transparent, so contrast differs a lot between captchas;
    dividing by each picture's own deviation takes that away. A picture of one colour gives
    zeros: the deviation is held at 1 / sqrt(number of values) or more, as in
    `tf.image.per_image_standardization`.
    """

    def __init__(self, **kwargs):
        # Without autocast=False Keras would cast the pixels to bfloat16 first, which has 8 bits.
        super().__init__(autocast=False, trainable=False, **kwargs)

    def call(self, image):
        """Standardises each picture in float32, then casts."""
        pixels = tf.cast(image, tf.float32)
        num_values = tf.cast(tf.reduce_prod(tf.shape(pixels)[1:]), tf.float32)
        mean, variance = tf.nn.moments(pixels, axes=[1, 2, 3], keepdims=True)
        deviation = tf.maximum(tf.sqrt(variance), tf.math.rsqrt(num_values))
        return tf.cast((pixels - mean) / deviation, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """The input's shape."""
        return input_shape

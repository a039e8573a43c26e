"""The leaky ReLU, with a gradient that lets TensorFlow fuse it into the layer before."""

import keras
import tensorflow as tf

_SLOPE = 0.2


@keras.saving.register_keras_serializable("captcha")
def leaky_relu(x: tf.Tensor) -> tf.Tensor:
    """What is positive as it is, a fifth of the rest.

    Values and gradients are those of `tf.nn.leaky_relu(x)`. That one's gradient is a function of x,
    so a convolution that is trained must keep what it gave before its activation, and TensorFlow
    leaves the two apart. x has the sign of what comes out, and so the gradient can be had from
    that, as a ReLU's is. With TensorFlow's, a step of the default network takes 8 % longer
    (BUILD_NOTES.md, "Speed of a training step").

    Args:
      x: Any shape, floating.
    """
    return _with_gradient(x)


@tf.custom_gradient
def _with_gradient(x):
    y = tf.nn.leaky_relu(x, _SLOPE)

    def gradient(of_y):
        return tf.raw_ops.LeakyReluGrad(gradients=of_y, features=y, alpha=_SLOPE)

    return y, gradient

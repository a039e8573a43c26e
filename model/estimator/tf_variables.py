"""Keras variables and TensorFlow's own, told apart in one place."""

import keras
import tensorflow as tf


def tf_variable(variable) -> tf.Variable:
    """The TensorFlow variable in a Keras one; one of TensorFlow itself is returned as it is."""
    return variable.value if isinstance(variable, keras.Variable) else variable

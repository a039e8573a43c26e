"""The network computing in bfloat16: faster where the processor has it, emulated elsewhere."""

from collections.abc import Callable

import keras
import tensorflow as tf

from model.captcha_estimator import network_config
from model.description import ModelDescription
from model.networks import build_network


def in_bfloat16(net: keras.Model, description: ModelDescription) -> Callable[..., tf.Tensor]:
    """The same network, its convolutions and dense layers in bfloat16; logits stay float32.

    The weights become constants of whatever traces it, so that they are rounded once, when it is
    loaded: rounding variables at each call takes as long as reading a picture.
    """
    fast = build_network(network_config(description, dtype_policy="mixed_bfloat16"))
    trainable = [variable.numpy() for variable in net.trainable_variables]
    others = [variable.numpy() for variable in net.non_trainable_variables]

    def read(image: tf.Tensor, training: bool) -> tf.Tensor:
        constants = [[tf.constant(value) for value in values] for values in (trainable, others)]
        return fast.stateless_call(*constants, image, training=training)[0]

    return read

"""Batch normalisation by TensorFlow's fused kernel, which Keras 2 used and Keras 3 does not.

A network that was published for Keras 2 would be slower by a half on a CPU with Keras 3's own
layer, which computes in several steps and in float32 always.
"""

import keras
import tensorflow as tf


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`[N, H, W, C]` to the same, in the layer's compute dtype; statistics are float32."""

    def call(self, inputs, training=None, mask=None):
        """Normalises by the batch, and moves the averages; or by the averages."""
        del mask
        if not training:
            return self._normalise(inputs, self.moving_mean.value, self.moving_variance.value)[0]
        outputs, mean, variance, *_ = self._normalise(inputs, None, None)
        for average, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(average.value * self.momentum + new * (1 - self.momentum))
        return outputs

    def _normalise(self, inputs, mean, variance):
        nothing = tf.zeros([0])
        return tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=nothing if mean is None else mean,
            variance=nothing if variance is None else variance,
            epsilon=self.epsilon,
            is_training=mean is None,
        )

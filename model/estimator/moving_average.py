"""An exponential moving average of the weights (Polyak and Juditsky, 1992)."""

from collections.abc import Sequence

import tensorflow as tf

from model.estimator.tf_variables import tf_variable


class MovingAverage:
    """Averages of trainable variables, and the exchange of both.

    Attributes:
      variables: The averages, in the order of the weights; they begin as these are. Replicas have
        equal weights, so one average will do for all of them.
      in_use: Whether the network holds the averages now, and its weights are kept here.
    """

    def __init__(self, weights: Sequence, decay: float):
        self._weights = [tf_variable(weight) for weight in weights]
        self._decay = decay
        self._kept = None
        self.variables = [
            tf.Variable(
                weight.numpy(),
                trainable=False,
                name=weight.name.removesuffix(":0"),
            )
            for weight in self._weights
        ]

    @property
    def in_use(self) -> bool:
        """Whether the network holds the averages."""
        return self._kept is not None

    def update(self, step: tf.Tensor) -> None:
        """Moves the averages towards the weights as they are after update `step`, from 1.

        The average forgets faster in the beginning, min(decay, (1 + step) / (10 + step)), so that
        the first weights, which are random, do not linger in it.
        """
        step = tf.cast(step, tf.float32)
        decay = tf.minimum(self._decay, (1 + step) / (10 + step))
        for average, weight in zip(self.variables, self._weights, strict=True):
            difference = tf.convert_to_tensor(weight) - tf.convert_to_tensor(average)
            average.assign_add(tf.cast(1 - decay, average.dtype) * difference)

    def start(self) -> None:
        """Begins anew, at the weights."""
        for average, weight in zip(self.variables, self._weights, strict=True):
            average.assign(weight.numpy())

    def use(self) -> None:
        """Puts the averages into the network, to evaluate or export it."""
        if not self.in_use:
            self._kept = [weight.numpy() for weight in self._weights]
            for average, weight in zip(self.variables, self._weights, strict=True):
                weight.assign(average.numpy())

    def put_back(self) -> None:
        """Puts the weights back, to train on."""
        if self.in_use:
            for weight, value in zip(self._weights, self._kept, strict=True):
                weight.assign(value)
            self._kept = None

    def forget(self) -> None:
        """Declares that the network has got other weights since."""
        self._kept = None

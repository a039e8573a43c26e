"""One network that is trained again and again, each time from weights that it is given.

An audit trains eight networks on parts of one dataset. The Estimator would build and trace each of
them, and keep checkpoints of it; this one is traced once, and what it has learnt is asked for at
once and then forgotten.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from labelling.robust_loss import generalised_cross_entropy
from model.augment import random_shift
from model.logit_order import logits_by_example, targets_in_logit_order
from model.networks import NetworkConfig, build_network
from model.schedule import WarmupCosine

BATCH_SIZE = 64
_READ_AT_ONCE = 250
_LEARNING_RATE = 1e-3
# Shorter, and networks that start from fresh weights often give a character up: BUILD_NOTES.md,
# "Audit".
_WARMUP_STEPS = 300
# As in configs/captcha.flags.
_MOST_SHIFT_ROWS = 2
_MOST_SHIFT_COLUMNS = 4


class FoldNetwork:
    """A captcha network with the training that an audit needs."""

    def __init__(self, config: NetworkConfig, num_steps: int):
        """Builds and compiles.

        Args:
          config: Without dropout the same start and the same pictures give the same network.
          num_steps: Of each training.
        """
        height, width, _ = config.image_shape
        self._num_positions = config.num_positions
        self._num_steps = num_steps
        self._shift_rows = min(_MOST_SHIFT_ROWS, height - 1)
        self._shift_columns = min(_MOST_SHIFT_COLUMNS, width - 1)
        self._net = build_network(config)
        warmup_steps = min(_WARMUP_STEPS, num_steps // 2)
        learning_rate = WarmupCosine(_LEARNING_RATE, warmup_steps, num_steps)
        self._optimizer = keras.optimizers.Adam(learning_rate)
        self._optimizer.build(self._net.trainable_variables)
        self._optimizer_start = [variable.numpy() for variable in self._optimizer.variables]
        # Without autograph an error stays the exception and the message it was.
        self._train_step = tf.function(self._update, autograph=False, reduce_retracing=True)
        self._read = tf.function(self._log_probabilities, autograph=False, reduce_retracing=True)

    def train(
        self,
        pixels: np.ndarray,
        labels: np.ndarray,
        members: np.ndarray,
        start: Sequence[np.ndarray],
        seed: tuple[int, ...],
        on_step: Callable[[], None],
    ) -> None:
        """Forgets everything and trains on some of the pictures.

        Args:
          pixels: uint8 `[N, H, W, 3]`; may be a file, as only a batch at a time is taken.
          labels: int64 `[N, L]`.
          members: int `[M]`, which of the N to train on.
          start: A value for each of the network's weights.
          seed: Of the order of the pictures and of their random shifts.
          on_step: Called after each of the `num_steps`.
        """
        for variables, values in (
            (self._net.weights, start),
            (self._optimizer.variables, self._optimizer_start),
        ):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        generator = np.random.default_rng(seed)
        shift_seed = int(generator.integers(2**31))
        order = np.empty(0, members.dtype)
        for step in range(self._num_steps):
            while len(order) < BATCH_SIZE:
                order = np.concatenate([order, generator.permutation(members)])
            batch, order = order[:BATCH_SIZE], order[BATCH_SIZE:]
            self._train_step(
                tf.constant(pixels[batch]),
                tf.constant(labels[batch]),
                tf.constant([shift_seed, step], tf.int64),
            )
            on_step()

    def log_probabilities(self, pixels: np.ndarray, members: np.ndarray) -> np.ndarray:
        """What the network holds of some of the pictures: float32 `[M, L, K]`.

        Args:
          pixels: uint8 `[N, H, W, 3]`.
          members: int `[M]`, M at least 1.
        """
        parts = np.split(members, range(_READ_AT_ONCE, len(members), _READ_AT_ONCE))
        return np.concatenate([self._read(tf.constant(pixels[part])).numpy() for part in parts])

    def _update(self, image: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> None:
        shifted = random_shift(
            image, max_rows=self._shift_rows, max_columns=self._shift_columns, seed=seed
        )
        variables = self._net.trainable_variables
        with tf.GradientTape() as tape:
            logits = self._net(shifted, training=False)  # False is about dropout: there is none.
            losses = generalised_cross_entropy(targets_in_logit_order(labels), logits)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        self._optimizer.apply(gradients, variables)

    def _log_probabilities(self, image: tf.Tensor) -> tf.Tensor:
        return tf.nn.log_softmax(
            logits_by_example(self._net(image, training=False), self._num_positions)
        )

"""A network that is trained on all examples at once until it knows them by heart."""

import dataclasses
import time

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from model.dead_units import dead_shares_fn
from model.estimator import EstimatorSpec, ModeKeys
from model.optimizer import make_optimizer
from model.params import ModelParams
from model.sanity_checks import Attempt, Examples, is_learnt, needs_more_steps
from model.schedule import WarmupConstant

_WARMUP_STEPS = 20  # Adam's first steps are as large as any, whatever the gradient.
_LOG_SECS = 5.0
# A large network, which has done fewer steps than `_MANY_STEPS` in its time, gets this many times
# as much if it may yet learn: the book's takes minutes on 2 busy cores.
_MORE_TIME, _MANY_STEPS = 5, 200


class SanityLearner:
    """A network of its own with the optimizer and rate of `params`, no dropout, no augmentation."""

    def __init__(self, params: ModelParams, examples: Examples, net_fn, model_fn):
        keras.utils.set_random_seed(params.seed)
        self._params = dataclasses.replace(
            params,
            # Dropout of rate 0 from the first step: layers that know nothing of a rate are in
            # training mode all the same.
            network=dataclasses.replace(params.network, dropout=0.0),
            dropout_from_step=0,
            shift_rows=0,
            shift_columns=0,
            cutmix=0.0,
            label_smoothing=0.0,
            candidates=1,
        )
        self._examples = examples
        self._model_fn = model_fn
        self._image = tf.constant(examples.images)
        self._labels = tf.constant(examples.labels)
        self._net = net_fn(self._params.network)
        rate = WarmupConstant(params.learning_rate, _WARMUP_STEPS, _WARMUP_STEPS + 1)
        self._optimizer = make_optimizer(params, rate)
        self._optimizer.build(self._net.trainable_variables)
        self._train_function = tf.function(self._traced_step, autograph=False)
        self._infer_function = tf.function(self._traced_inference, autograph=False)

    def learn(self, max_seconds: float, max_steps: int) -> Attempt:
        """Trains until all is right, in an evaluation too, or steps or time are over."""
        dead_shares = dead_shares_fn(self._net)
        first_logits, _ = self._infer()
        first_dead = dead_shares(self._image)
        losses, gradient_norms = [], {}
        started, logged = time.monotonic(), 0.0
        while True:
            loss, traced_digits, norms = self._train_function()
            digits = traced_digits.numpy()
            losses.append(float(loss))
            gradient_norms = gradient_norms or {name: float(norms[name]) for name in norms}
            right = float(np.mean(digits == self._examples.labels))
            seconds = time.monotonic() - started
            may_yet_learn = len(losses) < _MANY_STEPS and needs_more_steps(losses)
            ends = (
                len(losses) == max_steps
                or not np.isfinite(losses[-1])
                or seconds > max_seconds * (_MORE_TIME if may_yet_learn else 1)
                or (
                    is_learnt(self._examples, losses[-1], digits)
                    and is_learnt(self._examples, losses[-1], self._infer()[1])
                )
            )
            if ends or len(losses) == 1 or seconds - logged > _LOG_SECS:
                logged = seconds
                logging.info(
                    "sanity | step %4d | loss %.4f | character_accuracy %.3f | %.1f s",
                    len(losses),
                    losses[-1],
                    right,
                    seconds,
                )
            if ends:
                break
        last_logits, inferred_digits = self._infer()
        return Attempt(
            examples=self._examples,
            learning_rate=self._params.learning_rate,
            losses=np.array(losses),
            digits=digits,
            inferred_digits=inferred_digits,
            first_logits=first_logits,
            last_logits=last_logits,
            gradient_norms=gradient_norms,
            first_dead=first_dead,
            last_dead=dead_shares(self._image),
        )

    def _infer(self) -> tuple[np.ndarray, np.ndarray]:
        """Logits `[L * N, K]` and digits `[N, L]` as an evaluation has them."""
        logits, digits = self._infer_function()
        return logits.numpy(), digits.numpy()

    def _traced_step(self):
        variables = self._net.trainable_variables
        with tf.GradientTape() as tape:
            spec = self._spec(ModeKeys.TRAIN)
        gradients = tape.gradient(spec.loss, [variable.value for variable in variables])
        pairs = [
            (tf.zeros_like(variable.value) if gradient is None else gradient, variable)
            for gradient, variable in zip(gradients, variables, strict=True)
        ]
        self._optimizer.apply_gradients(pairs)
        norms = {variable.path: tf.norm(gradient) for gradient, variable in pairs}
        return spec.loss, spec.predictions["digits"], norms

    def _traced_inference(self):
        logits = self._net(self._image, training=False)
        return logits, self._spec(ModeKeys.EVAL).predictions["digits"]

    def _spec(self, mode: str) -> EstimatorSpec:
        return self._model_fn(
            features={"image": self._image},
            labels=self._labels,
            net=self._net,
            mode=mode,
            params=self._params,
            step=tf.constant(0, tf.int64),
        )

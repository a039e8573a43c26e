"""What is built once in a process: the network, its optimizer and the compiled functions."""

import contextlib
import functools
from collections.abc import Callable, Iterator

import keras
import tensorflow as tf

from model.estimator import strategies, workers
from model.estimator.batch_parts import BatchParts
from model.estimator.model_function import ModelFunction
from model.estimator.moving_average import MovingAverage
from model.estimator.run_config import RunConfig
from model.estimator.spec import ModeKeys
from model.estimator.train_step import TrainStep


class Program:
    """A network with fresh weights, and a step of training, evaluation and prediction over it.

    Attributes:
      net: What `net_fn` returned.
      global_step: int64 scalar variable, the number of updates so far.
      chance: `EstimatorSpec.chance`, once a training or evaluation step has been traced.

    Raises:
      ValueError: If the network has no variables yet.
      ConnectionError: If another worker is gone.
    """

    def __init__(
        self,
        model_fn: ModelFunction,
        net_fn: Callable,
        optimizer_fn: Callable | None,
        params,
        config: RunConfig,
    ):
        self._model_fn = model_fn
        self._optimizer_fn = optimizer_fn
        self._params = params
        self._config = config
        self.strategy = config.train_distribute
        self.chance = {}
        # A Keras layer without a seed of its own draws one from Python's generator.
        keras.utils.set_random_seed(config.tf_random_seed)
        # No replica changes it, so one for all of them will do.
        self.global_step = tf.Variable(0, dtype=tf.int64, trainable=False, name="global_step")
        with self._building():
            self.net = net_fn(params)
        if not self.net.trainable_variables:
            raise ValueError(
                "`net_fn` must return a network whose variables exist, received one without any. "
                "Give it a keras.Input, or call it once."
            )
        # Without autograph an error in `model_fn` stays the exception and the message it was.
        self._evaluate_function = tf.function(self._evaluate_step, autograph=False)
        self._predict_function = tf.function(self._predict_step, autograph=False)

    @functools.cached_property
    def optimizer(self) -> keras.optimizers.Optimizer:
        """What `optimizer_fn` returned, with its slots built.

        Raises:
          ValueError: If there is no `optimizer_fn`.
        """
        if self._optimizer_fn is None:
            raise ValueError(
                "`optimizer_fn` must be given to train, received None. "
                "Pass one to Estimator, for example lambda params: keras.optimizers.Adam(0.001)."
            )
        with self._building():
            optimizer = self._optimizer_fn(self._params)
            optimizer.build(self.net.trainable_variables)
        return optimizer

    @functools.cached_property
    def average(self) -> MovingAverage | None:
        """The moving average of the weights, if `RunConfig.ema_decay` asks for one."""
        if self._config.ema_decay is None:
            return None
        return MovingAverage(self.net.trainable_variables, self._config.ema_decay)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes files: false for all workers but one."""
        return strategies.is_chief(self.strategy)

    @functools.cached_property
    def train_step(self) -> TrainStep:
        """The compiled update."""
        num_replicas = self.strategy.num_replicas_in_sync if self.strategy else 1
        parts = BatchParts(
            num_replicas, self._config.accumulate_gradients, self._config.parts_side_by_side
        )
        return TrainStep(self, parts)

    @functools.cached_property
    def sum_over_replicas(self) -> Callable:
        """Compiled: float64 scalar to the sum of what all replicas were called with."""

        def add(value):
            values = self.strategy.run(lambda value: value, args=(value,))
            return self.strategy.reduce("SUM", values, axis=None)

        return tf.function(add, autograph=False)

    def evaluate_step(self, features_spec, labels_spec) -> Callable:
        """Compiled: (features, labels) to (sums, predictions).

        Sums over the batch's examples are float64 by name, predictions what `model_fn` gives.
        """
        return self._evaluate_function.get_concrete_function(features_spec, labels_spec)

    def predict_step(self, features_spec) -> Callable:
        """Compiled: features to a dict of tensors `[N, ...]`."""
        return self._predict_function.get_concrete_function(features_spec)

    def call_model_fn(self, features, labels, mode: str, rows=None):
        """The spec of a batch, or of those `rows` of it that `features` are."""
        if rows is None:
            rows = tf.range(tf.shape(tf.nest.flatten(features)[0], tf.int64)[0])
        spec = self._model_fn(
            features=features,
            labels=labels,
            net=self.net,
            mode=mode,
            step=tf.convert_to_tensor(self.global_step),
            rows=rows,
        )
        if spec.chance is not None:
            self.chance = dict(spec.chance)
        return spec

    def _evaluate_step(self, features, labels):
        spec = self.call_model_fn(features, labels, ModeKeys.EVAL)
        num_examples = tf.cast(tf.shape(tf.nest.flatten(features)[0])[0], tf.float64)
        sums = {
            name: tf.reduce_sum(tf.cast(values, tf.float64))
            for name, values in (spec.eval_metric_ops or {}).items()
        }
        sums = {"loss": tf.cast(spec.loss, tf.float64) * num_examples, **sums}
        return sums, dict(spec.predictions or {})

    def _predict_step(self, features):
        return dict(self.call_model_fn(features, None, ModeKeys.PREDICT).predictions)

    @contextlib.contextmanager
    def _building(self) -> Iterator[None]:
        # The chief sends the first values of variables to the other workers.
        with workers.failures_in_one_line(self), strategies.scope(self.strategy):
            yield

"""What is built once in a process: the network, its optimizer and the three compiled functions."""

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from model.estimator.model_function import ModelFunction
from model.estimator.spec import ModeKeys


class Program:
    """A network with fresh weights, and a step of training, evaluation and prediction over it.

    Attributes:
      net: What `net_fn` returned.
      global_step: int64 scalar variable, the number of updates so far.

    Raises:
      ValueError: If the network has no variables yet.
    """

    def __init__(
        self,
        model_fn: ModelFunction,
        net_fn: Callable,
        optimizer_fn: Callable | None,
        params,
        seed: int,
    ):
        # A Keras layer without a seed of its own draws one from Python's generator.
        keras.utils.set_random_seed(seed)
        self.net = net_fn(params)
        if not self.net.trainable_variables:
            raise ValueError(
                "`net_fn` must return a network whose variables exist, received one without any. "
                "Give it a keras.Input, or call it once."
            )
        self.global_step = tf.Variable(0, dtype=tf.int64, trainable=False, name="global_step")
        self._model_fn = model_fn
        self._optimizer_fn = optimizer_fn
        self._params = params
        # Without autograph an error in `model_fn` stays the exception and the message it was.
        self._train_function = tf.function(self._train_step, autograph=False)
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
        optimizer = self._optimizer_fn(self._params)
        optimizer.build(self.net.trainable_variables)
        return optimizer

    def train_step(self, features_spec, labels_spec) -> Callable:
        """Compiled: (features, labels) to a dict of float scalars, after one update.

        They are `loss`, the mean of each train metric, and the `learning_rate` of this update.
        """
        _ = self.optimizer  # Its variables must exist before the trace.
        # Traced for the dataset's own shapes, so a short last batch does not trace it again.
        return self._train_function.get_concrete_function(features_spec, labels_spec)

    def evaluate_step(self, features_spec, labels_spec) -> Callable:
        """Compiled: (features, labels) to a dict of float64 sums over the batch's examples."""
        return self._evaluate_function.get_concrete_function(features_spec, labels_spec)

    def predict_step(self, features_spec) -> Callable:
        """Compiled: features to a dict of tensors `[N, ...]`."""
        return self._predict_function.get_concrete_function(features_spec)

    def _train_step(self, features, labels):
        optimizer = self.optimizer
        with tf.GradientTape() as tape:
            spec = self._call_model_fn(features, labels, ModeKeys.TRAIN)
            scaled_loss = optimizer.scale_loss(spec.loss)  # The loss itself, but for float16.
        learning_rate = tf.convert_to_tensor(optimizer.learning_rate)  # Before it moves on.
        variables = self.net.trainable_variables
        gradients = tape.gradient(scaled_loss, [tf_variable(variable) for variable in variables])
        optimizer.apply(gradients, variables)
        self.global_step.assign_add(1)
        means = {
            name: tf.reduce_mean(tf.cast(values, tf.float32))
            for name, values in (spec.train_metric_ops or {}).items()
        }
        return {"loss": tf.cast(spec.loss, tf.float32), **means, "learning_rate": learning_rate}

    def _evaluate_step(self, features, labels):
        spec = self._call_model_fn(features, labels, ModeKeys.EVAL)
        num_examples = tf.cast(tf.shape(tf.nest.flatten(features)[0])[0], tf.float64)
        sums = {
            name: tf.reduce_sum(tf.cast(values, tf.float64))
            for name, values in (spec.eval_metric_ops or {}).items()
        }
        return {"loss": tf.cast(spec.loss, tf.float64) * num_examples, **sums}

    def _predict_step(self, features):
        return dict(self._call_model_fn(features, None, ModeKeys.PREDICT).predictions)

    def _call_model_fn(self, features, labels, mode: str):
        return self._model_fn(
            features=features,
            labels=labels,
            net=self.net,
            mode=mode,
            step=tf.convert_to_tensor(self.global_step),
        )


def tf_variable(variable) -> tf.Variable:
    """The TensorFlow variable in a Keras one; one of TensorFlow itself is returned as it is."""
    return variable.value if isinstance(variable, keras.Variable) else variable

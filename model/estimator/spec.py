"""What a `model_fn` returns: an `EstimatorSpec`, checked against the mode it is for."""

import dataclasses
from collections.abc import Mapping

import tensorflow as tf


class ModeKeys:
    """What `model_fn` is called for. The values are those of `tf.estimator.ModeKeys`."""

    TRAIN = "train"
    EVAL = "eval"
    PREDICT = "infer"


_MODES = (ModeKeys.TRAIN, ModeKeys.EVAL, ModeKeys.PREDICT)
_REQUIRED_FIELD = {
    ModeKeys.TRAIN: "loss",
    ModeKeys.EVAL: "loss",
    ModeKeys.PREDICT: "predictions",
}
# `evaluate` returns these beside the metrics, and TensorBoard shows the last two.
_RESERVED_METRICS = (
    "loss",
    "global_step",
    "n",
    "learning_rate",
    "gradient_norm",
    "num_examples",
    "examples_per_sec",
)


@dataclasses.dataclass(frozen=True)
class EstimatorSpec:
    """Predictions, loss and metrics of one batch of N examples.

    Attributes:
      mode: One of `ModeKeys`.
      predictions: Name to tensor `[N, ...]`; required to predict.
      loss: Float scalar, the mean over the batch; required to train and to evaluate.
      eval_metric_ops: Name to tensor `[N]`, one number (or bool) an example. The Estimator averages
        over all examples of an evaluation, so that a short last batch weighs what it holds.
      train_metric_ops: The same for training, averaged over the steps between two log lines.
      chance: What guessing gives, as numbers, by the names of metrics and "loss". Log lines show it
        beside them.

    Raises:
      ValueError: If a field that `mode` requires is missing, or a field has another form. Names it.
    """

    mode: str
    predictions: Mapping[str, tf.Tensor] | None = None
    loss: tf.Tensor | None = None
    eval_metric_ops: Mapping[str, tf.Tensor] | None = None
    train_metric_ops: Mapping[str, tf.Tensor] | None = None
    chance: Mapping[str, float] | None = None

    def __post_init__(self):
        if self.mode not in _MODES:
            raise ValueError(
                f"`mode` must be one of {', '.join(_MODES)}, received {self.mode!r}. "
                "Pass on the mode that `model_fn` was called with."
            )
        required = _REQUIRED_FIELD[self.mode]
        if getattr(self, required) is None:
            raise ValueError(
                f"`{required}` must be given for mode {self.mode!r}, received None. "
                f"Return EstimatorSpec(mode, {required}=...)."
            )
        if self.loss is not None and tf.convert_to_tensor(self.loss).shape.rank != 0:
            raise ValueError(
                f"`loss` must be a scalar, received shape {_shape(self.loss)}. "
                "Take tf.reduce_mean of it."
            )
        if self.predictions is not None and not isinstance(self.predictions, Mapping):
            raise ValueError(
                "`predictions` must be a dict of tensors, received "
                f"{type(self.predictions).__name__}. Give each tensor a name."
            )
        _check_metrics("eval_metric_ops", self.eval_metric_ops)
        _check_metrics("train_metric_ops", self.train_metric_ops)


def _check_metrics(field: str, metrics: Mapping[str, tf.Tensor] | None) -> None:
    for name, values in (metrics or {}).items():
        if name in _RESERVED_METRICS:
            raise ValueError(
                f"`{field}` must not use the names {', '.join(_RESERVED_METRICS)}, received "
                f"{name!r}. Choose another name."
            )
        if tf.convert_to_tensor(values).shape.rank != 1:
            raise ValueError(
                f"`{field}` must hold one value an example, shape [N], received {name!r} of shape "
                f"{_shape(values)}. Leave the averaging over the batch to the Estimator."
            )


def _shape(tensor) -> str:
    return str(tf.convert_to_tensor(tensor).shape)

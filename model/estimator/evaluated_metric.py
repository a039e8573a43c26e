"""One metric of an evaluation, and which of two values of it is the better one."""

import math
from collections.abc import Mapping

# Of a row of history.py, and of what `Estimator.evaluate` returns; all others are metrics.
_NO_METRICS = ("kind", "name", "global_step", "n")


def metric_value(evaluation: Mapping, metric: str) -> float | None:
    """The value of `metric`; None if it is not finite, as such a value is never good.

    Args:
      evaluation: What `Estimator.evaluate` returns, or a row of the history.
      metric: A name in it.

    Raises:
      ValueError: If there is no such metric; it lists those there are.
    """
    if metric not in evaluation or metric in _NO_METRICS:
        known = ", ".join(name for name in evaluation if name not in _NO_METRICS)
        raise ValueError(
            f"`metric` must be one of the evaluation's ({known}), received {metric!r}. Choose one "
            "of these, or add it to `eval_metric_ops`."
        )
    value = evaluation[metric]
    return float(value) if value is not None and math.isfinite(value) else None


def is_better(
    value: float | None, than: float | None, *, higher_is_better: bool, min_delta: float = 0.0
) -> bool:
    """Whether `value` is better than `than` by more than `min_delta`; None is worse than all."""
    if value is None or than is None:
        return value is not None
    return (value - than if higher_is_better else than - value) > min_delta


def check_direction(metric: str, *, higher_is_better: bool) -> None:
    """Refuses the one direction that is known to be wrong.

    Raises:
      ValueError: If a higher loss is called better.
    """
    if metric == "loss" and higher_is_better:
        raise ValueError(
            "`higher_is_better` must be False for the metric 'loss', received True. Pass "
            "higher_is_better=False."
        )

"""Rules that end a training early: by its evaluations, and by the clock.

A rule looks at the evaluations of the history alone, so a run that is killed and resumed decides as
one that was not. The clock is a hook, as no history tells how long somebody wants to wait.
"""

import dataclasses
import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from model.estimator.checks import check_count
from model.estimator.evaluated_metric import check_direction, is_better, metric_value
from model.estimator.hooks import Hook, Run

_TARGET = re.compile(r"\s*(\w+)\s*(=|>=|<=)\s*(\S+)\s*")


class StopRule(Protocol):
    """Decides after each evaluation whether to go on."""

    def reason(self, rows: Sequence[Mapping]) -> str | None:
        """Why to stop, a sentence for the log; None to go on.

        Args:
          rows: The evaluations so far (`history.rows`), oldest first; at least one.

        Raises:
          ValueError: If they lack the metric.
        """


@dataclasses.dataclass(frozen=True)
class TargetReached:
    """Stops when the last evaluation is as good as `value`, from step `min_steps`.

    In the place of `tf.estimator`'s stop_if_higher_hook and stop_if_lower_hook.

    Raises:
      ValueError: If `value` is no finite number, or a higher loss is called better.
    """

    metric: str
    value: float
    higher_is_better: bool = True
    min_steps: int = 0

    def __post_init__(self):
        check_direction(self.metric, higher_is_better=self.higher_is_better)
        if not math.isfinite(self.value):
            raise ValueError(
                f"the target of {self.metric} must be a finite number, received {self.value}. "
                "Leave it out to have none."
            )

    def reason(self, rows: Sequence[Mapping]) -> str | None:
        """See `StopRule`."""
        value = metric_value(rows[-1], self.metric)
        # Reached also by the very value, so: whether the target is not better.
        if (
            value is None
            or rows[-1]["global_step"] < self.min_steps
            or is_better(self.value, value, higher_is_better=self.higher_is_better)
        ):
            return None
        return f"{self.metric} {value:.6g} has reached its target {self.value:g}"


def parse_target(text: str) -> TargetReached:
    """The rule in a text: "accuracy=0.995", "error<=0.01", "loss=0.1".

    "=" means at least, and for the loss at most.

    Raises:
      ValueError: If it is none. Whether there is such a metric shows at the first evaluation.
    """
    match = _TARGET.fullmatch(text)
    try:
        metric, operator, value = match.groups()
        value = float(value)
    except (AttributeError, ValueError):
        raise ValueError(
            f"a target must be METRIC=NUMBER, METRIC>=NUMBER or METRIC<=NUMBER, received {text!r}. "
            "Try 'loss<=0.1'."
        ) from None
    if operator == "=":
        operator = "<=" if metric == "loss" else ">="
    return TargetReached(metric, value, higher_is_better=operator == ">=")


@dataclasses.dataclass(frozen=True)
class NoImprovement:
    """Stops when the best value is `max_steps` old.

    In the place of `tf.estimator`'s stop_if_no_increase_hook and stop_if_no_decrease_hook.

    Attributes:
      metric: A name in what `Estimator.evaluate` returns. NaN never improves.
      max_steps: Training steps without a value that is better than all before.
      min_steps: Evaluations of earlier steps do not count, neither for nor against.
      higher_is_better: False for an error; the loss requires it.

    Raises:
      ValueError: If `max_steps` is no count, or a higher loss is called better.
    """

    metric: str
    max_steps: int
    min_steps: int = 0
    higher_is_better: bool = True

    def __post_init__(self):
        check_count("max_steps", self.max_steps)
        check_direction(self.metric, higher_is_better=self.higher_is_better)

    def reason(self, rows: Sequence[Mapping]) -> str | None:
        """See `StopRule`."""
        best, best_step = None, None
        for row in rows:
            value = metric_value(row, self.metric)
            step = row["global_step"]
            if step < self.min_steps:
                continue
            if best_step is None or is_better(value, best, higher_is_better=self.higher_is_better):
                best, best_step = value, step
            if step - best_step >= self.max_steps:
                shown = "a finite value" if best is None else f"{best:.6g}"
                return (
                    f"{self.metric} has not been better than {shown} for {step - best_step} steps, "
                    f"since step {best_step}"
                )
        return None


class TimeLimitHook(Hook):
    """Stops the training of this process after some minutes, between two steps.

    The clock starts when the first training begins. Evaluations, and trainings that follow with the
    same hook, are part of the time. A run that is started again has all of it again.
    """

    def __init__(self, minutes: float):
        """The clock does not run yet.

        Raises:
          ValueError: If `minutes` is not positive.
        """
        if not minutes > 0:
            raise ValueError(
                f"`minutes` must be positive, received {minutes}. Leave the limit out to have none."
            )
        self._minutes = minutes
        self._ends_at: float | None = None

    def begin(self, run: Run) -> None:
        """Starts the clock, or looks at it: an evaluation may have used up the time."""
        if self._ends_at is None:
            self._ends_at = time.monotonic() + 60 * self._minutes
        self._look(run)

    def after_run(self, run: Run, values: Mapping) -> None:
        """Looks at the clock."""
        self._look(run)

    def _look(self, run: Run) -> None:
        if time.monotonic() >= self._ends_at and run.stop_reason is None:
            run.request_stop(f"the time limit of {self._minutes:g} min is over")

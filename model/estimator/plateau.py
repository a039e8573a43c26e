"""A learning rate that falls where evaluations no longer improve."""

import dataclasses
from collections.abc import Mapping, Sequence

from model.estimator.checks import check_count
from model.estimator.evaluated_metric import check_direction, is_better, metric_value


@dataclasses.dataclass(frozen=True)
class ReduceOnPlateau:
    """Multiplies the learning rate by `factor` after some evaluations without improvement.

    A pure function of the history, so a resumed run has the rate that it would have had.

    Attributes:
      metric: A name in what `Estimator.evaluate` returns. NaN never improves.
      factor: In (0, 1).
      patience_evaluations: How many in a row must not be better than the best one before; counted
        anew after each reduction.
      min_scale: In (0, 1]; the product of the factors stops there.
      min_delta: An improvement is more than this.
      higher_is_better: False for an error; the loss requires it.

    Raises:
      ValueError: If a number is out of range, or a higher loss is called better.
    """

    metric: str
    factor: float = 0.5
    patience_evaluations: int = 2
    min_scale: float = 0.01
    min_delta: float = 1e-4  # Keras's.
    higher_is_better: bool = True

    def __post_init__(self):
        check_direction(self.metric, higher_is_better=self.higher_is_better)
        check_count("patience_evaluations", self.patience_evaluations)
        for name, is_right, range_ in (
            ("factor", 0 < self.factor < 1, "in (0, 1)"),
            ("min_scale", 0 < self.min_scale <= 1, "in (0, 1]"),
            ("min_delta", self.min_delta >= 0, "0 or more"),
        ):
            if not is_right:
                raise ValueError(
                    f"`{name}` must be {range_}, received {getattr(self, name)}. Leave it out for "
                    f"{type(self).__dataclass_fields__[name].default}."
                )

    def scale(self, rows: Sequence[Mapping]) -> float:
        """What to multiply the learning rate by, in [min_scale, 1].

        Args:
          rows: The evaluations so far (`history.rows`), oldest first.

        Raises:
          ValueError: If they lack the metric.
        """
        scale, best, waited = 1.0, None, 0
        for row in rows:
            value = metric_value(row, self.metric)
            if is_better(
                value, best, higher_is_better=self.higher_is_better, min_delta=self.min_delta
            ):
                best, waited = value, 0
                continue
            waited += 1
            if waited == self.patience_evaluations:
                scale, waited = max(scale * self.factor, self.min_scale), 0
        return scale

"""The best value of a metric so far, in a JSON file that outlives the process."""

import json
import os
import pathlib
from collections.abc import Mapping

from model.estimator.evaluated_metric import check_direction, is_better, metric_value


class BestRecord:
    """The file at `path`: `metric`, its best `value`, the `global_step` of that, and what is kept.

    Where it speaks of another metric than `metric`, there is no best value yet.

    Raises:
      ValueError: If a higher loss is called better.
    """

    def __init__(self, path: str | os.PathLike, metric: str, *, higher_is_better: bool):
        check_direction(metric, higher_is_better=higher_is_better)
        self._path = pathlib.Path(path)
        self._metric = metric
        self._higher_is_better = higher_is_better

    def is_beaten_by(self, evaluation: Mapping) -> bool:
        """Whether the metric is better in `evaluation`; an equal one is not, nor is a NaN.

        Raises:
          ValueError: If `evaluation` lacks the metric, or the file is damaged.
        """
        record = read_record(self._path)
        known = record is not None and record["metric"] == self._metric
        return is_better(
            metric_value(evaluation, self._metric),
            record["value"] if known else None,
            higher_is_better=self._higher_is_better,
        )

    def write(self, evaluation: Mapping, **kept: str) -> None:
        """Makes `evaluation` the best one, all at once; `kept` says what is kept of it."""
        record = {
            "metric": self._metric,
            "value": metric_value(evaluation, self._metric),
            "global_step": int(evaluation["global_step"]),
            **kept,
        }
        write_record(self._path, record)


def read_record(path: pathlib.Path) -> dict | None:
    """What the file at `path` says; None if there is none.

    Raises:
      ValueError: If it is damaged.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    try:
        record = json.loads(text)
        if isinstance(record["metric"], str) and isinstance(record["value"], float | int):
            return record
    except (ValueError, LookupError, TypeError):
        pass
    raise ValueError(
        f"{path} must name the best value of a metric, received {text[:60]!r}. Remove it to "
        "forget that value."
    )


def write_record(path: pathlib.Path, record: Mapping) -> None:
    """Writes the file at `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(record, indent=2) + "\n")
    os.replace(partial, path)

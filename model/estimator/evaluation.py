"""One pass over a dataset: exact means over its examples."""

import json
import os
import pathlib
import time
from collections.abc import Mapping

import tensorflow as tf

from model.estimator.input_data import num_examples, split
from model.estimator.program import Program
from model.estimator.training_log import log, metric_columns


def evaluate(program: Program, dataset: tf.data.Dataset, steps: int | None) -> dict[str, float]:
    """Evaluates the program as it stands.

    Args:
      program: Network and step.
      dataset: Batches of (features, labels); the last may be shorter.
      steps: Number of batches at most; None for all.

    Returns:
      `loss` and each metric, means over all examples; `global_step`; `n`, the number of examples.

    Raises:
      ValueError: If the dataset is empty.
    """
    started = time.monotonic()
    evaluate_step = program.evaluate_step(*split(dataset.element_spec))
    sums, n = None, 0
    for element in dataset if steps is None else dataset.take(steps):
        features, labels = split(element)
        batch_sums = evaluate_step(features, labels)
        sums = batch_sums if sums is None else {k: sums[k] + batch_sums[k] for k in sums}
        n += num_examples(features)
    if n == 0:
        raise ValueError(
            "`input_fn` must give at least one example to evaluate, received none. "
            "Look whether its files are there and not empty."
        )
    means = {name: float(total) / n for name, total in sums.items()}
    step = int(program.global_step)
    seconds = time.monotonic() - started
    columns = [f"eval  | step {step:6d}", *metric_columns(means), f"n {n}", f"{seconds:.1f} s"]
    log("%s", " | ".join(columns))
    return {**means, "global_step": step, "n": n}


def write_metrics(metrics: Mapping[str, float], folder: str | os.PathLike) -> None:
    """Writes `metrics.json` into `folder`, whole or not at all."""
    path = pathlib.Path(folder) / "metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(metrics, indent=2) + "\n")
    os.replace(partial, path)

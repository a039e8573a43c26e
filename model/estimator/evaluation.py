"""One pass over a dataset: exact means over its examples."""

import json
import os
import pathlib
import time
from collections.abc import Mapping, Sequence

import tensorflow as tf

from model.estimator.hooks import Hook, Run
from model.estimator.input_data import num_examples, split
from model.estimator.training_log import log, metric_columns


def evaluate(
    run: Run, dataset: tf.data.Dataset, steps: int | None, hooks: Sequence[Hook] = ()
) -> dict[str, float]:
    """Evaluates the program of `run` as it stands.

    Args:
      run: Of mode EVAL.
      dataset: Batches of (features, labels); the last may be shorter.
      steps: Number of batches at most; None for all.
      hooks: Run around each batch.

    Returns:
      `loss` and each metric, means over all examples; `global_step`; `n`, the number of examples.

    Raises:
      ValueError: If the dataset is empty.
    """
    started = time.monotonic()
    for hook in hooks:
        hook.begin(run)
    evaluate_step = run.program.evaluate_step(*split(dataset.element_spec))
    for hook in hooks:
        hook.after_create(run)
    sums, n = None, 0
    for element in dataset if steps is None else dataset.take(steps):
        features, labels = split(element)
        for hook in hooks:
            hook.before_run(run)
        batch_sums, predictions = evaluate_step(features, labels)
        size = num_examples(features)
        values = {"features": features, "labels": labels, "predictions": predictions}
        for hook in hooks:
            hook.after_run(run, {**values, "loss": batch_sums["loss"] / size})
        sums = batch_sums if sums is None else {k: sums[k] + batch_sums[k] for k in sums}
        n += size
    if n == 0:
        raise ValueError(
            "`input_fn` must give at least one example to evaluate, received none. "
            "Look whether its files are there and not empty."
        )
    means = {name: float(total) / n for name, total in sums.items()}
    seconds = time.monotonic() - started
    columns = [f"eval  | step {run.global_step:6d}", *metric_columns(means, run.chance)]
    log("%s", " | ".join([*columns, f"n {n}", f"{seconds:.1f} s"]))
    run.metrics = {**means, "global_step": run.global_step, "n": n}
    for hook in hooks:
        hook.end(run)
    return run.metrics


def write_metrics(metrics: Mapping[str, float], folder: str | os.PathLike) -> None:
    """Writes `metrics.json` into `folder`, whole or not at all."""
    path = pathlib.Path(folder) / "metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(metrics, indent=2) + "\n")
    os.replace(partial, path)

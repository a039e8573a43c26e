"""One pass over a dataset: exact means over its examples."""

import collections
import concurrent.futures
import json
import os
import pathlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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

    def batches():
        for element in dataset if steps is None else dataset.take(steps):
            for hook in hooks:
                hook.before_run(run)
            yield split(element)

    num_side_by_side = run.config.parts_side_by_side
    for features, labels, result in _evaluated(evaluate_step, batches(), num_side_by_side):
        batch_sums, predictions = result
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


def _evaluated(step: Callable, batches: Iterable[tuple], num_side_by_side: int) -> Iterator[tuple]:
    """(features, labels, what `step` gives for them) of each batch, in their order.

    Where ops have one thread each, as in a training with parts side by side, so many batches at the
    same time use the cores.
    """
    if num_side_by_side == 1:
        for features, labels in batches:
            yield features, labels, step(features, labels)
        return
    with concurrent.futures.ThreadPoolExecutor(num_side_by_side) as pool:
        begun = collections.deque()
        for features, labels in batches:
            begun.append((features, labels, pool.submit(step, features, labels)))
            if len(begun) == num_side_by_side:
                yield _finished(*begun.popleft())
        for one in begun:
            yield _finished(*one)


def _finished(features, labels, result: concurrent.futures.Future) -> tuple:
    return features, labels, result.result()


def write_metrics(metrics: Mapping[str, float], folder: str | os.PathLike) -> None:
    """Writes `metrics.json` into `folder`, whole or not at all."""
    path = pathlib.Path(folder) / "metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(metrics, indent=2) + "\n")
    os.replace(partial, path)

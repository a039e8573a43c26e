"""Training with evaluations in between, in one process and without reloading anything."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from model.estimator.checks import check_count
from model.estimator.estimator import Estimator


@dataclasses.dataclass(frozen=True)
class TrainSpec:
    """What to train on, and up to which global step; None: until the input ends.

    Raises:
      ValueError: If `max_steps` is no count.
    """

    input_fn: Callable[[], tf.data.Dataset]
    _: dataclasses.KW_ONLY
    max_steps: int | None = None

    def __post_init__(self):
        check_count("max_steps", self.max_steps)


@dataclasses.dataclass(frozen=True)
class EvalSpec:
    """What to evaluate on, and how often.

    Raises:
      ValueError: If `steps` or `every_steps` is no count.
    """

    input_fn: Callable[[], tf.data.Dataset]
    _: dataclasses.KW_ONLY
    steps: int | None = None  # Batches; None: all.
    name: str | None = None  # Results go to eval_<name>/; None: to eval/.
    every_steps: int | None = None  # Of training; None: at the end alone.

    def __post_init__(self):
        check_count("steps", self.steps)
        check_count("every_steps", self.every_steps)


def train_and_evaluate(
    estimator: Estimator, train_spec: TrainSpec, eval_spec: EvalSpec
) -> dict[str, float]:
    """Trains up to `train_spec.max_steps`, evaluating on the way and at the end.

    A run that was stopped goes on; one that is finished says so and is evaluated.

    Returns:
      The last evaluation, see `Estimator.evaluate`.
    """
    every_steps = eval_spec.every_steps
    while True:
        step = estimator.global_step
        # Evaluations fall on multiples, so that a resumed run has them where the first one would.
        pause_at = None if every_steps is None else (step // every_steps + 1) * every_steps
        estimator.train(train_spec.input_fn, max_steps=train_spec.max_steps, pause_at=pause_at)
        metrics = estimator.evaluate(eval_spec.input_fn, steps=eval_spec.steps, name=eval_spec.name)
        # Anywhere but at `pause_at`, training has ended: at `max_steps` or with its input.
        if metrics["global_step"] != pause_at or pause_at == train_spec.max_steps:
            return metrics

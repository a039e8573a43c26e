"""What several workers must agree on, since each waits for all others in every step."""

import contextlib
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import tensorflow as tf

from model.estimator import strategies
from model.estimator.hooks import Run
from model.estimator.stop_signals import StopSignals

if TYPE_CHECKING:
    from model.estimator.program import Program

_SIGNAL = 1000.0  # More than there are workers; counts those that were told to end.
# What a collective operation raises when a worker at its other end is gone.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
)


def sum_over_workers(program: "Program", value: float) -> float:
    """The sum of what each worker gives; all of them must call it. `value` itself if there is one.

    Raises:
      ConnectionError: If a worker is gone.
    """
    strategy = program.strategy
    if strategies.num_workers(strategy) == 1:
        return value
    replicas_here = strategy.num_replicas_in_sync // strategies.num_workers(strategy)
    with failures_in_one_line(program):
        return float(program.sum_over_replicas(tf.constant(value / replicas_here, tf.float64)))


def from_chief(program: "Program", value: float) -> float:
    """The chief's value, on every worker; all of them must call it."""
    return sum_over_workers(program, value if program.is_chief else 0.0)


def any_stops(run: Run, signals: StopSignals) -> bool:
    """Whether the training is to stop here; the same answer on every worker.

    Several workers ask each other at each log line only, as asking takes the time of a small step.
    """
    stops = run.stop_reason is not None
    if strategies.num_workers(run.program.strategy) == 1:
        return stops or signals.received is not None
    if run.global_step % run.config.log_step_count_steps:
        return False
    votes = sum_over_workers(run.program, _SIGNAL if signals.received is not None else float(stops))
    if votes >= _SIGNAL and signals.received is None:
        signals.received = signal.SIGTERM  # Ends like the worker that was told to.
    elif votes and not stops:
        run.request_stop("another worker asked to")
    return votes > 0


@contextlib.contextmanager
def failures_in_one_line(program: "Program") -> Iterator[None]:
    """Turns what TensorFlow raises when a worker is gone into one line.

    Raises:
      ConnectionError: In place of that.
    """
    try:
        yield
    except _LOST as error:
        if strategies.num_workers(program.strategy) == 1:
            raise
        raise ConnectionError(
            "all workers must answer each other, received none from at least one of them "
            f"({_reason(error)!r}). Start all of them again with "
            "the same command: they go on from the newest checkpoint."
        ) from error


def _reason(error: tf.errors.OpError) -> str:
    """What happened; around it stands where in the graph, and what each worker made of it."""
    said = str(error.message).strip().rpartition("Collective ops is aborted by:")[2]
    return said.strip().splitlines()[0][:200] if said.strip() else type(error).__name__

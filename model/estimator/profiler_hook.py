"""A profile of some steps of a training, on demand."""

import atexit
import os
import pathlib
import re

import tensorflow as tf
from absl import logging

from model.estimator.hooks import Hook, Run
from model.estimator.profile_summary import STEP_EVENT, write_summary


class ProfilerHook(Hook):
    """Profiles the steps after `start_step` up to `stop_step`, and says what took their time.

    Written to `<logdir>/plugins/profile/<time>/`: what TensorBoard's profile plugin shows
    (`.xplane.pb`), a trace for chrome://tracing and https://ui.perfetto.dev (`.trace.json.gz`), and
    a table of the costliest ops (`ops.txt`). Nothing is written before the profile ends: a killed
    run leaves none; one that fails within the range leaves the first of the three. If writing
    fails, the training goes on.

    A pause for an evaluation ends a profile, and the rest of the range becomes a second one. With
    `steps_per_loop` the range grows to whole loops. Only the chief profiles.

    Raises:
      ValueError: If the range is empty or begins before step 0.
    """

    def __init__(self, start_step: int, stop_step: int, logdir: str | os.PathLike | None = None):
        """Args are global steps; `logdir` is by default the run's `model_dir`."""
        if not 0 <= start_step < stop_step:
            raise ValueError(_rule(f"{start_step}:{stop_step}"))
        self._start_step = start_step
        self._stop_step = stop_step
        self._logdir = logdir
        self._is_profiling = False
        self._has_profiled = False
        self._has_warned = False
        self._folder: pathlib.Path | None = None
        self._first_step: int | None = None
        self._trace: tf.profiler.experimental.Trace | None = None

    def begin(self, run: Run) -> None:
        """Says so if no step will be profiled."""
        self._stop()  # An earlier training of this process may have failed within the range.
        if run.last_step is not None and run.last_step <= self._start_step:
            self._warn(f"begins at or after the last step, {run.last_step}")
        elif run.global_step >= self._stop_step and not self._has_profiled:
            self._warn(f"is over: the training goes on from step {run.global_step}")

    def before_run(self, run: Run) -> None:
        """Starts the profiler at the beginning of the range, and the trace of a step within it."""
        if not run.is_chief or not self._start_step <= run.global_step < self._stop_step:
            return
        if not self._is_profiling:
            self._start(run)
        self._trace = tf.profiler.experimental.Trace(STEP_EVENT, step_num=run.global_step + 1, _r=1)
        self._trace.__enter__()

    def after_run(self, run: Run, values) -> None:
        """Stops the profiler at the end of the range."""
        if not self._is_profiling:
            return
        if run.global_step >= self._stop_step:
            values["loss"].numpy()  # Waits for a device that is still at it.
        self._leave_step()
        if run.global_step >= self._stop_step:
            self._finish(run)

    def end(self, run: Run) -> None:
        """Ends a profile whose range is not over, or says that none has begun."""
        if self._is_profiling:
            self._finish(run)
            return
        is_over = run.stop_reason is not None or run.last_step is None
        if is_over and not self._has_profiled and run.global_step <= self._start_step:
            self._warn(f"was not reached by step {run.global_step}")

    def _start(self, run: Run) -> None:
        logdir = run.model_dir if self._logdir is None else pathlib.Path(self._logdir)
        self._folder = logdir / "plugins" / "profile"
        self._first_step = run.global_step
        tf.profiler.experimental.start(str(logdir))
        self._is_profiling = self._has_profiled = True
        # After an error nobody calls `end`.
        atexit.register(self._stop)

    def _finish(self, run: Run) -> None:
        num_steps = run.global_step - self._first_step
        try:
            self._stop()
            logging.info("profile | steps %d to %d", self._first_step + 1, run.global_step)
            write_summary(max(self._folder.iterdir()), num_steps)  # Named by their times.
        except (OSError, ValueError, tf.errors.OpError) as error:
            logging.warning("profile | not written: %s", error)

    def _stop(self) -> None:
        if not self._is_profiling:
            return
        self._is_profiling = False
        atexit.unregister(self._stop)
        self._leave_step()
        tf.profiler.experimental.stop()

    def _leave_step(self) -> None:
        if self._trace is not None:
            self._trace.__exit__(None, None, None)
            self._trace = None

    def _warn(self, why: str) -> None:
        if self._has_warned:
            return  # Every pause for an evaluation is followed by a `begin`.
        self._has_warned = True
        logging.warning(
            "profile | nothing: the range %d:%d %s. Give another.",
            self._start_step,
            self._stop_step,
            why,
        )


def parse_profile(text: str) -> tuple[int, int]:
    """The steps in "100:110": where a profile starts and where it stops.

    Raises:
      ValueError: If `text` is not of this form, or the range is empty.
    """
    match = re.fullmatch(r"(\d+):(\d+)", text, re.ASCII)
    if match is None or int(match[1]) >= int(match[2]):
        raise ValueError(_rule(text))
    return int(match[1]), int(match[2])


def _rule(received: str) -> str:
    return (
        "steps to profile must be START:STOP, two whole numbers and the first one smaller, "
        f"received {received!r}. 100:110 profiles the ten steps after step 100."
    )

"""The hooks that every training runs: finite numbers, log lines, summaries; and a last step."""

import math

import numpy as np
from absl import logging

from model.estimator import history
from model.estimator.checks import check_count
from model.estimator.hooks import Hook, Run
from model.estimator.tf_variables import tf_variable
from model.estimator.training_log import Window, log, training_line


class NotFiniteError(ValueError):
    """A loss or a weight is NaN or infinite."""


class NanHook(Hook):
    """Ends the training as soon as a loss is seen that is no finite number.

    It looks every `every_steps`, as looking waits for the step, and before each checkpoint.
    """

    def __init__(self, every_steps: int = 100, *, fail_on_nan_loss: bool = True):
        """Without `fail_on_nan_loss` training stops instead of raising; nothing more is saved."""
        check_count("every_steps", every_steps)
        self.every_steps = every_steps
        self._fails = fail_on_nan_loss
        self._losses = []

    def after_run(self, run: Run, values) -> None:
        """Looks at the losses since it looked last.

        Raises:
          NotFiniteError: If one is not finite.
        """
        self._losses.append(values["loss"])
        if run.global_step % self.every_steps == 0:
            self.check(run)

    def end(self, run: Run) -> None:
        """Looks before any other hook hears of the end."""
        self.check(run)

    def check(self, run: Run) -> bool:
        """Whether the losses since the last look, and all weights, are finite.

        Raises:
          NotFiniteError: If not, and it is to fail.
        """
        values = [float(np.sum(loss)) for loss in self._losses]
        self._losses = []
        # The sum of finite weights is finite, and a NaN or an infinity in it stays.
        values += [
            float(np.sum(tf_variable(variable).numpy(), dtype=np.float64))
            for variable in run.net.trainable_variables
        ]
        wrong = [value for value in values if not math.isfinite(value)]
        if not wrong:
            return True
        if not self._fails:
            run.request_stop(f"loss or weights are no longer finite: {wrong[0]}")
            return False
        raise NotFiniteError(
            f"loss and weights must stay finite, received {wrong[0]} by step {run.global_step}. "
            "Lower the learning rate, or look for bad values in the input; the newest checkpoint "
            f"of {run.model_dir} is from before."
        )


class _WindowHook(Hook):
    """Collects what steps return and calls `_tell` every `every_steps`."""

    def __init__(self, every_steps: int = 100):
        check_count("every_steps", every_steps)
        self.every_steps = every_steps
        self._window = Window()

    def after_create(self, run: Run) -> None:
        """Time counts from here."""
        self._window.time_by(run.clock)

    def after_run(self, run: Run, values) -> None:
        """Tells when it is time to."""
        self._window.add(values)
        if run.global_step % self.every_steps == 0:
            self._tell(run)
            self._window.clear()

    def _tell(self, run: Run) -> None:
        raise NotImplementedError


class LoggingHook(_WindowHook):
    """A line every `every_steps`: means since the last one beside chance, rate, time left."""

    def end(self, run: Run) -> None:
        """Logs the steps that have had no line yet."""
        if self._window:
            self._tell(run)
            self._window.clear()

    def _tell(self, run: Run) -> None:
        scalars = self._window.scalars()
        seconds_a_step = self._window.seconds_a_step()
        line = training_line(run.global_step, run.last_step, scalars, seconds_a_step, run.chance)
        log("%s", line)


class SummaryHook(_WindowHook):
    """Means over `every_steps` to TensorBoard and to `history.jsonl`."""

    name = "summary"

    def state(self) -> dict:
        """The steps since the last summary: the next one is over them too."""
        return self._window.state()

    def set_state(self, state: dict) -> None:
        """Goes on from there."""
        self._window.set_state(state)

    def _tell(self, run: Run) -> None:
        if run.is_chief:
            scalars = self._window.scalars()
            run.summaries.write(run.model_dir, scalars, run.global_step)
            history.append(run.model_dir, "train", {"global_step": run.global_step, **scalars})


class StopAtStepHook(Hook):
    """Stops after `num_steps` more, or at `last_step`; give one of both.

    Raises:
      ValueError: If none or both are given, or one is no count.
    """

    def __init__(self, num_steps: int | None = None, last_step: int | None = None):
        if (num_steps is None) == (last_step is None):
            raise ValueError(
                "one of `num_steps` and `last_step` must be given, received "
                f"{num_steps} and {last_step}. The first adds to the global step."
            )
        check_count("num_steps", num_steps)
        check_count("last_step", last_step)
        self._num_steps = num_steps
        self._last_step = last_step

    def begin(self, run: Run) -> None:
        """Fixes the step to stop at."""
        if self._num_steps is not None:
            self._last_step = run.global_step + self._num_steps
        # No compiled loop runs past it.
        self.every_steps = self._last_step

    def after_run(self, run: Run, values) -> None:
        """Stops there."""
        if run.global_step >= self._last_step:
            logging.debug("stop  | step %6d | StopAtStepHook", run.global_step)
            run.request_stop(f"step {self._last_step} is reached")

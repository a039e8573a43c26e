"""The loop over training steps: what happens between two of them, and when."""

import math
import os
import time

import numpy as np

from model.estimator.checkpoints import latest_checkpoint, save_checkpoint
from model.estimator.input_data import TrainingInput, num_examples
from model.estimator.interrupt import DeferredInterrupt
from model.estimator.program import Program, tf_variable
from model.estimator.run_config import RunConfig
from model.estimator.summaries import Summaries
from model.estimator.training_log import StatusBar, Window, log, training_line


class TrainingLoop:
    """Trains `program` on `training_input`, with logs, summaries and checkpoints in `model_dir`."""

    def __init__(
        self,
        program: Program,
        training_input: TrainingInput,
        summaries: Summaries,
        config: RunConfig,
        model_dir: str | os.PathLike,
    ):
        self._program = program
        self._input = training_input
        self._summaries = summaries
        self._config = config
        self._model_dir = model_dir
        self._step = int(program.global_step)
        self._log_window = Window()
        self._summary_window = Window()
        self._saved_step = self._step if latest_checkpoint(model_dir) else None
        self._saved_at = time.monotonic()

    def run(self, stop_at: int | None, last_step: int | None) -> str:
        """Trains up to step `stop_at` or to the end of the input, and saves.

        Args:
          stop_at: Global step; None for no limit.
          last_step: What the log lines count to, and the time left with them.

        Returns:
          The path of the checkpoint saved last; the program is at it.

        Raises:
          ValueError: If loss or weights are no longer finite.
          KeyboardInterrupt: On Ctrl-C, after a checkpoint.
        """
        # Traced before anything is saved or timed: a mistake in `model_fn` leaves nothing behind.
        train_step = self._program.train_step(*self._input.specs)
        # A checkpoint before the first step, as tf.estimator had it: a folder that cannot be
        # written to shows now and not after ten minutes.
        if self._saved_step is None:
            self._save()
        self._log_window.clear()
        self._summary_window.clear()
        with DeferredInterrupt() as interrupt, StatusBar(self._step, last_step) as bar:
            while (stop_at is None or self._step < stop_at) and not interrupt.received:
                batch = self._input.take()
                if batch is None:
                    log("train | step %6d | the input has ended, and training with it", self._step)
                    break
                values = train_step(*batch)
                self._step += 1
                for window in (self._log_window, self._summary_window):
                    window.add(values, num_examples(batch[0]))
                bar.update()
                if self._step % self._config.log_step_count_steps == 0:
                    self._log(last_step)
                if self._step % self._config.save_summary_steps == 0:
                    self._summarise()
                if self._is_time_to_save():
                    self._save()
            if self._log_window:
                self._log(last_step)
            if self._step != self._saved_step:
                self._save()
            if interrupt.received:
                log("train | step %6d | interrupted, saved; run again to go on", self._step)
                raise KeyboardInterrupt
        return latest_checkpoint(self._model_dir)

    def _is_time_to_save(self) -> bool:
        if self._config.save_checkpoints_steps is not None:
            return self._step % self._config.save_checkpoints_steps == 0
        return time.monotonic() - self._saved_at >= self._config.save_checkpoints_secs

    def _log(self, last_step: int | None) -> None:
        scalars = self._log_window.scalars()
        self._check_finite(scalars["loss"])
        seconds_a_step = self._log_window.seconds_a_step()
        log("%s", training_line(self._step, last_step, scalars, seconds_a_step))
        self._log_window.clear()

    def _summarise(self) -> None:
        self._summaries.write(self._model_dir, self._summary_window.scalars(), self._step)
        self._summary_window.clear()

    def _save(self) -> None:
        """Saves unless the loss since the last log line, or a weight, is not finite."""
        started = time.monotonic()
        if self._log_window:
            self._check_finite(self._log_window.scalars()["loss"])
        for variable in self._program.net.trainable_variables:
            # The sum of finite weights is finite, and a NaN or an infinity in it stays.
            self._check_finite(float(np.sum(tf_variable(variable).numpy(), dtype=np.float64)))
        path = save_checkpoint(
            self._program, self._input, self._model_dir, self._config.keep_checkpoint_max
        )
        self._saved_step = self._step
        self._saved_at = time.monotonic()
        seconds = self._saved_at - started
        for window in (self._log_window, self._summary_window):
            window.leave_out(seconds)
        log("save  | step %6d | %s | %.1f s", self._step, path, seconds)

    def _check_finite(self, value: float) -> None:
        if not math.isfinite(value):
            raise ValueError(
                f"loss and weights must stay finite, received {value} by step {self._step}. Lower "
                "the learning rate, or look for bad values in the input; "
                f"{latest_checkpoint(self._model_dir)} is from before."
            )

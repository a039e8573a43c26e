"""The hook that saves: every so many steps or seconds, and when a training begins and ends."""

import time
from collections.abc import Sequence

from model.estimator.basic_hooks import NanHook
from model.estimator.checkpoints import latest_checkpoint, save_checkpoint
from model.estimator.hooks import Hook, Run, SavingListener
from model.estimator.input_data import TrainingInput
from model.estimator.training_log import log


class CheckpointHook(Hook):
    """Writes `ckpt-<step>` into the model_dir; listeners run around it."""

    def __init__(
        self,
        training_input: TrainingInput,
        nan_hook: NanHook,
        hooks: Sequence[Hook],
        listeners: Sequence[SavingListener],
    ):
        """`nan_hook` is asked before each checkpoint; `hooks` have states to be saved."""
        self._input = training_input
        self._nan_hook = nan_hook
        self._hooks = hooks
        self._listeners = listeners
        self.saved_step: int | None = None

    def begin(self, run: Run) -> None:
        """Saves before the first step, as tf.estimator did.

        A folder that cannot be written to shows now and not after ten minutes.
        """
        self.every_steps = run.config.save_checkpoints_steps
        if latest_checkpoint(run.model_dir):
            self.saved_step = run.global_step
        self._saved_at = time.monotonic()
        for listener in self._listeners:
            listener.begin(run)

    def after_create(self, run: Run) -> None:
        """A mistake in `model_fn` has shown by now, and left nothing behind."""
        if self.saved_step is None:
            self.save(run)

    def after_run(self, run: Run, values) -> None:
        """Saves when it is time to."""
        if self.every_steps is not None:
            is_time = run.global_step % self.every_steps == 0
        else:
            is_time = time.monotonic() - self._saved_at >= run.config.save_checkpoints_secs
        if is_time:
            self.save(run)

    @property
    def hook_states(self) -> dict[str, dict]:
        """The states of those hooks that have a name, by it."""
        return {hook.name: hook.state() for hook in self._hooks if hook.name is not None}

    def end(self, run: Run) -> None:
        """Saves what has not been saved."""
        if run.global_step != self.saved_step:
            self.save(run)
        for listener in self._listeners:
            listener.end(run)

    def save(self, run: Run) -> None:
        """Saves unless a loss since the last log line, or a weight, is not finite.

        Raises:
          ValueError: If one is not.
          OSError: If the checkpoint cannot be written.
        """
        started = time.monotonic()
        if self._nan_hook.check(run):
            for listener in self._listeners:
                listener.before_save(run)
            self._write(run, started)
        self._saved_at = time.monotonic()
        self.saved_step = run.global_step
        run.seconds_besides += self._saved_at - started

    def _write(self, run: Run, started: float) -> None:
        if not run.is_chief:
            return
        path = save_checkpoint(
            run.program,
            self._input,
            run.model_dir,
            run.config.keep_checkpoint_max,
            self.hook_states,
        )
        log("save  | step %6d | %s | %.1f s", run.global_step, path, time.monotonic() - started)
        for listener in self._listeners:
            listener.after_save(run, path)

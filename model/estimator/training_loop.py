"""The loop over training steps, and the hooks that run between them."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from model.estimator import workers
from model.estimator.basic_hooks import LoggingHook, NanHook, SummaryHook
from model.estimator.checkpoint_hook import CheckpointHook
from model.estimator.hooks import Hook, Run, SavingListener
from model.estimator.input_data import TrainingInput, num_examples
from model.estimator.stop_signals import StopSignals
from model.estimator.training_log import StatusBar, log


class TrainingLoop:
    """Trains the program of `run` on `training_input`."""

    def __init__(
        self,
        run: Run,
        training_input: TrainingInput,
        hooks: Sequence[Hook],
        saving_listeners: Sequence[SavingListener],
        hook_states: Mapping[str, dict],
    ):
        """`hook_states` are those of the checkpoint that the run goes on from."""
        self._run = run
        self._input = training_input
        self._ended = False
        config = run.config
        nan_hook = NanHook(config.log_step_count_steps)
        summary_hook = SummaryHook(config.save_summary_steps)
        logging_hook = LoggingHook(config.log_step_count_steps)
        with_state = [summary_hook, *hooks]
        self._checkpoints = CheckpointHook(training_input, nan_hook, with_state, saving_listeners)
        if run.is_chief:
            hooks = [logging_hook, summary_hook, *hooks]
        # The checkpoint last, so that it has all that the others know.
        self._hooks = [nan_hook, *hooks, self._checkpoints]
        for hook in with_state:
            if hook.name in hook_states:
                hook.set_state(hook_states[hook.name])

    def run(self, stop_at: int | None) -> bool:
        """Trains up to step `stop_at` or to the end of the input, and saves.

        Args:
          stop_at: Global step; None for no limit.

        Returns:
          Whether it was there, or the input at its end: false if a hook asked to stop.

        Raises:
          ValueError: If loss or weights are no longer finite.
          OSError: If a checkpoint cannot be written, or another worker is gone.
          KeyboardInterrupt: On Ctrl-C, after a checkpoint. SIGTERM does what it did before, after
            a checkpoint.
        """
        run = self._run
        for hook in self._hooks:
            hook.begin(run)
        step = run.program.train_step.trace(*self._input.specs)
        for hook in self._hooks:
            hook.after_create(run)
        with StopSignals() as signals, StatusBar(run.global_step, run.last_step) as bar:
            with workers.failures_in_one_line(run.program):
                while not self._is_over(stop_at, signals):
                    for hook in self._hooks:
                        hook.before_run(run)
                    values = self._take_steps(step, self._num_steps(stop_at))
                    if values is None:
                        break
                    num_steps = values["loss"].shape[0]
                    run.global_step += num_steps
                    bar.update(num_steps)
                    for hook in self._hooks:
                        hook.after_run(run, values)
            for hook in self._hooks:
                hook.end(run)
            if signals.received is not None:
                name = signals.received.name
                log("train | step %6d | %s, saved; run again to go on", run.global_step, name)
                signals.act()
        if run.stop_reason is not None:
            log("train | step %6d | stopped: %s", run.global_step, run.stop_reason)
        return run.stop_reason is None

    def _is_over(self, stop_at: int | None, signals: StopSignals) -> bool:
        run = self._run
        if stop_at is not None and run.global_step >= stop_at:
            return True
        if self._ended:
            self._say_that_input_ended()
            return True
        # Several workers do the same number of steps, so they must agree to stop.
        return workers.any_stops(run, signals)

    def _num_steps(self, stop_at: int | None) -> int:
        """How many steps may run before somebody has something to do."""
        step = self._run.global_step
        periods = [hook.every_steps for hook in self._hooks if hook.every_steps is not None]
        to_go = [period - step % period for period in periods]
        if stop_at is not None:
            to_go.append(stop_at - step)
        return min([self._run.config.steps_per_loop, *to_go])

    def _take_steps(self, step, num_steps: int) -> dict[str, tf.Tensor] | None:
        """Values `[k]` of up to `num_steps`; None if the input was at its end."""
        if self._run.config.steps_per_loop > 1 and not self._input.may_restart:
            values, self._ended = self._run.program.train_step.run_several(
                self._input.iterator, num_steps
            )
            if values["loss"].shape[0]:
                return values
            batch = None
        else:
            batch = self._input.take()
        if batch is None:
            self._say_that_input_ended()
            return None
        self._run.program.train_step.check(num_examples(batch[0]))
        return step(*batch)

    def _say_that_input_ended(self) -> None:
        log("train | step %6d | the input has ended, and training with it", self._run.global_step)

    @property
    def hook_states(self) -> dict[str, dict]:
        """What the hooks want to be told when the training goes on from here, by name."""
        return self._checkpoints.hook_states

    @property
    def saved_step(self) -> int:
        """The step of the checkpoint saved last."""
        return self._checkpoints.saved_step

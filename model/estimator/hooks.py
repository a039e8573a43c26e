"""Hooks: code of others that runs between the steps of a training, or the batches of an evaluation.

The five methods are those of `tf.estimator`'s SessionRunHook. There is no session any more, so a
hook asks for nothing before a step: what a step returns is handed to `after_run`.
"""

import pathlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from model.estimator.run_config import RunConfig
from model.estimator.summaries import Summaries

if TYPE_CHECKING:
    from model.estimator.program import Program


class Run:
    """One training or one evaluation, as its hooks see it.

    Attributes:
      mode: `ModeKeys.TRAIN` or `ModeKeys.EVAL`.
      program: Network, optimizer and compiled steps.
      config: The Estimator's.
      summaries: Writers of TensorBoard's events.
      model_dir: Folder of the checkpoints.
      eval_dir: Folder of this evaluation's results; None in a training.
      global_step: Steps done.
      last_step: Where the whole run ends; None if it is not known.
      metrics: What `evaluate` returns; None before the evaluation's `end`, and in a training.
      stop_reason: What `request_stop` was told; None if nobody asked.
      seconds_besides: Time that no step took, such as that of writing checkpoints.
    """

    def __init__(
        self,
        *,
        mode: str,
        program: "Program",
        config: RunConfig,
        summaries: Summaries,
        model_dir: pathlib.Path,
        eval_dir: pathlib.Path | None = None,
        last_step: int | None = None,
    ):
        self.mode = mode
        self.program = program
        self.config = config
        self.summaries = summaries
        self.model_dir = model_dir
        self.eval_dir = eval_dir
        self.global_step = int(program.global_step)
        self.last_step = last_step
        self.metrics: dict[str, float] | None = None
        self.stop_reason: str | None = None
        self.seconds_besides = 0.0

    @property
    def net(self):
        """The network."""
        return self.program.net

    @property
    def optimizer(self):
        """The optimizer; building it needs `optimizer_fn`."""
        return self.program.optimizer

    @property
    def chance(self) -> Mapping[str, float]:
        """What guessing gives, by metric (`EstimatorSpec.chance`); empty before a trace."""
        return self.program.chance

    @property
    def is_chief(self) -> bool:
        """Whether this process writes files: false for all workers but one."""
        return self.program.is_chief

    def clock(self) -> float:
        """Seconds, for rates: stands still during `seconds_besides`."""
        return time.monotonic() - self.seconds_besides

    def request_stop(self, reason: str) -> None:
        """Ends the training after the step in progress; it is saved, and can go on later."""
        self.stop_reason = reason


class Hook:
    """Does nothing. Override what is needed.

    Attributes:
      every_steps: If a hook sets it, no compiled loop of several steps (`steps_per_loop`) runs
        past a multiple of it, so that `after_run` sees each of them.
      name: If a hook sets it, what its `state` returns is part of each checkpoint under that name.
    """

    every_steps: int | None = None
    name: str | None = None

    def begin(self, run: Run) -> None:
        """Before anything is traced."""

    def after_create(self, run: Run) -> None:
        """The network has the checkpoint's weights, and the step is traced."""

    def before_run(self, run: Run) -> None:
        """Before a compiled step, or loop of steps."""

    def after_run(self, run: Run, values: Mapping) -> None:
        """After it; `run.global_step` counts it already.

        Args:
          run: The run.
          values: In a training float32 `[k]` by name for the k steps that ran (1 unless
            `steps_per_loop` is more): `loss`, the train metrics, `learning_rate`, `gradient_norm`
            and `num_examples`. In an evaluation `features`, `labels`, `predictions` (a mapping)
            and `loss` (scalar) of one batch. Turning a tensor into a number waits for the step.
        """

    def end(self, run: Run) -> None:
        """After the last step, before it is saved; not after an error."""

    def state(self) -> dict:
        """What the hook must remember for a resumed run to be as an uninterrupted one; JSON."""
        return {}

    def set_state(self, state: dict) -> None:
        """What `state` returned when the checkpoint that this run begins at was saved."""


class SavingListener:
    """Runs around each checkpoint of a training (`tf.estimator`'s CheckpointSaverListener)."""

    def begin(self, run: Run) -> None:
        """Before the first step."""

    def before_save(self, run: Run) -> None:
        """Before a checkpoint is written."""

    def after_save(self, run: Run, path: str) -> None:
        """After the checkpoint `path`, given without suffix, was written."""

    def end(self, run: Run) -> None:
        """After the last checkpoint."""

"""A recipe that is shortened to the minutes there are, on whatever machine it is.

How long a step takes differs by five between processors that all have two cores. So the first steps
are watched, and if all of `max_steps` would take longer than the budget, the training begins again
with fewer, from the same weights and the same captchas. The number is kept in `flags.txt`: the run
is one of so many steps, which can be had again on every machine.
"""

import dataclasses

import numpy as np
from absl import logging

from model.estimator import Hook, Run, latest_checkpoint
from model.estimator.checkpoints import step_of
from training.config import TrainConfig
from training.prepare import saved_steps

_FIRST, _LAST = 10, 30  # Steps that are watched. Those before trace, and fill the input's buffers.
# Of the budget: the rest is for log lines, summaries and checkpoints, and as later steps can take a
# tenth longer than the first ones.
_USED = 0.9
# What reading a candidate takes, as a part of training on one: 0.19 to 0.25, by what a processor
# is good at (BUILD_NOTES.md, "Budgets").
_READING = 0.235


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepSeconds:
    """What a step takes on this machine, in seconds."""

    plain: float
    chosen: float  # With candidates; the same as `plain` if there are none.


class OverBudgetError(Exception):
    """All steps take longer than there is time.

    Attributes:
      step: What one takes, a `StepSeconds`.
    """

    def __init__(self, step: StepSeconds):
        super().__init__(step)
        self.step = step


class BudgetHook(Hook):
    """Ends a training after its first 30 steps if all of them would take longer than the budget."""

    def __init__(self, config: TrainConfig):
        """Without a budget it watches nothing."""
        self._config = config
        self._seconds = 60 * config.budget_minutes
        self._is_watching = config.budget_minutes > 0
        self._seen = []  # Pairs of steps done and seconds.

    def after_run(self, run: Run, values) -> None:
        """Looks at the clock.

        Raises:
          OverBudgetError: At that step.
        """
        if not self._is_watching or run.global_step < _FIRST:
            return
        float(np.sum(values["loss"]))  # Waits for the step, which a GPU may still be at.
        self._seen.append((run.global_step, run.clock()))
        if run.global_step < _LAST or len(self._seen) < 2:
            return
        self._is_watching = False
        steps, seconds = np.diff(self._seen, axis=0).T  # Of several steps at once, where they are.
        step = step_seconds(self._config, float(np.median(seconds / steps)))
        if total_seconds(self._config, step) > self._seconds:
            raise OverBudgetError(step)


def with_budget(config: TrainConfig) -> TrainConfig:
    """The config with a budget only where it can be held.

    A run that goes on keeps the number of steps it began with. Workers take all steps, as they have
    to agree.
    """
    if not config.budget_minutes:
        return config
    whole = dataclasses.replace(config, budget_minutes=0.0)
    if config.strategy == "multi_worker":
        logging.warning("budget | workers take all %d steps, however long", config.max_steps)
        return whole
    newest = latest_checkpoint(config.model_dir)
    if newest is None or step_of(newest) < _LAST:  # It was never watched to the end.
        return config
    begun = dataclasses.replace(whole, **saved_steps(config.model_dir))
    if begun.max_steps != whole.max_steps:
        logging.info(
            "budget | goes on to step %d, as it began; --budget_minutes=0 goes on to %d",
            begun.max_steps,
            whole.max_steps,
        )
    return begun


def within_budget(config: TrainConfig, step: StepSeconds) -> TrainConfig:
    """The config with as many steps as there is time for, and no budget; says so in the log."""
    shortened = shorten(config, step, 60 * config.budget_minutes)
    logging.info(
        "budget | %.0f ms a step%s: begins again with %d of %d steps, for %g minutes; "
        "--budget_minutes=0 takes them all",
        1000 * step.plain,
        f", {1000 * step.chosen:.0f} with candidates" if config.candidates > 1 else "",
        shortened.max_steps,
        config.max_steps,
        config.budget_minutes,
    )
    return dataclasses.replace(shortened, budget_minutes=0.0)


def shorten(config: TrainConfig, step: StepSeconds, seconds: float) -> TrainConfig:
    """As many steps as so many seconds allow, but not fewer than were watched.

    Those before `candidates_from_step` come first, as each of them teaches more in its time.
    Smoothed labels end after the same part of all steps as before.
    """
    left = _USED * seconds
    num_plain = _num_plain(config)
    if num_plain * step.plain >= left:
        max_steps = left / step.plain
    else:
        max_steps = num_plain + (left - num_plain * step.plain) / step.chosen
    max_steps = min(config.max_steps, max(_LAST, int(max_steps)))
    smoothed_until = config.label_smoothing_until_step
    if smoothed_until is not None:
        smoothed_until = max(1, round(smoothed_until * max_steps / config.max_steps))
    return dataclasses.replace(
        config, max_steps=max_steps, label_smoothing_until_step=smoothed_until
    )


def step_seconds(config: TrainConfig, seconds: float) -> StepSeconds:
    """Steps with and without candidates, from what one of the first ones took."""
    factor = 1.0 if config.candidates == 1 else 1 + _READING * config.candidates
    if config.candidates_from_step < _FIRST:
        return StepSeconds(plain=seconds / factor, chosen=seconds)
    return StepSeconds(plain=seconds, chosen=seconds * factor)


def total_seconds(config: TrainConfig, step: StepSeconds) -> float:
    """What all steps of a config take."""
    num_plain = _num_plain(config)
    return num_plain * step.plain + (config.max_steps - num_plain) * step.chosen


def _num_plain(config: TrainConfig) -> int:
    """How many steps are without candidates."""
    if config.candidates == 1:
        return config.max_steps
    return min(config.candidates_from_step, config.max_steps)

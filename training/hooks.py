"""The hooks of a training run: what warns, what TensorBoard shows, what stops it."""

import dataclasses

from model.board import BoardHook
from model.dead_units import DeadUnitsWarning
from model.estimator import GraphHook, HistogramHook, Hook, ProfilerHook, TimeLimitHook
from model.estimator.profiler_hook import parse_profile
from model.learning_warnings import GapWarning, GradientWarning, StuckWarning
from report.collector import Collector
from training.config import TrainConfig
from training.data import input_fns
from training.prepare import describe


@dataclasses.dataclass(frozen=True)
class RunHooks:
    """Hooks between steps, hooks of each evaluation, and the one of these that the report needs."""

    training: list[Hook]
    evaluation: list[Hook]
    collector: Collector


def run_hooks(config: TrainConfig, dataset) -> RunHooks:
    """All that `config` asks for.

    Raises:
      ValueError: If `profile` is no range of steps.
    """
    _, test_input_fn = input_fns(config)
    gap = GapWarning()  # It compares both, so it is in both.
    collector = Collector()
    training = [
        # A long warm-up leaves chance later.
        StuckWarning(from_step=max(1000, config.warmup_steps + 700)),
        GradientWarning(),
        DeadUnitsWarning(test_input_fn),
        gap,
        GraphHook(),
        HistogramHook(),
    ]
    if config.max_minutes is not None:
        training.append(TimeLimitHook(config.max_minutes))
    if config.profile is not None:
        # The first, so that a step in it does not count what the other hooks do.
        training.insert(0, ProfilerHook(*parse_profile(config.profile)))
    board = BoardHook(describe(config, dataset))
    return RunHooks(training, [gap, collector, board], collector)

"""Training with evaluations in between, in one process and without reloading anything.

What an evaluation leads to (exports, the best checkpoint) is done before it becomes a row of the
history, and can be done again. So a run that is killed anywhere and started again finds the first
checkpoint that is due and has no row, and goes on from there; what it decides, it decides by rows.
"""

import dataclasses
from collections.abc import Callable, Sequence

import tensorflow as tf

from model.estimator import checkpoints, history
from model.estimator.best_checkpoint import KeepBest
from model.estimator.checks import check_count, check_kind
from model.estimator.estimator import Estimator
from model.estimator.exporters import Exporter
from model.estimator.hooks import Hook, SavingListener
from model.estimator.plateau import ReduceOnPlateau
from model.estimator.stop_rules import StopRule
from model.estimator.training_log import log


@dataclasses.dataclass(frozen=True)
class TrainSpec:
    """What to train on, and up to which global step; None: until the input ends.

    Raises:
      ValueError: If `max_steps` is no count, or a hook or listener is none.
    """

    input_fn: Callable[[], tf.data.Dataset]
    _: dataclasses.KW_ONLY
    max_steps: int | None = None
    hooks: Sequence[Hook] = ()
    saving_listeners: Sequence[SavingListener] = ()

    def __post_init__(self):
        check_count("max_steps", self.max_steps)
        check_kind(Hook, self.hooks)
        check_kind(SavingListener, self.saving_listeners)


@dataclasses.dataclass(frozen=True)
class EvalSpec:
    """What to evaluate on, how often, and what follows from it.

    Raises:
      ValueError: If `steps` or `every_steps` is no count, a hook or an exporter is none, or two
        exporters have one name.
    """

    input_fn: Callable[[], tf.data.Dataset]
    _: dataclasses.KW_ONLY
    steps: int | None = None  # Batches; None: all.
    name: str | None = None  # Results go to eval_<name>/; None: to eval/.
    every_steps: int | None = None  # Of training; None: at the end alone.
    hooks: Sequence[Hook] = ()
    exporters: Sequence[Exporter] = ()
    stop_rules: Sequence[StopRule] = ()  # The first one that has a reason ends the training.
    keep_best: KeepBest | None = None
    learning_rate_rule: ReduceOnPlateau | None = None  # The rate must be a `ScaledSchedule`.

    def __post_init__(self):
        check_count("steps", self.steps)
        check_count("every_steps", self.every_steps)
        check_kind(Hook, self.hooks)
        check_kind(Exporter, self.exporters)
        names = [exporter.name for exporter in self.exporters]
        if len(set(names)) < len(names):
            raise ValueError(
                f"`exporters` must have names of their own, received {', '.join(names)}. Each name "
                "is a folder: choose others."
            )


def train_and_evaluate(
    estimator: Estimator, train_spec: TrainSpec, eval_spec: EvalSpec
) -> dict[str, float]:
    """Trains up to `train_spec.max_steps`, evaluating on the way and at the end.

    A run that was stopped or killed goes on, and ends with the same files as one that was not; an
    evaluation that it missed comes first. A finished run says so, and evaluates and exports nothing
    twice.

    Returns:
      The last evaluation, see `Estimator.evaluate`; empty on workers other than the chief.

    Raises:
      ValueError: As `Estimator.train` and `Estimator.evaluate` do, or if a rule or an exporter
        names a metric that is not evaluated; it lists those there are.
    """
    return _Turns(estimator, train_spec, eval_spec).run()


class _Turns:
    """One call of `train_and_evaluate`."""

    def __init__(self, estimator: Estimator, train_spec: TrainSpec, eval_spec: EvalSpec):
        self._estimator = estimator
        self._train_spec = train_spec
        self._eval_spec = eval_spec
        self._scale = 1.0  # Of the learning rate.
        self._last_evaluation: dict[str, float] = {}

    def run(self) -> dict[str, float]:
        every_steps, max_steps = self._eval_spec.every_steps, self._train_spec.max_steps
        if self._estimator.is_chief:
            self._go_back_to_a_whole_checkpoint()
        step = self._step()
        has_ended = max_steps is not None and step >= max_steps
        if has_ended:
            self._train(pause_at=None)  # Which says so.
        while True:
            # Evaluations fall on multiples, so that a resumed run has them where the first one
            # would.
            is_due = every_steps is not None and step > 0 and step % every_steps == 0
            if (has_ended or is_due) and self._evaluate(has_ended=has_ended):
                return self._last_evaluation
            self._set_learning_rate(step)
            pause_at = None if every_steps is None else (step // every_steps + 1) * every_steps
            self._train(pause_at)
            step = self._step()
            # Anywhere but at `pause_at`, training has ended: at `max_steps`, with its input, or
            # because a hook asked for it, which may also have been just there.
            was_stopped = self._from_chief(self._estimator.stop_reason is not None)
            has_ended = bool(was_stopped) or step != pause_at or step == max_steps

    def _step(self) -> int:
        return int(self._from_chief(self._estimator.global_step))

    def _from_chief(self, value: float) -> float:
        return self._estimator.from_chief(float(value))

    def _go_back_to_a_whole_checkpoint(self) -> None:
        """What `Estimator.train` does too, but there may be an evaluation before it."""
        model_dir = self._estimator.model_dir
        path = checkpoints.newest_whole_checkpoint(model_dir)
        checkpoints.set_damaged_aside(model_dir, path)
        history.cut_after(model_dir, checkpoints.step_of(path) if path else 0)

    def _train(self, pause_at: int | None) -> None:
        spec = self._train_spec
        self._estimator.train(
            spec.input_fn,
            max_steps=spec.max_steps,
            hooks=spec.hooks,
            saving_listeners=spec.saving_listeners,
            pause_at=pause_at,
            restart_input=False,  # With its end the run has ended, also for the next process.
        )

    def _rows(self) -> list[dict]:
        """The evaluations so far, of this name."""
        rows = history.rows(self._estimator.model_dir, "eval")
        return [row for row in rows if row.get("name") == self._eval_spec.name]

    def _evaluate(self, *, has_ended: bool) -> bool:
        """Evaluates the newest checkpoint unless that was done; returns whether to stop."""
        reason = None
        if self._estimator.is_chief:
            reason = self._evaluate_on_chief(has_ended=has_ended)
        return has_ended or bool(self._from_chief(reason is not None))

    def _evaluate_on_chief(self, *, has_ended: bool) -> str | None:
        """Evaluates, exports and remembers; returns why to stop early, if a rule says so."""
        estimator, spec = self._estimator, self._eval_spec
        path = estimator.latest_checkpoint()
        rows = self._rows()
        found = [row for row in rows if row["global_step"] == checkpoints.step_of(path)]
        if found:
            evaluation = _evaluation_of(found[-1])
        else:
            evaluation = estimator.evaluate(
                spec.input_fn, steps=spec.steps, name=spec.name, hooks=spec.hooks
            )
            rows.append(evaluation)
        reasons = [rule.reason(rows) for rule in spec.stop_rules]
        reason = next((reason for reason in reasons if reason is not None), None)
        is_final = has_ended or reason is not None
        # A run may turn out to have ended at a checkpoint that has been evaluated: with its input.
        if is_final or not found:
            self._export(path, evaluation, is_final=is_final)
        if not found:
            if spec.keep_best is not None:
                spec.keep_best.keep(estimator.model_dir, path, evaluation)
            name = {} if spec.name is None else {"name": spec.name}
            history.append(estimator.model_dir, "eval", {**evaluation, **name})
        if reason is not None:
            log("stop  | step %6d | %s", evaluation["global_step"], reason)
        self._last_evaluation = evaluation
        return reason

    def _export(self, path: str, evaluation: dict[str, float], *, is_final: bool) -> None:
        for exporter in self._eval_spec.exporters:
            folder = f"{self._estimator.model_dir}/export/{exporter.name}"
            exporter.export(self._estimator, folder, path, evaluation, is_final)

    def _set_learning_rate(self, step: int) -> None:
        rule = self._eval_spec.learning_rate_rule
        if rule is None:
            return
        is_chief = self._estimator.is_chief
        scale = self._from_chief(rule.scale(self._rows()) if is_chief else 1.0)
        self._estimator.set_learning_rate_scale(scale)
        if scale != self._scale:
            log("rate  | step %6d | learning rate times %g from here on", step, scale)
        self._scale = scale


def _evaluation_of(row: dict) -> dict[str, float]:
    """What `Estimator.evaluate` returned, from its row in the history."""
    values = {key: value for key, value in row.items() if key not in ("kind", "name")}
    return {key: float("nan") if value is None else value for key, value in values.items()}

"""What says that training does not learn, and why: each a hook that warns once.

The thresholds lie between healthy runs, which have to stay silent, and runs made to fail:
BUILD_NOTES.md, "When it warns".
"""

from collections.abc import Mapping

import numpy as np

from model.estimator.hooks import Run
from model.metrics import wilson_interval
from model.warning_hook import WarningHook

_EVERY_STEPS = 100
_HUGE, _TINY = 1e6, 1e-5  # Of gradients that no history has to be known to judge.


class StuckWarning(WarningHook):
    """Warns if the loss is no better than chance: above 99 % of it from step `from_step` on.

    Healthy runs leave chance within 500 steps of 64 with a warm-up of 300, so twice that is late.
    A run that ends before is too short to tell. It needs `EstimatorSpec.chance["loss"]`.
    """

    name = "stuck_warning"
    _keeps = ("loss",)

    def __init__(self, from_step: int = 1000, every_steps: int = _EVERY_STEPS):
        super().__init__(every_steps)
        self._from_step = from_step

    def _look(self, run: Run, window: Mapping[str, np.ndarray]) -> None:
        chance = run.chance.get("loss")
        if chance is None or run.global_step < self._from_step:
            return
        loss = float(np.mean(window["loss"]))
        if loss > 0.99 * chance:
            self._warn(
                run,
                "stuck",
                f"it does not learn: the loss was {loss:.3f} over the last {len(window['loss'])} "
                f"steps, and guessing gives {chance:.3f}",
            )


class GradientWarning(WarningHook):
    """Warns if the gradient's norm explodes or vanishes, against what this run had before.

    Healthy runs have their largest norm with fresh weights, a 20th to a 60th of it while they
    stand at chance, some times that as they leave it, and less and less as the loss falls. So it
    explodes if a step's norm is 100 times the largest before (at first the first step's), or 1e6.
    It vanishes if the median of `every_steps` steps is below a 200th of the first step's, or below
    1e-5, while the loss is more than half of what guessing (where that is not known: the first
    window) gives.
    """

    name = "gradient_warning"
    _keeps = ("loss", "gradient_norm")

    def __init__(self, every_steps: int = _EVERY_STEPS):
        super().__init__(every_steps)
        # Norm and loss of the first step and window, and the largest norm up to the last look.
        self._before: dict[str, float] = {}

    def _look(self, run: Run, window: Mapping[str, np.ndarray]) -> None:
        if "gradient_norm" not in window:
            return
        norms, loss = window["gradient_norm"], float(np.mean(window["loss"]))
        first, highest, median = (float(x) for x in (norms[0], np.max(norms), np.median(norms)))
        before = self._before or {"norm": first, "loss": loss, "largest": first}
        self._before = {**before, "largest": max(before["largest"], highest)}
        if highest > min(_HUGE, 100 * before["largest"]):
            self._warn(
                run,
                "gradient_exploding",
                f"the gradient explodes: its norm was {highest:.3g} in one of the last "
                f"{len(norms)} steps, and at most {before['largest']:.3g} before",
            )
        elif median < max(_TINY, 0.005 * before["norm"]) and loss > 0.5 * run.chance.get(
            "loss", before["loss"]
        ):
            self._warn(
                run,
                "gradient_vanishing",
                f"the gradient vanishes: its norm is {median:.3g}, from {before['norm']:.3g} in "
                f"the first step, with the loss still at {loss:.3f}",
            )

    def state(self) -> dict:
        """Also what the run had before."""
        return {**super().state(), "before": self._before}

    def set_state(self, state: dict) -> None:
        """What `state` returned."""
        super().set_state(state)
        self._before = state.get("before", {})


class GapWarning(WarningHook):
    """Warns if a network is much better on what it trains on than on what it is evaluated on.

    One object is a hook of the training and of its evaluations. Training accuracy is that of the
    last `every_steps` steps, with dropout and shifts, so it is never flattered. The gap is what
    lies between the 95 % intervals of both; healthy runs on 20,000 captchas and more have less
    than 0.01 of it in characters.
    """

    name = "gap_warning"

    def __init__(
        self,
        metric: str = "character_accuracy",
        margin: float = 0.05,
        every_steps: int = _EVERY_STEPS,
    ):
        """Compares `metric`, a fraction of right ones; warns above `margin`."""
        super().__init__(every_steps)
        self._keeps = (metric, "num_examples")
        self._metric = metric
        self._margin = margin
        self._trained: tuple[float, int] | None = None  # Accuracy, of how many examples.

    def _look(self, run: Run, window: Mapping[str, np.ndarray]) -> None:
        if self._metric in window:
            sizes = window.get("num_examples", np.ones_like(window[self._metric]))
            accuracy = float(np.average(window[self._metric], weights=sizes))
            self._trained = accuracy, max(1, int(np.sum(sizes)))

    def end(self, run: Run) -> None:
        """Compares, if this was an evaluation and there has been training before."""
        if run.mode == "train" or self.has_warned or self._trained is None:
            return
        evaluated, n = run.metrics.get(self._metric), int(run.metrics["n"])
        if evaluated is None:
            return
        trained, n_trained = self._trained
        gap = wilson_interval(trained, n_trained)[0] - wilson_interval(evaluated, n)[1]
        if gap > self._margin:
            self._warn(
                run,
                "gap",
                f"it learns by heart: {self._metric} is {trained:.3f} in training and "
                f"{evaluated:.3f} on {n} examples that it was not trained on",
            )

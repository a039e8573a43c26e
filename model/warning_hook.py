"""A hook that looks at what training reports every so many steps, and warns once."""

from collections.abc import Mapping

import numpy as np
from absl import logging

from model.causes import advice
from model.estimator.checks import check_count
from model.estimator.hooks import Hook, Run


class WarningHook(Hook):
    """Keeps the metrics that `_keeps` names until a multiple of `every_steps`, then calls `_look`.

    It warns once, also over a run that was stopped and resumed: whether it has is part of each
    checkpoint. Of several workers the chief's warns, but all know that it did.

    Raises:
      ValueError: If `every_steps` is no count.
    """

    _keeps: tuple[str, ...] = ()  # Names of metrics; those that training does not report are left.

    def __init__(self, every_steps: int):
        check_count("every_steps", every_steps)
        self.every_steps = every_steps
        self.has_warned = False
        self._values: list[Mapping] = []

    def after_run(self, run: Run, values: Mapping) -> None:
        """Adds what the steps returned; looks at it when it is time, until it has warned."""
        if self.has_warned or run.mode != "train":
            return
        # Tensors still: turning one into a number waits for its step.
        self._values.append({name: values[name] for name in self._keeps if name in values})
        if run.global_step % self.every_steps == 0:
            window = {
                name: np.concatenate([np.ravel(step[name]) for step in self._values])
                for name in self._values[0]
            }
            self._values = []
            self._look(run, window)

    def _look(self, run: Run, window: Mapping[str, np.ndarray]) -> None:
        """Looks at float32 `[steps]` by name: every step since the last look, or since a resume."""
        raise NotImplementedError

    def _warn(self, run: Run, symptom: str, seen: str) -> None:
        """Logs one line: what was seen, and what usually causes `symptom`."""
        self.has_warned = True
        self._values = []
        if run.is_chief:
            logging.warning("learn | step %6d | %s. %s", run.global_step, seen, advice(symptom))

    def state(self) -> dict:
        """Whether it has warned."""
        return {"has_warned": self.has_warned}

    def set_state(self, state: dict) -> None:
        """What `state` returned.

        A hook that warned in an evaluation, after the checkpoint was saved, stays so.
        """
        self.has_warned |= bool(state.get("has_warned"))

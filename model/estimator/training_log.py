"""What a training run tells: means over the steps since the last telling, rate, time left."""

import time
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf
import tqdm
from absl import logging


def _monotonic() -> float:
    return time.monotonic()


class Window:
    """Collects what steps return, and the time they take, until somebody looks.

    Steps return tensors; they are turned into numbers when looked at and not before, so that the
    next step need not wait.
    """

    def __init__(self):
        self._clock = _monotonic
        self.clear()

    def time_by(self, clock: Callable[[], float]) -> None:
        """Counts time from now by `clock`, in seconds; it may stand still while no step runs."""
        self._clock = clock
        self._started = clock()

    def clear(self) -> None:
        """Starts a new window, now."""
        self._calls = []
        self._started = self._clock()

    def add(self, values: Mapping[str, tf.Tensor]) -> None:
        """Takes what one call of the step returned: float32 `[k]` by name, for its k steps."""
        self._calls.append(values)

    def __len__(self) -> int:
        """How many steps."""
        return sum(len(values["loss"]) for values in self._calls)

    def scalars(self) -> dict[str, float]:
        """Means over all examples, the learning rate of the last step, `examples_per_sec`."""
        steps = self.state()
        sizes = steps.pop("num_examples")
        means = {name: float(np.average(values, weights=sizes)) for name, values in steps.items()}
        return {
            **means,
            "learning_rate": steps["learning_rate"][-1],
            "examples_per_sec": sum(sizes) / self._seconds(),
        }

    def seconds_a_step(self) -> float:
        """The mean."""
        return self._seconds() / len(self)

    def state(self) -> dict[str, list[float]]:
        """The steps so far: a number for each by name; empty if there were none."""
        names = self._calls[0] if self._calls else ()
        return {
            name: np.concatenate([np.asarray(call[name]) for call in self._calls]).tolist()
            for name in names
        }

    def set_state(self, state: Mapping[str, list[float]]) -> None:
        """Goes on from what `state` returned."""
        self._calls = [{name: np.float32(values) for name, values in state.items()}][: len(state)]

    def _seconds(self) -> float:
        return max(self._clock() - self._started, 1e-9)


class StatusBar:
    """A bar below the log lines on a terminal; nothing elsewhere."""

    def __init__(self, step: int, last_step: int | None):
        self._bar = tqdm.tqdm(
            initial=step,
            total=last_step,
            desc="train",
            unit=" steps",
            dynamic_ncols=True,
            leave=False,
            disable=None,  # Where standard error is not a terminal.
        )

    def __enter__(self) -> "StatusBar":
        return self

    def __exit__(self, *_) -> None:
        self._bar.close()

    def update(self, num_steps: int) -> None:
        """So many steps more."""
        self._bar.update(num_steps)


def log(line: str, *values) -> None:
    """Logs a line, above the bar if there is one."""
    with tqdm.tqdm.external_write_mode():
        logging.info(line, *values)


def training_line(
    step: int,
    last_step: int | None,
    scalars: Mapping[str, float],
    seconds_a_step: float,
    chance: Mapping[str, float] | None = None,
) -> str:
    """One aligned line, for example.

    train | step   1200 of 20000 | loss 0.0312 (chance 2.3) | accuracy 0.991 (chance 0.1) | ...
    """
    columns = [f"train | step {step:6d}" + (f" of {last_step}" if last_step else "")]
    columns += metric_columns(scalars, chance)
    columns.append(f"{scalars['examples_per_sec']:5.0f} examples/s")
    if last_step:
        columns.append(f"{_clock((last_step - step) * seconds_a_step)} left")
    return " | ".join(columns)


def metric_columns(
    scalars: Mapping[str, float], chance: Mapping[str, float] | None = None
) -> list[str]:
    """Columns like "loss 0.0312" and "accuracy 0.991 (chance 0.1)": the loss, then each metric."""
    hidden = ("loss", "learning_rate", "gradient_norm", "examples_per_sec")
    names = [name for name in scalars if name not in hidden]
    columns = [f"loss {scalars['loss']:.4f}"] + [f"{name} {scalars[name]:.3f}" for name in names]
    return [
        f"{column} (chance {chance[name]:.3g})" if name in (chance or {}) else column
        for name, column in zip(["loss", *names], columns, strict=True)
    ]


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"

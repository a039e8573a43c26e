"""What a training run tells: means over the steps since the last telling, rate, time left."""

import time
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tqdm
from absl import logging


class Window:
    """Collects what steps return, and the time they take, until somebody looks.

    Steps return tensors; they are turned into numbers when looked at and not before, so that the
    next step need not wait.
    """

    def __init__(self):
        self.clear()

    def clear(self) -> None:
        """Starts a new window, now."""
        self._steps = []
        self._sizes = []
        self._started = time.monotonic()

    def add(self, values: Mapping[str, tf.Tensor], num_examples: int) -> None:
        """Takes the scalars that one step returned."""
        self._steps.append(values)
        self._sizes.append(num_examples)

    def leave_out(self, seconds: float) -> None:
        """Keeps the time of something else, such as a checkpoint, out of the rate."""
        self._started += seconds

    def __len__(self) -> int:
        return len(self._steps)

    def scalars(self) -> dict[str, float]:
        """Means over all examples, the learning rate of the last step, `examples_per_sec`."""
        means = {
            name: float(np.average([step[name] for step in self._steps], weights=self._sizes))
            for name in self._steps[0]
        }
        return {
            **means,
            "learning_rate": float(self._steps[-1]["learning_rate"]),
            "examples_per_sec": sum(self._sizes) / self._seconds(),
        }

    def seconds_a_step(self) -> float:
        """The mean."""
        return self._seconds() / len(self._steps)

    def _seconds(self) -> float:
        return max(time.monotonic() - self._started, 1e-9)


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

    def update(self) -> None:
        """One step more."""
        self._bar.update()


def log(line: str, *values) -> None:
    """Logs a line, above the bar if there is one."""
    with tqdm.tqdm.external_write_mode():
        logging.info(line, *values)


def training_line(
    step: int, last_step: int | None, scalars: Mapping[str, float], seconds_a_step: float
) -> str:
    """One aligned line, for example.

    train | step   1200 of 20000 | loss 0.0312 | accuracy 0.991 |  1512 examples/s | 4:10 left
    """
    columns = [f"train | step {step:6d}" + (f" of {last_step}" if last_step else "")]
    columns += metric_columns(scalars)
    columns.append(f"{scalars['examples_per_sec']:5.0f} examples/s")
    if last_step:
        columns.append(f"{_clock((last_step - step) * seconds_a_step)} left")
    return " | ".join(columns)


def metric_columns(scalars: Mapping[str, float]) -> list[str]:
    """Columns like "loss 0.0312" and "accuracy 0.991": the loss, then each metric."""
    hidden = ("loss", "learning_rate", "examples_per_sec")
    return [f"loss {scalars['loss']:.4f}"] + [
        f"{name} {value:.3f}" for name, value in scalars.items() if name not in hidden
    ]


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"

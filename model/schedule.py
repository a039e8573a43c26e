"""The learning rate over a run: a linear warm-up, then a cosine down, steps down, or as it is."""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

# Of the peak. A rate of exactly 0 would make the last steps of every run idle.
_FINAL_FRACTION = 0.01


class _Warmup(keras.optimizers.schedules.LearningRateSchedule):
    """Rises over `warmup_steps` to `peak`; what follows is `_decay`, 1 where nothing has fallen.

    A schedule is configuration, not state: a run resumed with another --learning_rate uses it.

    Raises:
      ValueError: If a number is out of range.
    """

    def __init__(self, peak: float, warmup_steps: int, total_steps: int):
        if not 0 < peak < 1:
            raise ValueError(f"`learning_rate` must be in (0, 1), received {peak}. Try 0.001.")
        if not 0 <= warmup_steps < total_steps:
            raise ValueError(
                f"`warmup_steps` must be in [0, max_steps), received {warmup_steps} of "
                f"{total_steps}. Lower it or raise --max_steps."
            )
        self.peak = peak
        self.warmup_steps = warmup_steps
        self.total_steps = total_steps

    def __call__(self, step):
        """The rate for update number `step`, counted from 0; float32."""
        step = tf.cast(step, tf.float32)
        warmup = tf.minimum(1.0, (step + 1) / max(1, self.warmup_steps))
        return self.peak * warmup * self._decay(step)

    def _decay(self, step: tf.Tensor):
        raise NotImplementedError

    def get_config(self):
        """The arguments."""
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "total_steps": self.total_steps,
        }


@keras.saving.register_keras_serializable("captcha")
class WarmupCosine(_Warmup):
    """After the warm-up falls by half a cosine, to a hundredth of `peak` at `total_steps`.

    Cosine decay: Loshchilov and Hutter, https://arxiv.org/abs/1608.03983.
    """

    def _decay(self, step):
        done = (step - self.warmup_steps) / (self.total_steps - self.warmup_steps)
        cosine = 0.5 * (1 + tf.cos(math.pi * tf.clip_by_value(done, 0.0, 1.0)))
        return _FINAL_FRACTION + (1 - _FINAL_FRACTION) * cosine


@keras.saving.register_keras_serializable("captcha")
class WarmupStep(_Warmup):
    """After the warm-up stays at `peak`, and falls to `factor` of itself at each of `drops_at`.

    Drops and factor are those of He et al., https://arxiv.org/abs/1512.03385, section 4.2.

    Args:
      peak: The highest rate.
      warmup_steps: Steps in which it rises.
      total_steps: Of the run.
      drops_at: Fractions of the run, rising, each in (0, 1).
      factor: In (0, 1).

    Raises:
      ValueError: If a number is out of range.
    """

    def __init__(
        self,
        peak: float,
        warmup_steps: int,
        total_steps: int,
        drops_at: Sequence[float] = (0.5, 0.75),
        factor: float = 0.1,
    ):
        super().__init__(peak, warmup_steps, total_steps)
        self.drops_at = tuple(drops_at)
        self.factor = factor
        if list(self.drops_at) != sorted({at for at in self.drops_at if 0 < at < 1}):
            raise ValueError(
                "`drops_at` must be rising fractions of the run, each in (0, 1), received "
                f"{self.drops_at}. Try (0.5, 0.75)."
            )
        if not 0 < factor < 1:
            raise ValueError(f"`factor` must be in (0, 1), received {factor}. Try 0.1.")

    def _decay(self, step):
        # As float32, since 0.55 * 100 is 55.00000000000001 in Python, a step too late.
        drops = tf.constant([at * self.total_steps for at in self.drops_at], tf.float32)
        num_drops = tf.reduce_sum(tf.cast(step >= drops, tf.float32))
        return self.factor**num_drops

    def get_config(self):
        """The arguments."""
        return {**super().get_config(), "drops_at": list(self.drops_at), "factor": self.factor}


@keras.saving.register_keras_serializable("captcha")
class WarmupConstant(_Warmup):
    """After the warm-up stays at `peak`; somebody else may lower it when a metric stands still."""

    def _decay(self, step):
        return tf.ones_like(step)


# With "plateau" the Estimator scales what the schedule gives, as evaluations stop improving.
_SCHEDULES = {
    "cosine": WarmupCosine,
    "step": WarmupStep,
    "plateau": WarmupConstant,
    "constant": WarmupConstant,
}
SCHEDULES = tuple(_SCHEDULES)


def make_schedule(
    name: str, peak: float, warmup_steps: int, total_steps: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    """The schedule called `name`.

    Args:
      name: One of `SCHEDULES`.
      peak: The highest rate, in (0, 1).
      warmup_steps: Steps in which it rises, fewer than `total_steps`.
      total_steps: Of the whole run.

    Raises:
      ValueError: If the name is none of them or a number is out of range.
    """
    if name not in _SCHEDULES:
        raise ValueError(
            f"`schedule` must be one of {', '.join(SCHEDULES)}, received {name!r}. Choose one."
        )
    return _SCHEDULES[name](peak, warmup_steps, total_steps)

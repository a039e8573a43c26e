"""The learning rate over a run: a linear warm-up, then half a cosine down."""

import math

import keras
import tensorflow as tf

# Of the peak. A rate of exactly 0 would make the last steps of every run idle.
_FINAL_FRACTION = 0.01


@keras.saving.register_keras_serializable("captcha")
class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    """Rises over `warmup_steps` to `peak`, then falls to a hundredth of it at `total_steps`.

    A schedule is configuration, not state: a run resumed with another --learning_rate uses it.
    Cosine decay: Loshchilov and Hutter, https://arxiv.org/abs/1608.03983.

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
        done = (step - self.warmup_steps) / (self.total_steps - self.warmup_steps)
        cosine = 0.5 * (1 + tf.cos(math.pi * tf.clip_by_value(done, 0.0, 1.0)))
        return self.peak * warmup * (_FINAL_FRACTION + (1 - _FINAL_FRACTION) * cosine)

    def get_config(self):
        """The arguments."""
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "total_steps": self.total_steps,
        }

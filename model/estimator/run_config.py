"""How an Estimator runs: how often it saves, logs and summarises, and from which seed."""

import dataclasses

import tensorflow as tf

from model.estimator.checks import check_count

_DEFAULT_SAVE_CHECKPOINTS_SECS = 600  # As `tf.estimator.RunConfig` had it.


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Cadence, seed, and how the work of a step is spread. Only the seed changes what is learnt.

    Raises:
      ValueError: If both kinds of cadence for checkpoints are given, or a number is out of range.
    """

    # At most one of these two. If neither is given, `save_checkpoints_secs` becomes 600.
    save_checkpoints_steps: int | None = None
    save_checkpoints_secs: float | None = None
    keep_checkpoint_max: int = 5  # The newest ones.
    log_step_count_steps: int = 100
    save_summary_steps: int = 100  # TensorBoard.
    # Of Python, NumPy, TensorFlow and Keras, set before the network is built and again before the
    # input of a training run is.
    tf_random_seed: int = 0
    # Over which devices and processes each batch is spread; None: one device. `strategies.py`.
    train_distribute: tf.distribute.Strategy | None = None
    # Each batch is computed in this many parts, one after the other, which takes a part of the
    # memory. The gradients are added up and applied once.
    accumulate_gradients: int = 1
    # Each of these is computed in this many parts at the same time. On a CPU that is faster than
    # one part whose ops share the cores, if each op has one thread: call
    # `tf.config.threading.set_intra_op_parallelism_threads(1)` before anything else.
    parts_side_by_side: int = 1
    # Steps in one compiled loop, where no log line, summary or checkpoint falls between them.
    steps_per_loop: int = 1
    # Evaluations, predictions and exports use a moving average of the weights, which keeps this
    # much of itself in each step, less in the first ones. None: the weights themselves.
    ema_decay: float | None = None

    def __post_init__(self):
        if self.save_checkpoints_steps is not None and self.save_checkpoints_secs is not None:
            raise ValueError(
                "only one of `save_checkpoints_steps` and `save_checkpoints_secs` must be given, "
                f"received {self.save_checkpoints_steps} and {self.save_checkpoints_secs}. "
                "Leave out one."
            )
        if self.save_checkpoints_steps is None and self.save_checkpoints_secs is None:
            object.__setattr__(self, "save_checkpoints_secs", _DEFAULT_SAVE_CHECKPOINTS_SECS)
        if self.save_checkpoints_secs is not None and not self.save_checkpoints_secs > 0:
            raise ValueError(
                "`save_checkpoints_secs` must be positive, received "
                f"{self.save_checkpoints_secs}. Use `save_checkpoints_steps=1` to save each step."
            )
        for name in (
            "save_checkpoints_steps",
            "keep_checkpoint_max",
            "log_step_count_steps",
            "save_summary_steps",
            "accumulate_gradients",
            "parts_side_by_side",
            "steps_per_loop",
        ):
            check_count(name, getattr(self, name))
        if self.ema_decay is not None and not 0 < self.ema_decay < 1:
            raise ValueError(
                f"`ema_decay` must be in (0, 1), received {self.ema_decay}. Try 0.999, or None for "
                "no average."
            )
        if not 0 <= self.tf_random_seed < 2**32:
            raise ValueError(
                f"`tf_random_seed` must be in [0, 2**32), received {self.tf_random_seed}. "
                "Choose another."
            )

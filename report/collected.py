"""What an evaluation leaves behind for its report. The contract between collector and page."""

import dataclasses
from collections.abc import Mapping

import numpy as np

MOST_MISTAKES = 50  # Pictures are kept of these alone, so that a million captchas fit in memory.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mistake:
    """A captcha that was read wrong."""

    index: int  # In the order of the evaluation, from 0.
    image: np.ndarray  # uint8 [H, W, 3]
    labels: np.ndarray  # int [L], the true classes.
    digits: np.ndarray  # int [L], as read.
    confidence: float  # In [0, 1], that the whole reading is right.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Collected:
    """N captchas as they are and as they were read.

    Raises:
      ValueError: If there is no captcha, or the arrays do not belong together.
    """

    labels: np.ndarray  # int [N, L], the true classes, in [0, K).
    digits: np.ndarray  # int [N, L], as read.
    # float [N], in [0, 1]: the product over the positions of the largest probability, which is what
    # an export calls `confidence`.
    confidences: np.ndarray
    num_classes: int  # K, the blank included where labels vary in length.
    mistakes: tuple[Mistake, ...] = ()  # The worst first, at most `MOST_MISTAKES`.
    chance: Mapping[str, float] = dataclasses.field(default_factory=dict)  # By name of the metric.
    global_step: int | None = None  # Of the network that was evaluated.

    def __post_init__(self):
        if self.labels.ndim != 2 or 0 in self.labels.shape:
            raise ValueError(
                "a report must be of at least one captcha, with `labels` [N, L], received labels "
                f"{list(self.labels.shape)}. Evaluate a dataset that is not empty."
            )
        n = len(self.labels)
        if self.digits.shape != self.labels.shape or self.confidences.shape != (n,):
            raise ValueError(
                f"`digits` must have the shape of `labels`, {list(self.labels.shape)}, and "
                f"`confidences` [{n}], received {list(self.digits.shape)} and "
                f"{list(self.confidences.shape)}. Collect the three from the same batches."
            )
        for name, classes in (("labels", self.labels), ("digits", self.digits)):
            if classes.min() < 0 or classes.max() >= self.num_classes:
                raise ValueError(
                    f"`{name}` must be classes in [0, {self.num_classes}), received "
                    f"{classes.min()} to {classes.max()}. Evaluate data of the alphabet that the "
                    "network was trained on."
                )

    @property
    def right(self) -> np.ndarray:
        """Bool `[N]`: read right as a whole."""
        return (self.digits == self.labels).all(axis=1)

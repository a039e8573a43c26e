"""Gathers over an evaluation what its report needs, in memory that pictures do not fill."""

import heapq
from collections.abc import Mapping

import numpy as np

from model.estimator.hooks import Hook, Run
from report.collected import MOST_MISTAKES, Collected, Mistake


class Collector(Hook):
    """Hand it to `Estimator.evaluate(..., hooks=[collector])`, then take `collected`.

    It keeps two small integers a character and a float a captcha, and the pictures of the
    `MOST_MISTAKES` most confident errors. Each evaluation begins anew.
    """

    def __init__(self):
        self._clear()

    def begin(self, run: Run) -> None:
        """Forgets the evaluation before."""
        self._clear()

    def after_run(self, run: Run, values: Mapping) -> None:
        """Takes a batch.

        Args:
          run: The evaluation.
          values: `features` {"image": uint8 `[N, H, W, 3]`}, `labels` int `[N, L]` and
            `predictions` {"digits": int `[N, L]`, "probabilities": float `[N, L, K]`}.

        Raises:
          ValueError: If `model_fn` gives no such predictions.
        """
        predictions = values["predictions"] or {}
        missing = [name for name in ("digits", "probabilities") if name not in predictions]
        if missing:
            raise ValueError(
                "`model_fn` must give `predictions` digits and probabilities to be reported on, "
                f"received none called {', '.join(missing)}. Add them to its EstimatorSpec of mode "
                "EVAL."
            )
        labels = np.asarray(values["labels"])
        digits = np.asarray(predictions["digits"])
        probabilities = np.asarray(predictions["probabilities"])
        self._num_classes = probabilities.shape[-1]
        # Of two bytes at most, unless an alphabet has 32,768 characters.
        small = np.min_scalar_type(-self._num_classes)
        confidences = probabilities.max(axis=-1).astype(np.float64).prod(axis=-1)  # [N]
        self._labels.append(labels.astype(small))
        self._digits.append(digits.astype(small))
        self._confidences.append(confidences)
        self._take_mistakes(values["features"]["image"], labels, digits, confidences)
        self._n += len(labels)

    def end(self, run: Run) -> None:
        """Takes what the model says of chance, and the step."""
        self._chance = dict(run.chance)
        self._global_step = run.global_step

    @property
    def is_empty(self) -> bool:
        """Whether there has been no evaluation yet."""
        return self._n == 0

    @property
    def collected(self) -> Collected:
        """What was gathered so far.

        Raises:
          ValueError: If there was no batch.
        """
        if not self._n:
            raise ValueError(
                "a report must be of at least one captcha, received none. Hand the collector to "
                "`Estimator.evaluate(..., hooks=[collector])` first."
            )
        return Collected(
            labels=np.concatenate(self._labels),
            digits=np.concatenate(self._digits),
            confidences=np.concatenate(self._confidences),
            num_classes=self._num_classes,
            mistakes=tuple(mistake for *_, mistake in sorted(self._worst, reverse=True)),
            chance=self._chance,
            global_step=self._global_step,
        )

    def _clear(self) -> None:
        self._labels, self._digits, self._confidences = [], [], []
        self._worst = []  # A heap: (confidence, -index, mistake), the least bad in front.
        self._n = self._num_classes = 0
        self._chance, self._global_step = {}, None

    def _take_mistakes(self, images, labels, digits, confidences) -> None:
        for row in np.flatnonzero((labels != digits).any(axis=1)):
            confidence, index = float(confidences[row]), self._n + int(row)
            # Of equals the earlier is worse. An index is never repeated: mistakes are not compared.
            key = (confidence, -index)
            if len(self._worst) == MOST_MISTAKES and key < self._worst[0][:2]:
                continue
            mistake = Mistake(
                index=index,
                # A copy: a view would keep the whole batch.
                image=np.array(images[row]),
                labels=labels[row].copy(),
                digits=digits[row].copy(),
                confidence=confidence,
            )
            if len(self._worst) < MOST_MISTAKES:
                heapq.heappush(self._worst, (*key, mistake))
            else:
                heapq.heappushpop(self._worst, (*key, mistake))

"""What TensorBoard shows of an evaluation beside curves: captchas, and what is read as what."""

import numpy as np
import tensorflow as tf

from model.board_pictures import Reading, draw_readings
from model.confusion_picture import draw_confusion
from model.description import ModelDescription
from model.estimator.hooks import Hook, Run


class BoardHook(Hook):
    """Writes three pictures to the folder of each evaluation, at its global step.

    `captchas/first`: the first captchas with what was read in them. `captchas/wrong`: the first of
    those that were read wrong. `confusion`: how often each character was read as each. Which ones
    are shown depends on the data's order alone, so that the first ones can be followed over a
    training. No more captchas are kept than are shown. For evaluations of `model.model_fn`; only
    the chief writes.
    """

    def __init__(self, description: ModelDescription, *, num_first: int = 16, num_wrong: int = 16):
        """Args: what the network reads, and how many captchas to show at most."""
        self._alphabet = description.alphabet
        self._names = [*description.alphabet, "blank"][: description.num_classes]
        self._num_first = num_first
        self._num_wrong = num_wrong

    def begin(self, run: Run) -> None:
        """Forgets the evaluation before."""
        num_classes = len(self._names)
        self._confusion = np.zeros([num_classes, num_classes], np.int64)
        self._first: list[Reading] = []
        self._wrong: list[Reading] = []
        self._num_seen = self._num_seen_wrong = 0

    def after_run(self, run: Run, values) -> None:
        """Counts a batch, and keeps what is to be shown of it."""
        labels = np.asarray(values["labels"])  # [N, L]
        digits = np.asarray(values["predictions"]["digits"])  # [N, L]
        num_classes = len(self._names)
        pairs = np.bincount((labels * num_classes + digits).ravel(), minlength=num_classes**2)
        self._confusion += pairs.reshape(num_classes, num_classes)
        is_wrong = np.any(labels != digits, axis=1)
        self._num_seen += len(labels)
        self._num_seen_wrong += int(is_wrong.sum())
        for kept, most, indices in (
            (self._first, self._num_first, np.arange(len(labels))),
            (self._wrong, self._num_wrong, np.flatnonzero(is_wrong)),
        ):
            chosen = indices[: most - len(kept)]
            # Chosen first: pictures may lie on another device.
            images = tf.gather(values["features"]["image"], chosen).numpy()
            kept += [
                Reading(image=image, label=labels[index], digits=digits[index])
                for image, index in zip(images, chosen, strict=True)
            ]

    def end(self, run: Run) -> None:
        """Draws and writes."""
        if not run.is_chief:
            return
        n = f"{self._num_seen:,}"
        wrong = f"{len(self._wrong)} of {self._num_seen_wrong:,} read wrong, of {n} captchas"
        pictures = {
            "captchas/first": draw_readings(
                self._first, self._alphabet, f"the first {len(self._first)} of {n} captchas"
            ),
            # Also if there is none: TensorBoard would go on showing those of an earlier step.
            "captchas/wrong": draw_readings(
                self._wrong, self._alphabet, wrong if self._wrong else f"none read wrong, of {n}"
            ),
            "confusion": draw_confusion(self._confusion, self._names),
        }
        writer = run.summaries.writer(run.eval_dir)
        with writer.as_default(step=run.global_step):
            for tag, picture in pictures.items():
                tf.summary.image(tag, picture[np.newaxis])
        writer.flush()

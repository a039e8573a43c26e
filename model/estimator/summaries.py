"""TensorBoard scalars; one writer a folder, kept open, so that a run has one events file there."""

import os
from collections.abc import Mapping

import tensorflow as tf


class Summaries:
    """Writes scalars into folders."""

    def __init__(self):
        self._writers = {}

    def write(self, folder: str | os.PathLike, scalars: Mapping[str, float], step: int) -> None:
        """Adds one point to each curve in `folder` and makes it visible at once."""
        folder = os.fspath(folder)
        if folder not in self._writers:
            self._writers[folder] = tf.summary.create_file_writer(folder)
        writer = self._writers[folder]
        with writer.as_default():
            for name, value in scalars.items():
                tf.summary.scalar(name, value, step=step)
        writer.flush()

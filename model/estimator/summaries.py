"""TensorBoard's events; one writer a folder, kept open, so that a run has one events file there."""

import os
from collections.abc import Mapping

import tensorflow as tf

from model.estimator.tensor_file import reason


class Summaries:
    """Writes into folders."""

    def __init__(self):
        self._writers = {}

    def writer(self, folder: str | os.PathLike) -> tf.summary.SummaryWriter:
        """The writer of `folder`, for what is no scalar. Call `flush()` on it after.

        Raises:
          OSError: If no file can be made there.
        """
        folder = os.fspath(folder)
        if folder not in self._writers:
            try:
                self._writers[folder] = tf.summary.create_file_writer(folder)
            except tf.errors.OpError as error:
                raise OSError(
                    f"TensorBoard's events must be written to {folder}, received "
                    f"{reason(error)!r}. Make room there, or use another model_dir."
                ) from error
        return self._writers[folder]

    def write(self, folder: str | os.PathLike, scalars: Mapping[str, float], step: int) -> None:
        """Adds one point to each curve in `folder` and makes it visible at once."""
        writer = self.writer(folder)
        with writer.as_default():
            for name, value in scalars.items():
                tf.summary.scalar(name, value, step=step)
        writer.flush()

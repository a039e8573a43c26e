"""The tensors of a checkpoint on disk, of a training or in a SavedModel, by their keys."""

import re

import numpy as np
import tensorflow as tf

# What TensorFlow's reader raises, LookupError for a file that ends too soon.
_READING_ERRORS = (tf.errors.OpError, ValueError, LookupError)


class DamagedCheckpointError(ValueError):
    """A checkpoint cannot be read."""


class TensorFile:
    """Reads the tensors at `path`, the common beginning of the files' names.

    Raises:
      DamagedCheckpointError: If it is missing or damaged; here or when a tensor is read.
    """

    def __init__(self, path: str, rule: str, remedy: str):
        """`rule` is what the file must be, and `remedy` what to do if it is not, for messages."""
        self._path = path
        self._rule = rule
        self._remedy = remedy
        try:
            self._reader = tf.train.load_checkpoint(path)
        except _READING_ERRORS as error:
            raise self._unreadable(error) from error

    def read(self, key: str) -> np.ndarray:
        """The value of the tensor of this key."""
        try:
            return self._reader.get_tensor(key)
        except _READING_ERRORS as error:
            raise self._unreadable(error) from error

    def has(self, key: str) -> bool:
        """Whether there is a tensor of this key."""
        return self._reader.has_tensor(key)

    @property
    def specs(self) -> dict[str, tf.TensorSpec]:
        """Shape and dtype of each tensor by its key."""
        dtypes = self._reader.get_variable_to_dtype_map()
        return {
            key: tf.TensorSpec(shape, dtypes[key])
            for key, shape in self._reader.get_variable_to_shape_map().items()
        }

    def _unreadable(self, error: Exception) -> DamagedCheckpointError:
        return DamagedCheckpointError(
            f"{self._rule}, received one that cannot be read ({reason(error)}). {self._remedy}"
        )


def reason(error: Exception) -> str:
    """What TensorFlow says of `error`: its first line, without the name of the graph's node."""
    message = str(getattr(error, "message", error)).strip() or type(error).__name__
    return re.sub(r"^\{\{.*?\}\} *", "", message.splitlines()[0])

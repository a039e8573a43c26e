"""The weights in a SavedModel, by the names that they have in a checkpoint.

A SavedModel keeps its variables as a checkpoint does, and with them the names that they were made
under, https://www.tensorflow.org/guide/saved_model.
"""

import os
import pathlib

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import trackable_object_graph_pb2

from model.estimator.checkpoint_file import READING_ERRORS, reason
from model.estimator.exporting import versions_in

_VARIABLES = pathlib.PurePath("variables", "variables")  # Without suffix, as of a checkpoint.
_GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"


def exported_variables(folder: str | os.PathLike) -> str | None:
    """Where a SavedModel, or the highest of its versions in `folder`, has its variables.

    Without suffix; None if there is no SavedModel.
    """
    for saved_model in (pathlib.Path(folder), *reversed(versions_in(folder))):
        path = saved_model / _VARIABLES
        if path.with_suffix(".index").exists():
            return str(path)
    return None


def is_exported(path: str) -> bool:
    """Whether `path` is one that `exported_variables` found."""
    return pathlib.PurePath(path).parts[-2:] == _VARIABLES.parts


class ExportedWeights:
    """Reads the variables that `exported_variables` found.

    Raises:
      ValueError: If they are damaged; here or when a value is read.
    """

    def __init__(self, path: str):
        self._path = path
        try:
            self._reader = tf.train.load_checkpoint(path)
        except READING_ERRORS as error:
            raise self._unreadable(error) from error
        graph = trackable_object_graph_pb2.TrackableObjectGraph()
        graph.ParseFromString(self._read(_GRAPH_KEY))
        self._keys = {
            attribute.full_name: attribute.checkpoint_key
            for node in graph.nodes
            for attribute in node.attributes
        }

    def names(self, group: str) -> list[str]:
        """The names of the variables in order: weights are all that an export has."""
        return list(self._keys) if group == "net" else []

    def value(self, name: str) -> np.ndarray:
        """The value of the variable `name`, which is one of `names("net")`."""
        return self._read(self._keys[name])

    def _read(self, key: str):
        try:
            return self._reader.get_tensor(key)
        except READING_ERRORS as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> ValueError:
        return ValueError(
            f"{self._path} must be the variables of a whole SavedModel, received some that cannot "
            f"be read ({reason(error)}). Export once more."
        )

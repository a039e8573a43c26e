"""The weights in a SavedModel, by the names that they have in a checkpoint.

A SavedModel keeps its variables as a checkpoint does, and with them the names that they were made
under, https://www.tensorflow.org/guide/saved_model.
"""

import os
import pathlib

import numpy as np
from tensorflow.core.protobuf import trackable_object_graph_pb2

from model.estimator.exporting import versions_in
from model.estimator.tensor_file import TensorFile

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
      DamagedCheckpointError: If they are damaged; here or when a value is read.
    """

    def __init__(self, path: str):
        self._file = TensorFile(
            path, f"{path} must be the variables of a whole SavedModel", "Export once more."
        )
        graph = trackable_object_graph_pb2.TrackableObjectGraph()
        graph.ParseFromString(self._file.read(_GRAPH_KEY))
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
        return self._file.read(self._keys[name])

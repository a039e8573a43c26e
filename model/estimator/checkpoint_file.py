"""One checkpoint on disk: read whole and compared with the network before anything is changed.

A checkpoint holds the groups of variables that variable_groups.py makes, beside `global_step` and
`iterator`, the place in the input. A group is a list, since Keras numbers unnamed layers over the
whole process ("dense_3") and a name alone does not find a variable again. The names are kept too,
for people to read.
"""

import json
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from model.estimator.tensor_file import TensorFile
from model.estimator.variable_differences import differences_between

_NAMES_KEY = "names/.ATTRIBUTES/VARIABLE_VALUE"
_STEP_KEY = "global_step/.ATTRIBUTES/VARIABLE_VALUE"
_HOOKS_KEY = "hooks/.ATTRIBUTES/VARIABLE_VALUE"
_ITERATOR_KEY = "iterator/.ATTRIBUTES/VARIABLE_VALUE"
# Of the first version's checkpoints; the reader cannot give it.
_OLD_ITERATOR_KEY = "iterator/.ATTRIBUTES/ITERATOR_STATE"
_MAX_DIFFERENCES = 4  # In one message.


class CheckpointMismatchError(ValueError):
    """A checkpoint is of another network or another optimizer."""


class CheckpointFile:
    """Reads the checkpoint at `path`, the common beginning of its files' names.

    Attributes:
      global_step: The number of updates.
      hook_states: What hooks asked to be remembered, by name.

    Raises:
      DamagedCheckpointError: If it is missing, damaged or none of ours; here or when values are
        read.
    """

    def __init__(self, path: str):
        self._path = path
        self._file = TensorFile(
            path,
            f"checkpoint {path} must be whole and written by this Estimator",
            f"Remove {path}.* to go on from the one before.",
        )
        self.global_step = int(self._file.read(_STEP_KEY))
        names = json.loads(self._file.read(_NAMES_KEY))
        # Older checkpoints have none.
        has_hooks = self._file.has(_HOOKS_KEY)
        self.hook_states = json.loads(self._file.read(_HOOKS_KEY)) if has_hooks else {}
        self._keys = {
            group: {
                name: f"{group}/{index}/.ATTRIBUTES/VARIABLE_VALUE"
                for index, name in enumerate(names[group])
            }
            for group in names
        }

    def names(self, group: str) -> list[str]:
        """The names of a group's variables, in order; empty if there is no such group."""
        return list(self._keys.get(group, ()))

    def check_whole(self) -> None:
        """Reads everything.

        Raises:
          DamagedCheckpointError: If something cannot be read.
        """
        for key in self._file.specs:
            if key != _OLD_ITERATOR_KEY:
                self._file.read(key)

    def value(self, name: str) -> np.ndarray:
        """The value of the variable `name` of any group, or of "global_step".

        Raises:
          ValueError: If there is none.
        """
        if name == "global_step":
            return self._file.read(_STEP_KEY)
        for group, keys in self._keys.items():
            if name in keys and group != "average":  # Which has the names of the weights.
                return self._file.read(keys[name])
        raise ValueError(
            f"the name must be one of those in {self._path}, received {name!r}. "
            "`get_variable_names()` lists them."
        )

    def values_for(
        self, group: str, variables: Mapping[str, tf.Variable]
    ) -> list[tuple[tf.Variable, np.ndarray]]:
        """Each of `variables` with its value in this checkpoint.

        They belong together by name if the names are the same, else by position.

        Raises:
          CheckpointMismatchError: If number, shapes or dtypes differ; it says where.
        """
        keys = self._keys[group]
        specs = self._file.specs
        ours = {name: _spec(value) for name, value in variables.items()}
        order = ours if ours.keys() == keys.keys() else keys
        theirs = {name: _spec(specs[keys[name]]) for name in order}
        if list(ours.values()) != list(theirs.values()):
            differences = differences_between(ours, theirs)
            shown = "; ".join(differences[:_MAX_DIFFERENCES])
            more = len(differences) - _MAX_DIFFERENCES
            raise CheckpointMismatchError(
                f"the {group} variables of {self._path} must be those of this program, received "
                f"others: {shown}{f'; and {more} more' if more > 0 else ''}. Build what it was "
                "trained with, or use another model_dir."
            )
        return [
            (variables[ours_name], self._file.read(keys[their_name]))
            for ours_name, their_name in zip(ours, theirs, strict=True)
        ]

    @property
    def iterator(self) -> bytes | None:
        """The place in the input, as checkpoints.py writes it; None if it holds none.

        Raises:
          DamagedCheckpointError: If it is damaged there.
        """
        return self._file.read(_ITERATOR_KEY) if self._file.has(_ITERATOR_KEY) else None


def _spec(value: tf.Variable | tf.TensorSpec) -> str:
    return f"{value.dtype.name} {list(value.shape)}"

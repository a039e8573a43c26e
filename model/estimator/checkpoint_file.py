"""One checkpoint on disk: read whole and compared with the network before anything is changed.

A checkpoint holds the groups of variables that variable_groups.py makes, beside `global_step` and
`iterator`, the place in the input. A group is a list, since Keras numbers unnamed layers over the
whole process ("dense_3") and a name alone does not find a variable again. The names are kept too,
for people to read.
"""

import json
import re
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from model.estimator.variable_differences import differences_between

_NAMES_KEY = "names/.ATTRIBUTES/VARIABLE_VALUE"
_STEP_KEY = "global_step/.ATTRIBUTES/VARIABLE_VALUE"
_HOOKS_KEY = "hooks/.ATTRIBUTES/VARIABLE_VALUE"
_ITERATOR_KEY = "iterator/.ATTRIBUTES/VARIABLE_VALUE"
# Of the first version's checkpoints; the reader cannot give it.
_OLD_ITERATOR_KEY = "iterator/.ATTRIBUTES/ITERATOR_STATE"
# What TensorFlow's reader raises, LookupError for a file that ends too soon.
READING_ERRORS = (tf.errors.OpError, ValueError, LookupError)
_MAX_DIFFERENCES = 4  # In one message.


class DamagedCheckpointError(ValueError):
    """A checkpoint cannot be read."""


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
        try:
            self._reader = tf.train.load_checkpoint(path)
        except READING_ERRORS as error:
            raise self._unreadable(error) from error
        self.global_step = int(self._read(_STEP_KEY))
        names = json.loads(self._read(_NAMES_KEY))
        # Older checkpoints have none.
        has_hooks = self._reader.has_tensor(_HOOKS_KEY)
        self.hook_states = json.loads(self._read(_HOOKS_KEY)) if has_hooks else {}
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
        for key in self._reader.get_variable_to_shape_map():
            if key != _OLD_ITERATOR_KEY:
                self._read(key)

    def value(self, name: str) -> np.ndarray:
        """The value of the variable `name` of any group, or of "global_step".

        Raises:
          ValueError: If there is none.
        """
        if name == "global_step":
            return self._read(_STEP_KEY)
        for group, keys in self._keys.items():
            if name in keys and group != "average":  # Which has the names of the weights.
                return self._read(keys[name])
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
        shapes = self._reader.get_variable_to_shape_map()
        dtypes = self._reader.get_variable_to_dtype_map()
        ours = {name: _spec(value.dtype, value.shape) for name, value in variables.items()}
        order = ours if ours.keys() == keys.keys() else keys
        theirs = {name: _spec(dtypes[keys[name]], shapes[keys[name]]) for name in order}
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
            (variables[ours_name], self._read(keys[their_name]))
            for ours_name, their_name in zip(ours, theirs, strict=True)
        ]

    @property
    def iterator(self) -> bytes | None:
        """The place in the input, as checkpoints.py writes it; None if it holds none.

        Raises:
          DamagedCheckpointError: If it is damaged there.
        """
        has_place = self._reader.has_tensor(_ITERATOR_KEY)
        return self._read(_ITERATOR_KEY) if has_place else None

    def _read(self, key: str):
        try:
            return self._reader.get_tensor(key)
        except READING_ERRORS as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> DamagedCheckpointError:
        return DamagedCheckpointError(
            f"checkpoint {self._path} must be whole and written by this Estimator, received one "
            f"that cannot be read ({reason(error)}). Remove {self._path}.* to go on from the one "
            "before."
        )


def reason(error: Exception) -> str:
    """What TensorFlow says of `error`: its first line, without the name of the graph's node."""
    message = str(getattr(error, "message", error)).strip() or type(error).__name__
    return re.sub(r"^\{\{.*?\}\} *", "", message.splitlines()[0])


def _spec(dtype, shape) -> str:
    return f"{tf.as_dtype(dtype).name} {list(shape)}"

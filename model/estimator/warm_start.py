"""Warm start: a new run begins with weights of another one, all of them or some.

Step, optimizer and input begin anew. Names are those of `Estimator.get_variable_names()`.
"""

import dataclasses
import difflib
import os
import pathlib
import re
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from model.estimator.checkpoint_file import CheckpointFile
from model.estimator.checkpoints import latest_checkpoint
from model.estimator.exported_weights import ExportedWeights, exported_variables, is_exported

# Keras calls a layer without a name after its class, and the second of a process "dense_1".
_KERAS_CLASSES = {name.lower() for name in dir(keras.layers)} | {"sequential", "functional"}
_NUMBERED = re.compile(r"(.+)_\d+")
_MAX_NAMES = 6  # In one message.


@dataclasses.dataclass(frozen=True)
class WarmStartSettings:
    """From where a run without a checkpoint takes which weights, as `tf.estimator` had it.

    Attributes:
      ckpt_to_initialize_from: A checkpoint's path without suffix; a model_dir: its newest one; a
        SavedModel, or a folder of its versions: the highest.
      vars_to_warm_start: A regular expression that names begin with, or a list of whole names of
        this program's variables; None: nothing. Moving statistics are weights here, too: a network
        does not work without those that its weights were trained with.
      var_name_to_prev_var_name: The name in the checkpoint by the name in this program, where the
        two differ.

    Raises:
      ValueError: If the regular expression is none.
    """

    ckpt_to_initialize_from: str | os.PathLike
    vars_to_warm_start: str | Sequence[str] | None = ".*"
    var_name_to_prev_var_name: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        if isinstance(self.vars_to_warm_start, str):
            try:
                re.compile(self.vars_to_warm_start)
            except re.error as error:
                raise ValueError(
                    "`vars_to_warm_start` must be a regular expression or a list of names, "
                    f"received {self.vars_to_warm_start!r} ({error}). Try '.*'."
                ) from None


def warm_start(variables: Mapping[str, tf.Variable], settings: WarmStartSettings) -> list[str]:
    """Assigns to `variables` what `settings` says. Nothing is changed if anything is refused.

    A variable takes the value of the same name. Where Keras numbered a layer over the process
    ("dense_3"), the number says nothing: the layers of that kind are matched in their order.

    Args:
      variables: The weights of the program by name, in order.
      settings: What to take from where.

    Returns:
      The names of the variables that were assigned to.

    Raises:
      ValueError: If there is no such checkpoint, or a name or a shape does not fit; it names them.
    """
    if settings.vars_to_warm_start is None:
        return []
    path = checkpoint_of(settings.ckpt_to_initialize_from)
    file = weights_file(path)
    wanted = _wanted(list(variables), settings)
    previous = _previous_names(list(variables), wanted, file.names("net"), settings, path)
    values = {name: file.value(previous[name]) for name in wanted}
    _check_shapes({name: variables[name] for name in wanted}, values, previous, path)
    for name, value in values.items():
        variables[name].assign(value)
    logging.info("warm  | %d of %d variables from %s", len(wanted), len(variables), path)
    return wanted


def checkpoint_of(place: str | os.PathLike) -> str:
    """The path of what holds weights, without suffix.

    Args:
      place: That path, a model_dir with checkpoints, a SavedModel, or a folder of its versions.

    Raises:
      ValueError: If there are none.
    """
    path = os.fspath(place)
    if pathlib.Path(f"{path}.index").exists():
        return path
    newest = latest_checkpoint(path) or exported_variables(path)
    if newest is None:
        raise ValueError(
            "`ckpt_to_initialize_from` must be a checkpoint without its suffix, a model_dir that "
            f"holds one, or a SavedModel, received {path!r}. Look for a file {path}.index, "
            f"{path}/ckpt-* or {path}/variables/variables.index."
        )
    return newest


def weights_file(path: str) -> CheckpointFile | ExportedWeights:
    """Reads what `checkpoint_of` found.

    Raises:
      ValueError: If it is damaged.
    """
    return ExportedWeights(path) if is_exported(path) else CheckpointFile(path)


def _wanted(names: list[str], settings: WarmStartSettings) -> list[str]:
    """Those of `names` to warm-start, in their order."""
    which = settings.vars_to_warm_start
    if isinstance(which, str):
        wanted = [name for name in names if re.match(which, name)]
        unknown = [] if wanted else [which]
    else:
        wanted = [name for name in names if name in which]
        unknown = [name for name in which if name not in names]
    if unknown:
        raise ValueError(
            f"`vars_to_warm_start` must match variables of this program ({_some(names)}), received "
            f"{_some(unknown)}. Correct it, or use '.*' for all."
        )
    unused = [name for name in settings.var_name_to_prev_var_name if name not in wanted]
    if unused:
        raise ValueError(
            "`var_name_to_prev_var_name` must map variables that are warm-started "
            f"({_some(wanted)}), received {_some(unused)}. Remove these entries, or widen "
            "`vars_to_warm_start`."
        )
    return wanted


def _previous_names(
    ours: list[str], wanted: list[str], theirs: list[str], settings: WarmStartSettings, path: str
) -> dict[str, str]:
    """The name in the checkpoint of each wanted variable."""
    mapped = settings.var_name_to_prev_var_name
    by_order = _matched_by_order(ours, theirs)
    previous = {name: mapped.get(name, by_order.get(name)) for name in wanted}
    missing = [mapped.get(name, name) for name in wanted if previous[name] not in theirs]
    if missing:
        close = difflib.get_close_matches(missing[0], theirs, n=_MAX_NAMES, cutoff=0) or theirs
        raise ValueError(
            f"the variables to warm-start must be in {path} ({_some(close, len(theirs))}), "
            f"received {_some(missing)}: not there, or numbered by Keras and unclear. Limit "
            "`vars_to_warm_start` to others, or map the names in `var_name_to_prev_var_name`."
        )
    return previous


def _matched_by_order(ours: list[str], theirs: list[str]) -> dict[str, str]:
    """Names to names: equal ones, and those that differ by Keras's numbers alone, in order.

    Kinds of which there is another number here than there are left out, as nobody can tell which
    are the same.
    """
    if set(ours) == set(theirs):
        return {name: name for name in ours}
    kinds, their_kinds = _by_kind(ours), _by_kind(theirs)
    matched = {}
    for kind, names in kinds.items():
        if len(names) == len(their_kinds.get(kind, [])):
            matched.update(zip(names, their_kinds[kind], strict=True))
    return matched


def _by_kind(names: list[str]) -> dict[str, list[str]]:
    """The names by what is left of them without Keras's numbers, in order."""
    kinds = {}
    for name in names:
        kind = "/".join(_without_number(part) for part in name.split("/"))
        kinds.setdefault(kind, []).append(name)
    return kinds


def _without_number(part: str) -> str:
    numbered = _NUMBERED.fullmatch(part)
    by_keras = numbered and numbered[1].replace("_", "") in _KERAS_CLASSES
    return numbered[1] if by_keras else part


def _check_shapes(
    variables: Mapping[str, tf.Variable],
    values: Mapping[str, np.ndarray],
    previous: Mapping[str, str],
    path: str,
) -> None:
    differences = [
        f"{name} is {variable.dtype.name} {list(variable.shape)}, {previous[name]} there is "
        f"{tf.as_dtype(values[name].dtype).name} {list(values[name].shape)}"
        for name, variable in variables.items()
        if (variable.dtype, variable.shape) != (values[name].dtype, values[name].shape)
    ]
    if differences:
        raise ValueError(
            f"the variables to warm-start must be as in {path}, received others: "
            f"{_some(differences)}. Limit `vars_to_warm_start` to those that are the same, or map "
            "their names in `var_name_to_prev_var_name`."
        )


def _some(names: Sequence[str], number: int | None = None) -> str:
    """The first names, and how many more there are."""
    shown = names[:_MAX_NAMES]
    more = (number or len(names)) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")

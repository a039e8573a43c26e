"""The weights of a checkpoint, and which of them a network can take as they are."""

import os
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from model.estimator.warm_start import checkpoint_of, weights_file


def checkpoint_values(place: str | os.PathLike) -> dict[str, np.ndarray]:
    """The weights of the network in a checkpoint or a SavedModel, by name.

    Args:
      place: A checkpoint's path without suffix, a model_dir: its newest; a SavedModel, or a folder
        of its versions: the highest.

    Raises:
      ValueError: If there is no such checkpoint.
    """
    file = weights_file(checkpoint_of(place))
    return {name: file.value(name) for name in file.names("net")}


def fitting_variables(
    variables: Mapping[str, tf.Variable], place: str | os.PathLike
) -> tuple[str, ...]:
    """The names of those `variables` that the checkpoint has in the same shape and dtype.

    Args:
      variables: Of the network, by name.
      place: As of `checkpoint_values`.

    Raises:
      ValueError: If there is no such checkpoint, or nothing fits.
    """
    theirs = checkpoint_values(place)
    fitting = tuple(
        name
        for name, variable in variables.items()
        if name in theirs
        and (variable.shape, variable.dtype) == (theirs[name].shape, theirs[name].dtype)
    )
    if not fitting:
        raise ValueError(
            f"some weights of {checkpoint_of(place)} must fit this network, received none of the "
            "same name and shape. Begin with a network of the same kind."
        )
    return fitting

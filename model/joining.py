"""Several trained networks as one, as many times as wide, that says the mean of their logits.

Networks of one shape that were trained apart misread different captchas, so what they say together
is better; and trained on as one, each can use what the others have found. Side by side they are
such a network already: in every layer each has its own channels, and weights between them begin
at 0.
"""

import os
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from model.estimator import checkpoint_values
from model.glimpses import Glimpses
from model.heads import SHARED_HEAD


def join(network: keras.Model, places: Sequence[str | os.PathLike]) -> None:
    """Gives `network` the weights of those in `places`, side by side.

    Args:
      network: From `model.networks.build_network`; in each layer but the heads as wide as all of
        them together.
      places: Checkpoints, model_dirs, of which it is the newest, or SavedModels; at least two, of
        equal shapes.

    Raises:
      ValueError: If there is no such checkpoint, or a shape does not fit.
    """
    parts = [checkpoint_values(place) for place in places]
    looking = next((layer for layer in network.layers if isinstance(layer, Glimpses)), None)
    last_width = 0  # Of the layer before; flattened, as many numbers a pixel.
    for weight in network.weights:
        values = [
            _value(part, weight.path, place) for part, place in zip(parts, places, strict=True)
        ]
        together = _side_by_side(values, weight, last_width, looking)
        if together is None:
            raise ValueError(
                f"`warm_start_from` must name networks that are side by side as wide as this one, "
                f"received {len(places)} whose {weight.path} are "
                f"{[list(value.shape) for value in values]} for {list(weight.shape)}. Train them "
                f"with another --net, or name others."
            )
        weight.assign(together)
        last_width = values[0].shape[-1]


def _value(part: Mapping[str, np.ndarray], name: str, place: str | os.PathLike) -> np.ndarray:
    if name not in part:
        raise ValueError(
            f"`warm_start_from` must name networks of the same layers as this one, received "
            f"{os.fspath(place)} without {name}. Name others."
        )
    return part[name]


def _side_by_side(
    values: Sequence[np.ndarray],
    weight: keras.Variable,
    last_width: int,
    looking: Glimpses | None,
) -> np.ndarray | None:
    """Kernels as blocks along the diagonal, of heads the mean; None if they do not fit."""
    shape = tuple(weight.shape)
    if any(value.shape != values[0].shape for value in values):
        return None
    k = len(values)
    if weight.path in ("look/kernel", "look_content/kernel"):  # Each looks by its own features.
        values = [_among_zeros(value, i, k, axis=0) for i, value in enumerate(values)]
        joined = _by_position(values, looking.num_positions, axis=1)
    elif weight.path in ("look/bias", "look_content/bias", "glimpses/where"):
        joined = _by_position(values, looking.num_positions, axis=0)
    elif weight.path == f"{SHARED_HEAD}/kernel":
        joined = _shared_head(values, looking.num_glimpses // k)
    elif values[0].ndim == 1:
        joined = np.mean(values, 0) if values[0].shape == shape else np.concatenate(values)
    else:
        *window, num_in, num_out = values[0].shape
        if num_in == shape[-2]:  # The picture is the same for all.
            joined = np.concatenate(values, axis=-1)
        elif num_out == shape[-1]:  # A head: of features that stand side by side.
            joined = np.concatenate(values, axis=-2) / len(values)
        else:
            joined = _block_diagonal(values, num_in if window else last_width)
    return joined if joined is not None and joined.shape == shape else None


def _block_diagonal(values: Sequence[np.ndarray], width: int) -> np.ndarray:
    """Kernels `[..., I, O]` as one `[..., k * I, k * O]`; each `width` of I are of a place."""
    *window, num_in, num_out = values[0].shape
    k = len(values)
    joined = np.zeros([*window, num_in // width, k, width, k, num_out], values[0].dtype)
    for i, value in enumerate(values):
        joined[..., i, :, i, :] = value.reshape(*window, num_in // width, width, num_out)
    return joined.reshape(*window, k * num_in, k * num_out)


def _by_position(values: Sequence[np.ndarray], num_positions: int, axis: int) -> np.ndarray | None:
    """Looks of all at the first character, then at the second: an axis `L * G * ...` of each."""
    if values[0].shape[axis] % num_positions:
        return None
    by_network = [np.split(value, num_positions, axis) for value in values]
    by_position = zip(*by_network, strict=True)
    return np.concatenate([looks for position in by_position for looks in position], axis)


def _shared_head(values: Sequence[np.ndarray], num_glimpses: int) -> np.ndarray | None:
    """Kernels `[G * C, K]` to `[k * G * k * C, K]`: of its own glimpses each reads its channels."""
    k = len(values)
    num_in, num_classes = values[0].shape
    if num_glimpses == 0 or num_in % num_glimpses:
        return None
    each = [value.reshape(num_glimpses, -1, num_classes) / k for value in values]
    apart = [_among_zeros(value, i, k, axis=1) for i, value in enumerate(each)]
    return np.concatenate(apart).reshape(-1, num_classes)


def _among_zeros(value: np.ndarray, i: int, k: int, axis: int) -> np.ndarray:
    """`value` as the i-th of k parts of the axis, the others 0."""
    parts = [np.zeros_like(value)] * k
    parts[i] = value
    return np.concatenate(parts, axis)

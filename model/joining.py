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


def join(network: keras.Model, places: Sequence[str | os.PathLike]) -> None:
    """Gives `network` the weights of those in `places`, side by side.

    Args:
      network: From `model.networks.build_network`; in each layer but the heads as wide as all of
        them together.
      places: Checkpoints, or model_dirs, of which it is the newest; at least two, of equal shapes.

    Raises:
      ValueError: If there is no such checkpoint, or a shape does not fit.
    """
    parts = [checkpoint_values(place) for place in places]
    last_width = 0  # Of the layer before; flattened, as many numbers a pixel.
    for weight in network.weights:
        values = [
            _value(part, weight.path, place) for part, place in zip(parts, places, strict=True)
        ]
        together = _side_by_side(values, tuple(weight.shape), last_width)
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
    values: Sequence[np.ndarray], shape: tuple[int, ...], last_width: int
) -> np.ndarray | None:
    """Kernels as blocks along the diagonal, of heads the mean; None if they do not fit."""
    if any(value.shape != values[0].shape for value in values):
        return None
    if values[0].ndim == 1:
        joined = np.mean(values, 0) if values[0].shape == shape else np.concatenate(values)
    else:
        *_, num_in, num_out = values[0].shape
        if num_in == shape[-2]:  # The picture is the same for all.
            joined = np.concatenate(values, axis=-1)
        elif num_out == shape[-1]:  # A head: of features that stand side by side.
            joined = np.concatenate(values, axis=-2) / len(values)
        else:
            joined = _block_diagonal(values, last_width)
    return joined if joined.shape == shape else None


def _block_diagonal(values: Sequence[np.ndarray], width: int) -> np.ndarray:
    """Kernels `[..., I, O]` as one `[..., k * I, k * O]`; each `width` of I are of a place."""
    *window, num_in, num_out = values[0].shape
    k = len(values)
    joined = np.zeros([*window, num_in // width, k, width, k, num_out], values[0].dtype)
    for i, value in enumerate(values):
        joined[..., i, :, i, :] = value.reshape(*window, num_in // width, width, num_out)
    return joined.reshape(*window, k * num_in, k * num_out)

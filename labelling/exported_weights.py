"""What the networks of an audit start from: the weights of an exported network, or fresh ones."""

import dataclasses
import json
import pathlib

import numpy as np

from model.captcha_estimator import network_config
from model.description import ModelDescription, description_in
from model.estimator import checkpoint_values
from model.heads import is_of_head
from model.networks import NetworkConfig, build_network

_DESCRIPTION = pathlib.PurePath("assets.extra/model.json")
_DRAWN = "data_gen"  # The generator of a dataset that was drawn, in its provenance.


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportedNetwork:
    """An exported network, apart from its graph."""

    description: ModelDescription
    weights: dict[str, np.ndarray]  # By path, for example "conv1_1/kernel".
    trained_on_drawings: bool  # Known to be; False also if the export does not say.

    def weights_for(self, config: NetworkConfig, alphabet: str, seed: int) -> list[np.ndarray]:
        """A value for each weight of a network like this one.

        Where characters and their places are the same, so are the weights; heads for other ones
        are fresh.

        Args:
          config: Of the network; its `image_shape` is this one's.
          alphabet: Of the network.
          seed: Of fresh weights.
        """
        reads_the_same = alphabet == self.description.alphabet
        weights = []
        for fresh in build_network(dataclasses.replace(config, seed=seed)).weights:
            exported = self.weights.get(fresh.path)
            fits = exported is not None and exported.shape == tuple(fresh.shape)
            is_kept = fits and (reads_the_same or not is_of_head(fresh.path))
            weights.append(exported if is_kept else fresh.numpy())
        return weights


def fresh_weights(config: NetworkConfig, seed: int) -> list[np.ndarray]:
    """A value for each weight of the network, drawn by `seed`."""
    network = build_network(dataclasses.replace(config, seed=seed))
    return [weight.numpy() for weight in network.weights]


def load_exported(version_folder: pathlib.Path) -> ExportedNetwork:
    """Reads the weights out of a SavedModel that `python export` wrote.

    Args:
      version_folder: The one with saved_model.pb.

    Raises:
      ValueError: If there is no description of the network, or the weights do not fit it.
    """
    try:
        description = description_in(version_folder / _DESCRIPTION)
        net = build_network(network_config(description))
        variables = checkpoint_values(version_folder)
        shapes = {weight.path: variables[weight.path].shape for weight in net.weights}
    except (KeyError, ValueError) as error:
        raise _unusable(version_folder, str(error)) from error
    for weight in net.weights:
        if shapes[weight.path] != tuple(weight.shape):
            raise _unusable(version_folder, f"{weight.path} has the shape {shapes[weight.path]}")
    values = json.loads((version_folder / _DESCRIPTION).read_text(encoding="utf-8"))
    trained_on = values.get("trained_on")
    return ExportedNetwork(
        description=description,
        weights={weight.path: variables[weight.path] for weight in net.weights},
        trained_on_drawings=isinstance(trained_on, dict) and trained_on.get("generator") == _DRAWN,
    )


def _unusable(version_folder: pathlib.Path, reason: str) -> ValueError:
    return ValueError(
        f"`saved_model` must hold the weights of a network of ours, received '{version_folder}' "
        f"where they cannot be found ({reason}). Export it again: python export --model_dir=M"
    )

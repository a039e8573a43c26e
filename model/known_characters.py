"""Heads for an alphabet from those for another: characters of both keep the weights they had."""

from collections.abc import Mapping

import keras
import numpy as np
from absl import logging

from model.description import ModelDescription
from model.heads import is_of_head


def has_same_classes(theirs: ModelDescription, ours: ModelDescription) -> bool:
    """Whether a class is the same character for both."""
    return _classes(theirs) == _classes(ours)


def take_heads_over(
    network: keras.Model,
    weights: Mapping[str, np.ndarray],
    theirs: ModelDescription,
    ours: ModelDescription,
) -> None:
    """Gives each class of `network`'s heads what the same character has in `weights`.

    A class of another character, and a head of a position that is new, stay as they are.

    Args:
      network: From `model.networks.build_network`, reads `ours`.
      weights: By path, of a network that reads `theirs`.
      theirs: What `weights` were trained to read.
      ours: What is to be read.
    """
    known = _classes(theirs)
    pairs = [(k, known.index(char)) for k, char in enumerate(_classes(ours)) if char in known]
    to, of = np.array(pairs, int).reshape(-1, 2).T
    logging.info("warm  | heads of %d of %d classes, by character", len(pairs), ours.num_classes)
    for weight in network.weights:
        if not is_of_head(weight.path) or weight.path not in weights:
            continue
        value, trained = weight.numpy(), weights[weight.path]
        if value.shape[:-1] == trained.shape[:-1]:
            value[..., to] = trained[..., of]
            weight.assign(value)


def _classes(description: ModelDescription) -> list[str]:
    """The character of each class; "" is the blank."""
    return [*description.alphabet, *([""] if description.has_blank else [])]

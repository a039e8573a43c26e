"""Some pictures of the kind that a network reads: of the dataset that it was trained on."""

import itertools
import pathlib

import numpy as np

from model.description import ModelDescription
from records.description import load_description
from records.labelled_images import read_labelled_images

_NUM_PICTURES = 256


def training_pictures(data_dir: str, description: ModelDescription) -> np.ndarray:
    """The first ones of its training split.

    Returns:
      uint8 `[P, *description.image_shape]`, P at most 256.

    Raises:
      ValueError: If there is no dataset or its pictures have another size.
    """
    if not pathlib.Path(data_dir).is_dir():
        raise ValueError(
            "`data_dir` must be a dataset, as the ranges of 8-bit numbers are measured on its "
            f"pictures, received {data_dir!r}, which is no folder. Give one: --data_dir=DIR"
        )
    examples = read_labelled_images(load_description(data_dir), "train")
    images = [example.image for example in itertools.islice(examples, _NUM_PICTURES)]
    if not images or images[0].shape != description.image_shape:
        received = "none" if not images else f"{list(images[0].shape)}"
        raise ValueError(
            f"`data_dir` must have pictures of {list(description.image_shape)}, as the network "
            f"reads them, received {data_dir!r} with {received}. Give the data of its training."
        )
    return np.stack(images)

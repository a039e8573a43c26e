"""The pictures of a dataset, taken out: as files for people, and as pixels for a network."""

import contextlib
import hashlib
import pathlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from labelling.audit_folder import Picture, save_picture
from labelling.sources import source_names
from records.description import DatasetDescription
from records.labelled_images import read_labelled_images
from records.labels import classes_of
from records.layout import SPLITS
from records.progress import Progress

_PIXELS = "pixels.raw"


class Examples(NamedTuple):
    """N of them, of both splits."""

    pictures: list[Picture]
    pixels: np.ndarray  # uint8 [N, H, W, 3], at the size that a network reads; a file.
    labels: np.ndarray  # int64 [N, L], classes.
    groups: np.ndarray  # int64 [N], equal where the pictures are identical.


@contextlib.contextmanager
def taken_out(
    dataset: DatasetDescription, image_shape: tuple[int, int, int], folder: pathlib.Path
) -> Iterator[Examples]:
    """Saves all pictures under `folder`; there, too, their pixels lie until the end of the block.

    Args:
      dataset: Its images may have another size: their pixels are stretched.
      image_shape: Height and width of `Examples.pixels`, and 3.
      folder: Is there.

    Raises:
      ValueError: If the dataset is damaged.
      OSError: If a file cannot be read or written.
    """
    num_pictures = sum(map(dataset.num_examples, SPLITS))
    height, width, _ = image_shape
    sources = source_names(dataset)
    # A file, so that memory does not grow with the dataset: the system keeps of it what it can.
    path = folder / _PIXELS
    pixels = np.memmap(path, np.uint8, "w+", shape=(num_pictures, *image_shape))
    pictures, labels, groups = [], [], []
    group_of: dict[bytes, int] = {}
    with Progress(num_pictures, "pictures", "read") as progress:
        for split in SPLITS:
            num_in_split = dataset.num_examples(split)
            for index, (image, label) in enumerate(read_labelled_images(dataset, split)):
                file = save_picture(image, split, index, num_in_split, folder)
                source = sources.get((split, str(index)), "")
                resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
                pixels[len(pictures)] = np.asarray(resized)
                pictures.append(Picture(file, label, split, index, source))
                labels.append(classes_of(label, dataset.alphabet, dataset.num_positions))
                digest = hashlib.sha256(image.tobytes()).digest()
                groups.append(group_of.setdefault(digest, len(group_of)))
                progress.update()
    yield Examples(pictures, pixels, np.stack(labels), np.array(groups))
    path.unlink()

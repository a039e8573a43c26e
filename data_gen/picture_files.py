"""Picture files of other people: what is in them, and their pixels at a dataset's size."""

import hashlib
import pathlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image

from data_gen.label_source import LabelledFile
from records.image_decoding import ImageError, decode_image_file

RESIZES = ("error", "stretch", "pad")  # What to do with a picture of another size.


class Picture(NamedTuple):
    """A picture that can be decoded, and its label."""

    path: pathlib.Path
    label: str
    size: tuple[int, int]  # Width, height in pixels.
    pixel_hash: str  # SHA-256 of the size and the RGB pixels: equal for equal pictures.


Problems = dict[pathlib.Path, str]  # Why a file cannot be used.


def inspect(files: Iterable[LabelledFile]) -> tuple[list[Picture], Problems]:
    """Decodes each file once; keeps no pixels."""
    pictures, problems = [], {}
    for path, label, problem in files:
        if problem:
            problems[path] = problem
            continue
        try:
            image = decode_image_file(path)
        except ImageError as error:
            problems[path] = error.reason
            continue
        pixel_hash = hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()
        pictures.append(Picture(path, label, image.size, pixel_hash))
    return pictures, problems


def pixels_at(picture: Picture, size: tuple[int, int], resize: str) -> np.ndarray:
    """The picture's pixels at `size`.

    Args:
      picture: Decoded before, so that it can be decoded.
      size: Width, height in pixels.
      resize: For a picture of another size: "stretch" changes its proportions; "pad" keeps them
        and fills what is left with white, the picture in the middle.

    Returns:
      uint8 `[height, width, 3]`, RGB.
    """
    image = decode_image_file(picture.path)
    if image.size == size:
        return np.asarray(image)
    if resize == "stretch":
        return np.asarray(image.resize(size, Image.Resampling.BILINEAR))
    scale = min(size[0] / image.width, size[1] / image.height)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    canvas = Image.new("RGB", size, "white")
    corner = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2)
    canvas.paste(image.resize(inner, Image.Resampling.BILINEAR), corner)
    return np.asarray(canvas)

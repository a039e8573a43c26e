"""Picture files of other people: what is in them, and their pixels at a dataset's size."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image

from data_gen.label_source import LabelledFile
from data_gen.rejection import NO_PICTURE, Rejected
from records.image_decoding import ImageError, decode_image_file

RESIZES = ("error", "stretch", "pad")  # What to do with a picture of another size.


class Picture(NamedTuple):
    """A picture that can be decoded, and its label."""

    name: str  # As people know it, see `LabelledFile`.
    path: str
    label: str
    size: tuple[int, int]  # Of the file; width, height in pixels.
    pixel_hash: bytes  # SHA-256 of the size and the RGB pixels: equal for equal pictures.


def inspect(files: Iterable[LabelledFile]) -> tuple[list[Picture], list[Rejected]]:
    """Decodes each file once; keeps no pixels."""
    pictures, rejected = [], []
    for name, path, label, problem, kind in files:
        if problem:
            rejected.append(Rejected(name, kind, problem))
            continue
        try:
            image = decode_image_file(path)
        except ImageError as error:
            rejected.append(Rejected(name, NO_PICTURE, error.reason))
            continue
        pixel_hash = _hash(np.asarray(image))
        pictures.append(Picture(name, path, label, image.size, pixel_hash))
    return pictures, rejected


def resized_pictures(
    pictures: Iterable[Picture], size: tuple[int, int], resize: str
) -> list[Picture]:
    """The pictures with the hashes of their pixels at `size`, as which they may become equal."""
    return [
        picture._replace(pixel_hash=_hash(_decode_at(picture, size, resize)))
        for picture in pictures
    ]


def pixels_at(picture: Picture, size: tuple[int, int], resize: str) -> np.ndarray:
    """The picture's pixels at `size`.

    Args:
      picture: With the hash of its pixels at `size`.
      size: Width, height in pixels.
      resize: For a picture of another size: "stretch" changes its proportions; "pad" keeps them
        and fills what is left with white, the picture in the middle.

    Returns:
      uint8 `[height, width, 3]`, RGB.

    Raises:
      ValueError: If the file is not the one any more that was looked at.
    """
    pixels = _decode_at(picture, size, resize)
    if _hash(pixels) != picture.pixel_hash:
        raise _changed(picture, "other pixels")
    return pixels


def _decode_at(picture: Picture, size: tuple[int, int], resize: str) -> np.ndarray:
    try:
        image = decode_image_file(picture.path)
    except ImageError as error:
        raise _changed(picture, error.reason) from error
    if image.size != size:
        image = _stretched(image, size) if resize == "stretch" else _padded(image, size)
    return np.asarray(image)


def _stretched(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.BILINEAR)


def _padded(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    scale = min(size[0] / image.width, size[1] / image.height)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    canvas = Image.new("RGB", size, "white")
    corner = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2)
    canvas.paste(_stretched(image, inner), corner)
    return canvas


def _hash(pixels: np.ndarray) -> bytes:
    height, width, _ = pixels.shape
    return hashlib.sha256(f"{(width, height)}".encode() + pixels.tobytes()).digest()


def _changed(picture: Picture, received: str) -> ValueError:
    return ValueError(
        f"{picture.name} must stay as it is while it is imported, received {received}. "
        "Import again when nothing writes to it."
    )

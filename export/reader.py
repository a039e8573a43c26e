"""Reads an exported network back and lets it read: pixels, encoded bytes, files."""

import io
import os
import pathlib
import re
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from PIL import Image

from export.picture_reader import PictureReader
from export.readings import Readings
from export.signatures import BYTES, PIXELS

_GRAPH_FILE = "saved_model.pb"


class Reader(PictureReader):
    """A SavedModel, loaded."""

    def __init__(self, saved_model: str | os.PathLike, batches_at_a_time: int = 1):
        """Loads a SavedModel, or of a folder of numeric version folders the highest complete one.

        Args:
          saved_model: Its path.
          batches_at_a_time: How many `read_files` reads side by side.

        Raises:
          ValueError: If there is none, it is damaged, or it has not the signatures of
            `export.signatures`.
        """
        super().__init__(batches_at_a_time)
        self.path = _version_folder(pathlib.Path(saved_model))
        self._model = _load(self.path)  # Held: the signatures need its variables.
        missing = {PIXELS, BYTES} - set(self._model.signatures)
        if missing:
            raise ValueError(
                f"`saved_model` must have the signatures {PIXELS} and {BYTES}, received "
                f"{str(self.path)!r} without {', '.join(sorted(missing))}. Give one that "
                "`python export` wrote."
            )
        self._pixels_to_text = self._model.signatures[PIXELS]
        self._bytes_to_text = self._model.signatures[BYTES]
        _, inputs = self._pixels_to_text.structured_input_signature
        self.image_shape = tuple(inputs["image"].shape[1:])

    def read_bytes(self, contents: Sequence[bytes]) -> Readings:
        """Reads whole PNG or JPEG files of any size and mode.

        Raises:
          ValueError: If one of them cannot be decoded; which one is not known, so none is read.
        """
        try:
            return _readings(self._bytes_to_text(image_bytes=tf.constant(contents, tf.string)))
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(
                f"`contents` must be whole PNG or JPEG files, received {len(contents)} of which "
                f"one cannot be decoded ({_cause(error)}). Leave it out."
            ) from error

    def _read_pixels(self, images: np.ndarray) -> Readings:
        return _readings(self._pixels_to_text(image=tf.constant(images)))

    def _read_other_sizes(self, images: Sequence[Image.Image]) -> Readings:
        # Resizing is the graph's, so that a server and this reader cannot differ.
        return self.read_bytes([_png(image) for image in images])


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)  # It is unpacked at once: fast beats small.
    return buffer.getvalue()


def _readings(outputs: dict[str, tf.Tensor]) -> Readings:
    return Readings(
        texts=[text.decode() for text in outputs["text"].numpy()],
        digits=outputs["digits"].numpy(),
        probabilities=outputs["probabilities"].numpy(),
        confidences=outputs["confidence"].numpy(),
    )


def _version_folder(path: pathlib.Path) -> pathlib.Path:
    if (path / _GRAPH_FILE).is_file():
        return path
    versions = [
        folder.parent
        for folder in path.glob(f"*/{_GRAPH_FILE}")
        if re.fullmatch("[0-9]+", folder.parent.name)
    ]
    if not versions:
        received = "holds neither" if path.is_dir() else "is no folder"
        raise ValueError(
            "`saved_model` must be a SavedModel or a folder of its versions, received "
            f"{str(path)!r} which {received}. Write one: python export --model_dir=M --out={path}"
        )
    return max(versions, key=lambda version: int(version.name))


def _load(path: pathlib.Path):
    try:
        return tf.saved_model.load(str(path))
    except Exception as error:  # Damage is an OSError, an IndexError, an OpError: by the file.
        raise ValueError(
            f"`saved_model` must be a whole SavedModel, received {str(path)!r} that cannot be "
            f"loaded ({_cause(error)}). Export it again."
        ) from error


def _cause(error: Exception) -> str:
    """What TensorFlow says went wrong, without the places in the graph around it."""
    message = str(error).partition("\n\t [[")[0].strip() or type(error).__name__
    return message.splitlines()[-1]

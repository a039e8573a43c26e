"""Reads an exported network back and lets it read: pixels, encoded bytes, files."""

import dataclasses
import io
import itertools
import os
import pathlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf
from PIL import Image

from export.signatures import BYTES, PIXELS
from records.image_decoding import ImageError, decode_image_file

_GRAPH_FILE = "saved_model.pb"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """What the network reads in one picture: L positions, K classes, see `export.signatures`."""

    text: str  # Of L characters; of fewer where the network found blanks.
    digits: np.ndarray  # int64 [L], class indices.
    probabilities: np.ndarray  # float32 [L, K]
    confidence: float  # In [0, 1], that the whole text is right.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Readings:
    """What the network reads in N pictures; iterating gives each `Reading`."""

    texts: list[str]
    digits: np.ndarray  # int64 [N, L]
    probabilities: np.ndarray  # float32 [N, L, K]
    confidences: np.ndarray  # float32 [N]

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[Reading]:
        for text, digits, probabilities, confidence in zip(
            self.texts, self.digits, self.probabilities, self.confidences, strict=True
        ):
            yield Reading(
                text=text,
                digits=digits,
                probabilities=probabilities,
                confidence=float(confidence),
            )


class Reader:
    """An exported network, loaded."""

    def __init__(self, saved_model: str | os.PathLike):
        """Loads a SavedModel, or of a folder of numeric version folders the highest complete one.

        Raises:
          ValueError: If there is none, it is damaged, or it has not the signatures of
            `export.signatures`.
        """
        self.path = _version_folder(pathlib.Path(saved_model))
        self._model = _load(self.path)  # Held: the signatures need its variables.
        missing = {PIXELS, BYTES} - set(self._model.signatures)
        if missing:
            raise ValueError(
                f"`saved_model` must have the signatures {PIXELS} and {BYTES}, received "
                f"{str(self.path)!r} without {', '.join(sorted(missing))}. Give one that "
                "`python export` wrote."
            )
        self._read_pixels = self._model.signatures[PIXELS]
        self._read_bytes = self._model.signatures[BYTES]
        _, inputs = self._read_pixels.structured_input_signature
        self._image_shape = tuple(inputs["image"].shape[1:])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and 3: the pictures the network was trained on."""
        return self._image_shape

    def read_images(self, images: np.ndarray) -> Readings:
        """Reads pixels.

        Args:
          images: uint8 `[N, *image_shape]`, RGB. N may be 0.

        Raises:
          ValueError: If shape or dtype are others.
        """
        if images.dtype != np.uint8 or images.shape[1:] != self.image_shape:
            raise ValueError(
                f"`images` must be uint8 [N, {', '.join(map(str, self.image_shape))}], received "
                f"{images.dtype} {list(images.shape)}. Encode pictures of another size as PNG and "
                "pass them to `read_bytes`."
            )
        return _readings(self._read_pixels(image=tf.constant(images)))

    def read_bytes(self, contents: Sequence[bytes]) -> Readings:
        """Reads whole PNG or JPEG files of any size and mode.

        Raises:
          ValueError: If one of them cannot be decoded; which one is not known, so none is read.
        """
        try:
            return _readings(self._read_bytes(image_bytes=tf.constant(contents, tf.string)))
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(
                f"`contents` must be whole PNG or JPEG files, received {len(contents)} of which "
                f"one cannot be decoded ({_cause(error)}). Leave it out."
            ) from error

    def read_files(
        self, paths: Iterable[str | os.PathLike], batch_size: int = 64
    ) -> Iterator[tuple[str | os.PathLike, Reading | ImageError]]:
        """Reads picture files, each with its reading or why it has none, in the order of `paths`.

        A file is decoded as `records.image_decoding` does it. The next `batch_size` paths are
        taken when the readings of those before are used up, so that memory does not grow.
        """
        paths = iter(paths)
        while batch := list(itertools.islice(paths, batch_size)):
            yield from zip(batch, self._read_batch(batch), strict=True)

    def _read_batch(self, paths: list[str | os.PathLike]) -> list[Reading | ImageError]:
        results: list[Reading | ImageError | None] = [None] * len(paths)
        pixels: dict[int, np.ndarray] = {}
        contents: dict[int, bytes] = {}
        for index, path in enumerate(paths):
            try:
                image = decode_image_file(path)
            except ImageError as error:
                results[index] = error
                continue
            if (image.height, image.width, 3) == self.image_shape:
                pixels[index] = np.asarray(image)
            else:  # Resizing is the graph's, so that a server and this reader cannot differ.
                contents[index] = _png(image)
        if pixels:
            _put(results, pixels, lambda images: self.read_images(np.stack(images)))
        if contents:
            _put(results, contents, self.read_bytes)
        return results


def _put(results: list, inputs: dict[int, object], read: Callable[[list], Readings]) -> None:
    for index, reading in zip(inputs, read(list(inputs.values())), strict=True):
        results[index] = reading


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

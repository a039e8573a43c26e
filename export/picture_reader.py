"""What every reader of an exported network is: pixels and picture files in, readings out."""

import abc
import itertools
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from PIL import Image

from export.readings import Reading, Readings
from records.image_decoding import ImageError, decode_image_file


class PictureReader(abc.ABC):
    """An exported network, loaded.

    Attributes:
      path: Of what was loaded.
      image_shape: Height, width and 3: the pictures the network was trained on.
    """

    path: pathlib.Path
    image_shape: tuple[int, int, int]

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
                f"{images.dtype} {list(images.shape)}. Save pictures of another size as files and "
                "pass them to `read_files`."
            )
        return self._read_pixels(images)

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

    @abc.abstractmethod
    def _read_pixels(self, images: np.ndarray) -> Readings:
        """Reads what `read_images` has checked."""

    @abc.abstractmethod
    def _read_other_sizes(self, images: Sequence[Image.Image]) -> Readings:
        """Reads pictures of mode "RGB" that have not the size of `image_shape`."""

    def _read_batch(self, paths: list[str | os.PathLike]) -> list[Reading | ImageError]:
        results: list[Reading | ImageError | None] = [None] * len(paths)
        fitting: dict[int, np.ndarray] = {}
        others: dict[int, Image.Image] = {}
        for index, path in enumerate(paths):
            try:
                image = decode_image_file(path)
            except ImageError as error:
                results[index] = error
                continue
            if (image.height, image.width, 3) == self.image_shape:
                fitting[index] = np.asarray(image)
            else:
                others[index] = image
        if fitting:
            _put(results, fitting, lambda images: self.read_images(np.stack(images)))
        if others:
            _put(results, others, self._read_other_sizes)
        return results


def _put(results: list, inputs: dict[int, object], read: Callable[[list], Readings]) -> None:
    for index, reading in zip(inputs, read(list(inputs.values())), strict=True):
        results[index] = reading

"""What every reader of an exported network is: pixels and picture files in, readings out."""

import abc
import collections
import dataclasses
import itertools
import os
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from export.readings import Reading, Readings
from records.image_decoding import ImageError, decode_image_file


@dataclasses.dataclass(frozen=True)
class _Batch:
    """Files, decoded."""

    paths: list[str | os.PathLike]
    errors: dict[int, ImageError]  # By place in `paths`, as the two others.
    fitting: dict[int, np.ndarray]  # Of the network's size.
    others: dict[int, Image.Image]


class PictureReader(abc.ABC):
    """An exported network, loaded.

    Attributes:
      path: Of what was loaded.
      image_shape: Height, width and 3: the pictures the network was trained on.
    """

    path: pathlib.Path
    image_shape: tuple[int, int, int]

    def __init__(self, batches_at_a_time: int = 1):
        """`batches_at_a_time` is how many batches `read_files` reads side by side."""
        self._batches_at_a_time = batches_at_a_time

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

        A file is decoded as `records.image_decoding` does it, by the caller's thread, as that can
        be done by one at a time. Meanwhile others read what is decoded already. The next
        `batch_size` paths are taken when the readings of those before are used up, so that memory
        does not grow; with several batches at a time up to twice as many are on their way.
        """
        paths = iter(paths)
        on_their_way = collections.deque()
        most = 2 * self._batches_at_a_time - 1  # A reader that is done finds the next one decoded.
        pool = ThreadPoolExecutor(self._batches_at_a_time)
        try:
            for some in iter(lambda: list(itertools.islice(paths, batch_size)), []):
                on_their_way.append(pool.submit(self._read_batch, self._decode(some)))
                if len(on_their_way) == most:
                    yield from on_their_way.popleft().result()
            while on_their_way:
                yield from on_their_way.popleft().result()
        finally:  # Whoever asked may have seen enough.
            pool.shutdown(cancel_futures=True)

    @abc.abstractmethod
    def _read_pixels(self, images: np.ndarray) -> Readings:
        """Reads what `read_images` has checked."""

    @abc.abstractmethod
    def _read_other_sizes(self, images: Sequence[Image.Image]) -> Readings:
        """Reads pictures of mode "RGB" that have not the size of `image_shape`."""

    def _decode(self, paths: list[str | os.PathLike]) -> _Batch:
        batch = _Batch(paths, {}, {}, {})
        for index, path in enumerate(paths):
            try:
                image = decode_image_file(path)
            except ImageError as error:
                batch.errors[index] = error
                continue
            if (image.height, image.width, 3) == self.image_shape:
                batch.fitting[index] = np.asarray(image)
            else:
                batch.others[index] = image
        return batch

    def _read_batch(self, batch: _Batch) -> list[tuple[str | os.PathLike, Reading | ImageError]]:
        results: dict[int, Reading | ImageError] = dict(batch.errors)
        if batch.fitting:
            images = np.stack(list(batch.fitting.values()))
            results.update(zip(batch.fitting, self.read_images(images), strict=True))
        if batch.others:
            readings = self._read_other_sizes(list(batch.others.values()))
            results.update(zip(batch.others, readings, strict=True))
        return [(path, results[index]) for index, path in enumerate(batch.paths)]

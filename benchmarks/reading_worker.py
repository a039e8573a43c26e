"""One reader in a process of its own, which answers what it read and how long each call took.

Threads are settings of a whole process, and one reader's libraries shall not slow another's start.
"one" thread: the process may use one core only, and every library that has a setting for it is told
to use one thread; so images a second are images a second a core. "default": as a user gets it.
"""

import dataclasses
import io
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence

import numpy as np

DDDDOCR = "ddddocr"
THREADS = ("one", "default")


@dataclasses.dataclass(frozen=True)
class Read:
    """What came of some calls."""

    texts: list[str]
    seconds: list[float]  # Of each call.


class Worker:
    """A reader in another process. It computes only while it is asked to."""

    def __init__(self, path: str, threads: str, pixels_file: str):
        """Starts it and waits until it is loaded.

        Args:
          path: What `export.open_reader` takes, or `DDDDOCR`.
          threads: One of `THREADS`.
          pixels_file: .npy, uint8 `[N, H, W, 3]`.

        Raises:
          RuntimeError: If it cannot be loaded.
        """
        spawn = multiprocessing.get_context("spawn")
        self._connection, theirs = spawn.Pipe()
        self._process = spawn.Process(
            target=_serve, args=(theirs, path, threads, pixels_file), daemon=True
        )
        self._process.start()
        theirs.close()
        self._answer()

    def read(self, starts: Sequence[int], batch_size: int) -> Read:
        """Reads `batch_size` pictures from each of `starts`, a call each."""
        self._connection.send((list(starts), batch_size))
        return Read(*self._answer())

    def close(self) -> None:
        """Ends the process."""
        self._connection.close()
        self._process.join()

    def _answer(self):
        try:
            answer = self._connection.recv()
        except EOFError as error:
            raise RuntimeError("a reader's process has ended; its error is above") from error
        return answer


def _serve(connection, path: str, threads: str, pixels_file: str) -> None:
    if threads == "one":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pixels = np.load(pixels_file, mmap_mode="r")
    if path == DDDDOCR:
        load, prepare = _load_ddddocr, _png_files
    else:
        load, prepare = _load_ours, np.ascontiguousarray
    read = load(path, threads)
    connection.send(None)
    while True:
        try:
            starts, batch_size = connection.recv()
        except EOFError:
            return
        texts, seconds = [], []
        for start in starts:
            images = prepare(pixels[start : start + batch_size])
            started = time.perf_counter()
            found = read(images)
            seconds.append(time.perf_counter() - started)
            texts.extend(found)
        connection.send((texts, seconds))


def _load_ours(path: str, threads: str) -> Callable[[np.ndarray], list[str]]:
    from export.light_file import is_light_file
    from export.light_reader import LightReader
    from export.open_reader import open_reader

    if is_light_file(path):
        reader = LightReader(path, num_threads=1 if threads == "one" else None)
    else:
        reader = open_reader(path, lambda: _load_tensorflow(threads))
    return lambda images: reader.read_images(images).texts


def _load_tensorflow(threads: str) -> None:
    import tensorflow_start

    tensorflow_start.import_quietly()
    if threads == "one":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def _load_ddddocr(_: str, threads: str) -> Callable[[list[bytes]], list[str]]:
    import onnxruntime

    if threads == "one":  # ddddocr has no setting for it.
        session = onnxruntime.InferenceSession

        def with_one_thread(model, **options):
            one = onnxruntime.SessionOptions()
            one.intra_op_num_threads = 1
            return session(model, sess_options=one, **options)

        onnxruntime.InferenceSession = with_one_thread
    import ddddocr

    reader = ddddocr.DdddOcr(show_ad=False)
    return lambda files: [reader.classification(file) for file in files]


def _png_files(images: np.ndarray) -> list[bytes]:
    from PIL import Image

    files = []
    for image in images:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        files.append(buffer.getvalue())
    return files

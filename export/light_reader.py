"""Reads a `.tflite` or `.onnx` file back, without TensorFlow: it answers within a second."""

import os
import pathlib
import queue
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from export.light_file import ONNX, TFLITE, read_light_file
from export.picture_reader import PictureReader
from export.readings import Readings
from export.resizing import resize
from records.cores import num_cores
from records.silent_stderr import silent_stderr

# uint8 [N, H, W, 3], N at least 1, to float32 [N, L, K].
Network = Callable[[np.ndarray], np.ndarray]

PACKAGES = {TFLITE: "ai-edge-litert", ONNX: "onnxruntime"}  # By which each is read.
PROBABILITIES = "probabilities"
IMAGE = "image"


class LightReader(PictureReader):
    """A network in one file, loaded."""

    def __init__(
        self,
        path: str | os.PathLike,
        num_threads: int | None = None,
        batches_at_a_time: int = 1,
    ):
        """Loads what `export.light_file` wrote.

        Args:
          path: A .tflite or .onnx file.
          num_threads: To compute a batch with. None: one a core that this process may use.
          batches_at_a_time: How many `read_files` reads side by side.

        Raises:
          ValueError: If there is no such file, it is damaged, is not ours, or the package that
            reads it is missing.
        """
        super().__init__(batches_at_a_time)
        self.path = pathlib.Path(path)
        network, self.description = read_light_file(self.path)
        self.image_shape = self.description.image_shape
        self._characters = [*self.description.alphabet, ""]  # No character for the blank.
        load = {TFLITE: _load_tflite, ONNX: _load_onnx}[self.path.suffix]
        try:
            self._network = load(network, num_threads or num_cores(), batches_at_a_time)
        except ImportError as error:
            package = PACKAGES[self.path.suffix]
            raise ValueError(
                f"the package {package} must be installed to read {str(path)!r}, received "
                f"{str(error)!r}. pip install {package}, or give the SavedModel."
            ) from error

    def _read_pixels(self, images: np.ndarray) -> Readings:
        shape = (len(images), self.description.num_positions, self.description.num_classes)
        # No pictures, no rows: the runtimes differ on empty batches.
        probabilities = self._network(images) if len(images) else np.zeros(shape, np.float32)
        digits = probabilities.argmax(axis=-1)
        return Readings(
            texts=["".join(self._characters[digit] for digit in row) for row in digits.tolist()],
            digits=digits,
            probabilities=probabilities,
            confidences=probabilities.max(axis=-1).prod(axis=-1),
        )

    def _read_other_sizes(self, images: Sequence[Image.Image]) -> Readings:
        return self.read_images(np.stack([resize(image, self.image_shape) for image in images]))


def _load_tflite(network: bytes, num_threads: int, num_callers: int) -> Network:
    from ai_edge_litert.interpreter import Interpreter

    free = queue.SimpleQueue()  # Of interpreters, each of which takes one batch at a time.
    with silent_stderr():
        for _ in range(num_callers):
            interpreter = Interpreter(model_content=network, num_threads=num_threads)
            interpreter.allocate_tensors()
            # It allocates anew when the batch changes.
            free.put(interpreter.get_signature_runner())

    def read(images: np.ndarray) -> np.ndarray:
        runner = free.get()
        try:
            return runner(**{IMAGE: images})[PROBABILITIES]
        finally:
            free.put(runner)

    return read


def _load_onnx(network: bytes, num_threads: int, _: int) -> Network:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.log_severity_level = 3  # Errors, which come as exceptions too.
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run([PROBABILITIES], {IMAGE: images})[0]

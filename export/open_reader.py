"""The reader of whatever `python export` wrote, told by its name."""

import os
from collections.abc import Callable

from export.light_file import is_light_file
from export.picture_reader import PictureReader


def open_reader(
    saved_model: str | os.PathLike,
    before_tensorflow: Callable[[], None] | None = None,
    num_threads: int | None = None,
) -> PictureReader:
    """Loads a SavedModel, a folder of its versions, or a .tflite or .onnx file.

    Args:
      saved_model: Path.
      before_tensorflow: Called if TensorFlow is needed, which takes seconds to load.
      num_threads: With which a .tflite or .onnx file is read; None: one a core.

    Raises:
      ValueError: If it cannot be used.
    """
    # Neither reader's libraries are loaded for the other one.
    if is_light_file(saved_model):
        from export.light_reader import LightReader

        return LightReader(saved_model, num_threads)
    if before_tensorflow:
        before_tensorflow()
    from export.reader import Reader

    return Reader(saved_model)

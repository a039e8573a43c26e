"""The reader of whatever `python export` wrote, told by its name."""

import os
from collections.abc import Callable

import tensorflow_start
from export.light_file import is_light_file
from export.picture_reader import PictureReader
from records.cores import num_cores

# Who decodes files for more would not keep up with them.
_MOST_BATCHES = 4


def open_reader(
    saved_model: str | os.PathLike,
    before_tensorflow: Callable[[], None] | None = None,
    num_threads: int | None = None,
    batches_at_a_time: int = 1,
) -> PictureReader:
    """Loads a SavedModel, a folder of its versions, or a .tflite or .onnx file.

    Args:
      saved_model: Path.
      before_tensorflow: Called if TensorFlow is needed, which takes seconds to load.
      num_threads: With which a batch is read; None: one a core. A SavedModel where TensorFlow runs
        already has those that it runs with.
      batches_at_a_time: How many `read_files` reads side by side.

    Raises:
      ValueError: If it cannot be used.
    """
    # Neither reader's libraries are loaded for the other one.
    if is_light_file(saved_model):
        from export.light_reader import LightReader

        return LightReader(saved_model, num_threads, batches_at_a_time)
    if before_tensorflow:
        before_tensorflow()
    if num_threads:
        tensorflow_start.give_ops_threads(num_threads)
    from export.reader import Reader

    return Reader(saved_model, batches_at_a_time)


def open_reader_of_many(
    saved_model: str | os.PathLike,
    num_batches: int,
    before_tensorflow: Callable[[], None] | None = None,
) -> PictureReader:
    """`open_reader` for so many batches of files: a batch on each core, where there are enough.

    An op spread over cores waits for the last of them, each time; batches do not wait for each
    other (BUILD_NOTES.md, "Reading on all cores").

    Raises:
      ValueError: If it cannot be used.
    """
    at_a_time = min(num_cores(), _MOST_BATCHES)
    num_threads = num_cores() // at_a_time
    return open_reader(saved_model, before_tensorflow, num_threads, min(at_a_time, num_batches))

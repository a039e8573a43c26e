"""Loads TensorFlow with oneDNN, and without what its C++ libraries print while they start.

`TF_CPP_MIN_LOG_LEVEL` alone does not hold those lines back: TensorFlow 2.21 writes some before it
has read the variable (oneDNN, "Could not find cuda drivers"), and one as an error when it looks for
a GPU on a machine that has none. A program whose standard error carries a line for each bad file
calls `import_quietly` before it imports what needs TensorFlow.
"""

import contextlib
import gc
import os
import platform
import sys
import tempfile
from collections.abc import Iterable, Iterator

_STDERR = 2
_TALKATIVE_LEVELS = ("0", "1")  # Of TF_CPP_MIN_LOG_LEVEL: the user asks for those lines.
_X86_64 = ("x86_64", "amd64")  # Linux and macOS, Windows.
# TensorFlow loads Keras by this module of it, if it is there, and Keras loads matplotlib, if that
# is there: 0.7 s, for plots that no program here lets it draw.
_OF_KERAS = "keras.src.optimizers"
_MATPLOTLIB = "matplotlib"


def use_onednn() -> None:
    """Convolutions by oneDNN on every x86, if TensorFlow is imported later; else nothing happens.

    By itself TensorFlow 2.21 does so only where the processor has instructions made for networks
    (AVX-512 VNNI and later). On one with AVX2 alone a training step takes 1.6 times as long without
    (BUILD_NOTES.md, "Speed of a training step"). What the user has set stays.
    """
    if platform.machine().lower() in _X86_64:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def import_quietly() -> None:
    """Imports TensorFlow and looks for its devices; what that prints is shown only if it fails."""
    _import_quietly(_MATPLOTLIB)


def import_without_keras() -> None:
    """`import_quietly`, sooner: a SavedModel is read without Keras.

    Who needs Keras afterwards imports it as ever.
    """
    _import_quietly(_MATPLOTLIB, _OF_KERAS)


def give_ops_threads(number: int) -> bool:
    """Imports TensorFlow and has each op computed by so many threads.

    Returns:
      Whether it could be done: not where TensorFlow runs already and has another number.
    """
    import tensorflow as tf  # noqa: PLC0415

    try:
        tf.config.threading.set_intra_op_parallelism_threads(number)
    except RuntimeError:
        return False
    return True


def _import_quietly(*hidden: str) -> None:
    use_onednn()
    if "tensorflow" in sys.modules or os.environ.get("TF_CPP_MIN_LOG_LEVEL") in _TALKATIVE_LEVELS:
        return
    # The libraries write to the descriptor, past sys.stderr.
    original = os.dup(_STDERR)
    with tempfile.TemporaryFile() as held, _not_importable(hidden), _nothing_collected():
        os.dup2(held.fileno(), _STDERR)
        try:
            import tensorflow as tf  # noqa: PLC0415

            tf.config.list_physical_devices()
        except BaseException:
            held.seek(0)
            os.write(original, held.read())
            raise
        finally:
            os.dup2(original, _STDERR)
            os.close(original)


@contextlib.contextmanager
def _nothing_collected() -> Iterator[None]:
    """What is made meanwhile stays for good, and is not looked at for garbage, now or later.

    Modules make half a million objects and next to no garbage, and looking for it among them again
    and again took a fifth of the import.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


@contextlib.contextmanager
def _not_importable(names: Iterable[str]) -> Iterator[None]:
    """Modules that are not loaded yet cannot be meanwhile."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # What stands for a module that cannot be imported.
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]

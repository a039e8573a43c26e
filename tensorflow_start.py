"""Loads TensorFlow with oneDNN, and without what its C++ libraries print while they start.

`TF_CPP_MIN_LOG_LEVEL` alone does not hold those lines back: TensorFlow 2.21 writes some before it
has read the variable (oneDNN, "Could not find cuda drivers"), and one as an error when it looks for
a GPU on a machine that has none. A program whose standard error carries a line for each bad file
calls `import_quietly` before it imports what needs TensorFlow.
"""

import os
import platform
import sys
import tempfile

_STDERR = 2
_TALKATIVE_LEVELS = ("0", "1")  # Of TF_CPP_MIN_LOG_LEVEL: the user asks for those lines.
_X86_64 = ("x86_64", "amd64")  # Linux and macOS, Windows.


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
    use_onednn()
    if "tensorflow" in sys.modules or os.environ.get("TF_CPP_MIN_LOG_LEVEL") in _TALKATIVE_LEVELS:
        return
    # The libraries write to the descriptor, past sys.stderr.
    original = os.dup(_STDERR)
    # TensorFlow loads Keras, and Keras matplotlib if it is there: 0.7 s, for plots that no program
    # here lets it draw. A None in this place stands for a module that cannot be imported.
    hides_matplotlib = "matplotlib" not in sys.modules
    if hides_matplotlib:
        sys.modules["matplotlib"] = None
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), _STDERR)
        try:
            import tensorflow as tf  # noqa: PLC0415

            tf.config.list_physical_devices()
        except BaseException:
            held.seek(0)
            os.write(original, held.read())
            raise
        finally:
            if hides_matplotlib:
                del sys.modules["matplotlib"]
            os.dup2(original, _STDERR)
            os.close(original)

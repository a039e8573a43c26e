"""Holds back what libraries print past Python while they convert, unless that fails."""

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator

_DESCRIPTORS = (1, 2)
_TALKATIVE_LOGGERS = ("tf2onnx", "root")


@contextlib.contextmanager
def held_output() -> Iterator[None]:
    """Nothing reaches standard output and standard error within; on an error, all of it does."""
    originals = {descriptor: os.dup(descriptor) for descriptor in _DESCRIPTORS}
    levels = {name: logging.getLogger(name).level for name in _TALKATIVE_LOGGERS}
    with tempfile.TemporaryFile() as held:
        for descriptor in _DESCRIPTORS:
            os.dup2(held.fileno(), descriptor)
        for name in _TALKATIVE_LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(originals[2], held.read())
            raise
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
            for descriptor, original in originals.items():
                os.dup2(original, descriptor)
                os.close(original)

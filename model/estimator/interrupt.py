"""Ctrl-C during training: the step in progress is finished first, so that it can be saved."""

import signal
import threading


class DeferredInterrupt:
    """While entered, the first Ctrl-C only sets `received`; the second one interrupts at once.

    A batch taken from the input and not yet trained on would be lost to the run that resumes, so
    an interrupt must not fall between the two. Outside the main thread, and where the program has a
    handler of its own, nothing changes.
    """

    def __init__(self):
        self.received = False
        self._installed = False

    def __enter__(self) -> "DeferredInterrupt":
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            signal.signal(signal.SIGINT, self._receive)
            self._installed = True
        return self

    def __exit__(self, *_) -> None:
        self._restore()

    def _receive(self, *_) -> None:
        self.received = True
        self._restore()

    def _restore(self) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._installed = False

"""Ctrl-C and SIGTERM during training: the step in progress is finished first, and saved."""

import signal
import threading

_HEEDED = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """While entered, the first Ctrl-C or SIGTERM is only `received`; the next one acts at once.

    A batch taken from the input and not yet trained on would be lost to the run that resumes, so
    a signal must not fall between the two. A machine that is taken away sends SIGTERM some seconds
    before. Outside the main thread, where a signal is ignored, and where the program has a handler
    of its own for Ctrl-C, nothing changes.

    Attributes:
      received: The signal; None as long as none came.
    """

    def __init__(self):
        self.received: signal.Signals | None = None
        self._before = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            for number in _HEEDED:
                handler = signal.getsignal(number)
                is_own = number == signal.SIGINT and handler is not signal.default_int_handler
                if handler not in (signal.SIG_IGN, None) and not is_own:
                    self._before[number] = handler
                    signal.signal(number, self._receive)
        return self

    def __exit__(self, *_) -> None:
        self._restore()

    def act(self) -> None:
        """Does what the signal received would have done; for after the checkpoint.

        Raises:
          KeyboardInterrupt: After Ctrl-C. After SIGTERM whatever the program's handler raises; the
            process ends if it has none.
        """
        self._restore()
        if self.received == signal.SIGINT:
            raise KeyboardInterrupt
        signal.raise_signal(self.received)

    def _receive(self, number: int, _) -> None:
        self.received = signal.Signals(number)
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

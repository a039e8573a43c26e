"""Lets several trainings of one process run in turns, so that rounds can be compared in pairs.

Each runs in a thread of its own, but only while it has the turn: so whatever else the machine does
slows all of them, and a round of one stands beside a round of another some seconds later.
"""

import threading
import time
from collections.abc import Callable, Mapping

import numpy as np


class Turns:
    """Whose turn it is, and what each round took.

    A training calls `begin` before its first round, `next_round` after each but the last, and
    `finish` after that.
    """

    def __init__(self, names: list[str]):
        self._names = names
        self._changed = threading.Condition()
        self._of = 0  # Whose turn it is.
        self._error: BaseException | None = None
        self.seconds: dict[str, list[float]] = {name: [] for name in names}
        self.cpu_seconds: dict[str, list[float]] = {name: [] for name in names}  # Of all threads.

    def begin(self, name: str) -> None:
        """Waits for the turn of `name`; its clock runs from here.

        Raises:
          RuntimeError: If another one has failed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error or self._names[self._of] == name)
            if self._error:
                raise RuntimeError("another training has failed") from self._error
        self._started = (time.monotonic(), time.process_time())

    def finish(self, name: str, measured: tuple[float, float] | None = None) -> None:
        """Ends a round of `name`; the next one's turn begins.

        Args:
          name: Whose round.
          measured: Seconds and CPU seconds, where another process has measured them.
        """
        wall, cpu = self._started
        if measured is None:
            measured = (time.monotonic() - wall, time.process_time() - cpu)
        self.seconds[name].append(measured[0])
        self.cpu_seconds[name].append(measured[1])
        with self._changed:
            self._of = (self._of + 1) % len(self._names)
            self._changed.notify_all()

    def next_round(self, name: str) -> None:
        """Ends a round, and waits for the next turn."""
        self.finish(name)
        self.begin(name)

    def run(self, trainings: Mapping[str, Callable[[], None]]) -> None:
        """Runs all to their end, the first one in this thread, as only that may handle signals.

        Raises:
          BaseException: What one of them raised, once all have ended.
        """
        first, *others = self._names
        threads = [
            threading.Thread(target=self._guarded, args=(trainings[name],)) for name in others
        ]
        for thread in threads:
            thread.start()
        self._guarded(trainings[first])
        for thread in threads:
            thread.join()
        if self._error:
            raise self._error

    def _guarded(self, training: Callable[[], None]) -> None:
        try:
            training()
        except BaseException as error:
            with self._changed:
                self._error = self._error or error
                self._changed.notify_all()


def ratio(ours: list[float], theirs: list[float]) -> str:
    """How many times as fast ours was: the median and range over rounds, the first one left out."""
    ratios = np.divide(theirs[1:], ours[1:])
    return f"{np.median(ratios):.2f} (from {ratios.min():.2f} to {ratios.max():.2f})"

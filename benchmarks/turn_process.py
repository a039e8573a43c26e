"""A training of another process that takes turns with those of this one.

So it can have other settings of TensorFlow than they have: those are of a whole process. Each of
its turns begins with a line that it reads and ends with one that it writes.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from benchmarks.taking_turns import Turns


def training_elsewhere(
    command: Sequence[str], environment: Mapping[str, str], num_rounds: int
) -> Callable[[Turns, str], None]:
    """What runs that process's training, so many rounds of it, whenever it has the turn here.

    The function raises `RuntimeError` if the process ends before that.
    """

    def run(turns: Turns, name: str) -> None:
        with subprocess.Popen(
            command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            try:
                for _ in range(num_rounds):
                    turns.begin(name)
                    turns.finish(name, _one_round(process))
            except BaseException:
                process.terminate()
                raise

    return run


def _one_round(process: subprocess.Popen) -> tuple[float, float]:
    """Seconds and CPU seconds, as the process measured them."""
    try:
        process.stdin.write("go on\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass  # It has ended, which the next line shows.
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args} ended before its last round: {process.wait()}")
    seconds, cpu_seconds = map(float, line.split())
    return seconds, cpu_seconds


class TurnsElsewhere:
    """In the place of `Turns`, in that process."""

    def __init__(self, source: TextIO = sys.stdin, target: TextIO = sys.stdout):
        """Where lines come from, and where they go."""
        self._source = source
        self._target = target

    def begin(self, name: str) -> None:
        """Waits for the turn.

        Raises:
          EOFError: If it will never come.
        """
        if not self._source.readline():
            raise EOFError(f"{name} waits for its turn, and nobody is there to give it")
        self._started = (time.monotonic(), time.process_time())

    def finish(self, name: str) -> None:
        """Ends a round."""
        wall, cpu = self._started
        line = f"{time.monotonic() - wall} {time.process_time() - cpu}"
        print(line, file=self._target, flush=True)

    def next_round(self, name: str) -> None:
        """Ends a round, and waits for the next turn."""
        self.finish(name)
        self.begin(name)

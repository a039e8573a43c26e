"""Runs one of the project's commands in a process of its own, and tells what it took."""

import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence

ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass(frozen=True)
class Spent:
    """What a command took, the processes that it started and waited for included."""

    seconds: float  # To its end, or to the line that was waited for.
    cpu_seconds: float  # Of all its threads and processes, to its end.
    peak_mb: float  # Resident memory, in 10**6 bytes, of the largest of its processes.


def run_timed(
    arguments: Sequence[str],
    *,
    until: str | None = None,
    statuses: Sequence[int] = (0,),
) -> Spent:
    """Runs `python ARGUMENTS` in the repository's root.

    Linux counts the memory of the process that starts another one as the least peak of that: who
    calls this must stay smaller than what it measures, and not load TensorFlow.

    Args:
      arguments: What stands after `python`.
      until: Seconds count to the first line on standard error that contains this.
      statuses: Exit statuses that are right.

    Raises:
      OSError: If the command ends with another status; with the end of what it said.
      ValueError: If `until` did not come.
    """
    with tempfile.TemporaryFile() as said:
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        found = []
        thread = threading.Thread(target=_read, args=(process.stderr, until, found, said))
        thread.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:  # Ctrl-C, SIGTERM.
            process.kill()
            thread.join()
            raise
        ended = time.monotonic()
        thread.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
        if process.returncode not in statuses:
            said.seek(0)
            end = said.read()[-2000:].decode(errors="replace")
            raise OSError(
                f"`python {' '.join(arguments)}` must end with status {statuses[0]}, received "
                f"{process.returncode}: {end}"
            )
    if until is not None and not found:
        raise ValueError(
            f"`python {' '.join(arguments)}` must log a line with {until!r}, received none. "
            "Change the line that is waited for."
        )
    return Spent(
        (found[0] if found else ended) - started,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * 1024 / 1e6,
    )


def _read(stream, until: str | None, found: list[float], said) -> None:
    for line in stream:
        if until is not None and not found and until.encode() in line:
            found.append(time.monotonic())
        said.write(line)

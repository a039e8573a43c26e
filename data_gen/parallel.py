"""An ordered map over processes that holds only a few results at a time."""

import collections
import concurrent.futures
import itertools
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

# Enough that no worker waits for the one before it; each holds one block of results in memory.
_TASKS_A_WORKER = 3


def num_cores() -> int:
    """Cores that this process may use, which in a container can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ordered_map(
    function: Callable[[_Task], _Result], tasks: Iterable[_Task], num_workers: int
) -> Iterator[_Result]:
    """Yields `function(task)` for each task, in order, computed by `num_workers` processes.

    Memory does not grow with the number of tasks: `tasks` is read as results are taken. One worker
    means this process. Leaving the iterator early (an error, Ctrl-C) stops the workers.

    Args:
      function: A module-level function of a module other than `__main__`.
      tasks: Picklable.
      num_workers: At least 1.

    Raises:
      OSError: If a worker process dies, for example killed for want of memory.
    """
    if num_workers == 1:
        yield from map(function, tasks)
        return
    # "spawn" and not "fork": a forked child copies locks held by threads of its parent.
    pool = concurrent.futures.ProcessPoolExecutor(
        num_workers, multiprocessing.get_context("spawn"), initializer=_ignore_interrupts
    )
    remaining = iter(tasks)
    try:
        pending = collections.deque(
            pool.submit(function, task)
            for task in itertools.islice(remaining, _TASKS_A_WORKER * num_workers)
        )
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(function, task) for task in itertools.islice(remaining, 1))
            yield result
    except concurrent.futures.process.BrokenProcessPool as error:
        raise OSError(
            "every worker process must live to the end, one of "
            f"{num_workers} died. Lower --workers if the machine is short of memory."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupts() -> None:
    # Ctrl-C reaches the whole process group. The parent reports it once and stops the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

"""An ordered map over processes that holds only a few results at a time."""

import collections
import concurrent.futures
import contextlib
import itertools
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

# Enough that no worker waits for the one before it; each holds one block of results in memory.
_TASKS_A_WORKER = 3
_REPORT_SECONDS = 0.2


def ordered_map(
    function: Callable[[_Task], _Result],
    tasks: Iterable[_Task],
    num_workers: int,
    *,
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[_Result]:
    """Yields `function(task)` for each task, in order, computed by `num_workers` processes.

    Memory does not grow with the number of tasks: `tasks` is read as results are taken. One worker
    means this process. Leaving the iterator early (an error, Ctrl-C) ends the workers at once, in
    the middle of their tasks; so does the end of this process, even by SIGKILL: no orphan goes on
    writing where a next run may write.

    Args:
      function: A module-level function of a module other than `__main__`.
      tasks: Picklable.
      num_workers: At least 1.
      on_progress: Called here with how much more was reported by `report_progress` in the workers,
        some times a second; all of it has been told when the last result is yielded.

    Raises:
      OSError: If a worker process dies, for example killed for want of memory.
    """
    on_progress = on_progress or (lambda count: None)
    if num_workers == 1:
        with _reporting_to(on_progress):
            yield from map(function, tasks)
        return
    # "spawn" and not "fork": a forked child copies locks held by threads of its parent.
    context = multiprocessing.get_context("spawn")
    counter = _Counter(context.Value("q", 0), on_progress)
    # Workers wait for the end of this pipe, which comes when its writer is closed: by us below, or
    # by the kernel when this process ends. Nothing is ever sent.
    lifeline, holder = context.Pipe(duplex=False)
    pool = concurrent.futures.ProcessPoolExecutor(
        num_workers, context, initializer=_begin_worker, initargs=(counter.shared, lifeline)
    )
    remaining = iter(tasks)

    def submit(num_tasks: int) -> list[concurrent.futures.Future]:
        with _signals_held_back():
            return [pool.submit(function, t) for t in itertools.islice(remaining, num_tasks)]

    try:
        pending = collections.deque(submit(_TASKS_A_WORKER * num_workers))
        while pending:
            while not concurrent.futures.wait([pending[0]], timeout=_REPORT_SECONDS).done:
                counter.tell()
            result = pending.popleft().result()
            counter.tell()
            pending.extend(submit(1))
            yield result
        pool.shutdown()
    except concurrent.futures.process.BrokenProcessPool as error:
        raise OSError(
            "every worker process must live to the end, one of "
            f"{num_workers} died. Lower --workers if the machine is short of memory."
        ) from error
    finally:
        holder.close()
        pool.shutdown(wait=True, cancel_futures=True)
        lifeline.close()


def report_progress(count: int) -> None:
    """Within the function of an `ordered_map`: says that `count` more of its work is done."""
    _report(count)


_report: Callable[[int], None] = lambda count: None  # noqa: E731 - replaced in workers


class _Counter:
    """What the workers reported, told on by the parent."""

    def __init__(self, shared: Any, on_progress: Callable[[int], None]):
        self.shared = shared
        self._on_progress = on_progress
        self._told = 0

    def tell(self) -> None:
        # Without its lock: a worker that was killed may hold it for ever.
        reported = self.shared.get_obj().value
        self._on_progress(reported - self._told)
        self._told = reported


@contextlib.contextmanager
def _reporting_to(report: Callable[[int], None]) -> Iterator[None]:
    global _report  # noqa: PLW0603 - one a process, as in a worker
    before, _report = _report, report
    try:
        yield
    finally:
        _report = before


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """While entered, workers can be started: an interrupt would leave one half started.

    Ctrl-C reaches the whole process group. Workers keep it held back for good, as they begin with
    the signals blocked that are blocked here: the parent reports it, once, and ends them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    handlers = {
        number: signal.signal(number, lambda number, _: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not None
    }
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for number in received:
        signal.raise_signal(number)


def _begin_worker(shared: Any, lifeline: multiprocessing.connection.Connection) -> None:
    global _report  # noqa: PLW0603 - one a process
    threading.Thread(target=_exit_at_the_end_of, args=(lifeline,), daemon=True).start()

    def report(count: int) -> None:
        with shared.get_lock():
            shared.value += count

    _report = report


def _exit_at_the_end_of(lifeline: multiprocessing.connection.Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv()
    os._exit(1)

"""Kills a writer at each thing that it does to the file system: python tests/killed_writer.py ...

    killed_writer.py FOLDER swap|renames|dump

Prints a line of JSON for each kill: what was there then, and after the next run. Processes are
forked, as starting a Python for each takes a hundred times as long as what it is to do.
"""

import itertools
import json
import os
import pathlib
import shutil
import signal
import sys

_TESTS = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_TESTS.parent), str(_TESTS)]

from tiny_dataset import files_of, write_tiny_dataset

from records import staged_folder
from records.description import load_description
from records.dump import dump
from records.verify import verify_dataset

# What changes the file system; `os.fsync` and the swap tell no audit hook.
_EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}


def main(folder: pathlib.Path, how: str) -> None:
    """Kills a first run at its event 1, 2, 3 ... until one has no more; runs again after each."""
    os.fsync = lambda descriptor: None  # A killed process loses nothing that it wrote.
    if how == "renames":
        staged_folder.exchange = lambda first, second: False
    run, name = (_dump, "png") if how == "dump" else (_overwrite, "data")
    old = _content(_prepared(folder), name)
    run(folder)
    new = _content(folder, name)
    for event in itertools.count(1):
        killed = _killed_at(event, run, _prepared(folder))
        if not killed:
            break
        found, half = _content(folder, name), _look_finished_and_are_not(folder)
        run(folder)
        again, beside = _content(folder, name), sorted(os.listdir(folder))
        states = [
            "new" if state == new else "old" if state == old else "none" if not state else "half"
            for state in (found, again)
        ]
        print(json.dumps({"event": event, "found": states[0], "half": half, "again": states[1],
                          "beside": beside}))  # fmt: skip


def _overwrite(folder: pathlib.Path) -> None:
    write_tiny_dataset(folder / "data", overwrite=True, num_shards=2)


def _dump(folder: pathlib.Path) -> None:
    if not (folder / "png").exists():
        dump(load_description(folder / "data"), "train", None, folder / "png")


def _prepared(folder: pathlib.Path) -> pathlib.Path:
    """Leaves the old dataset in `folder` and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    write_tiny_dataset(folder / "data", provenance={"seed": 99})
    return folder


def _content(folder: pathlib.Path, name: str) -> dict[str, bytes]:
    return files_of(folder / name)


def _look_finished_and_are_not(folder: pathlib.Path) -> list[str]:
    """Folders that `load_description` takes for datasets and that are damaged."""
    half = []
    for path in folder.iterdir():
        try:
            load_description(path)
        except (ValueError, OSError):
            continue
        if list(verify_dataset(path)):
            half.append(path.name)
    return half


def _killed_at(fatal: int, run, folder: pathlib.Path) -> bool:
    process = os.fork()
    if process == 0:
        _kill_me_at(fatal, folder)
        run(folder)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


def _kill_me_at(fatal: int, folder: pathlib.Path) -> None:
    num_events = 0

    def count() -> None:
        nonlocal num_events
        num_events += 1
        if num_events == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(function):
        def call(*arguments):
            count()
            result = function(*arguments)
            count()
            return result

        return call

    def hook(event, arguments):
        # Files are opened by their whole path, removed by their name in an open folder.
        if event in _EVENTS and (event != "open" or str(arguments[0]).startswith(str(folder))):
            count()

    staged_folder.exchange = counted(staged_folder.exchange)
    os.fsync = counted(os.fsync)
    sys.addaudithook(hook)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2])

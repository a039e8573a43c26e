"""Starts workers of a training as processes of this machine, and reads what they leave."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parent.parent
_DEADLINE_SECS = 300


class Workers:
    """Processes that train together in one folder: `folder/model`, and files of each beside it."""

    def __init__(self, folder: pathlib.Path, num: int, commands=None, **job):
        """Starts `num` times worker_program.py on `job`, or `commands`, an argument list each."""
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.processes = []
        hosts = _free_addresses(num)
        for index in range(num):
            task = {"type": "worker", "index": index}
            tf_config = json.dumps({"cluster": {"worker": hosts}, "task": task})
            fields = {
                "strategy": "multi_worker",
                "model_dir": str(folder / "model"),
                "losses": str(folder / f"losses-{index}"),
                "writes": str(folder / f"writes-{index}"),
                **job,
            }
            arguments = (
                [ROOT / "tests" / "worker_program.py", json.dumps(fields)]
                if commands is None
                else commands[index]
            )
            with open(folder / f"log-{index}", "w") as log:
                process = subprocess.Popen(
                    [sys.executable, *map(str, arguments)],
                    cwd=ROOT,
                    env={**os.environ, "TF_CONFIG": tf_config},
                    stdout=log,
                    stderr=log,
                )
            self.processes.append(process)

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def wait(self) -> list[int]:
        """The statuses with which they end."""
        return [process.wait(timeout=_DEADLINE_SECS) for process in self.processes]

    def wait_for_step(self, step: int) -> None:
        """Returns once worker 0 has done `step`."""
        self._wait_for(0, lambda: max(losses(self.folder, 0), default=0) >= step)

    def wait_for_line(self, index: int, text: str) -> None:
        """Returns once worker `index` has printed `text`."""
        self._wait_for(index, lambda: text in self.log(index))

    def _wait_for(self, index: int, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _DEADLINE_SECS
        while not condition():
            assert self.processes[index].poll() is None, self.log(index)
            assert time.monotonic() < deadline, self.log(index)
            time.sleep(0.05)

    def log(self, index: int) -> str:
        """What worker `index` printed."""
        return (self.folder / f"log-{index}").read_text()


def losses(folder: pathlib.Path, index: int = 0) -> dict[int, float]:
    """Step to loss as worker `index` last had it."""
    found = {}
    with contextlib.suppress(FileNotFoundError):
        for line in (folder / f"losses-{index}").read_text().splitlines():
            step, _, loss = line.partition(" ")
            if loss:  # Else it is being written.
                found[int(step)] = float(loss)
    return found


def _free_addresses(num: int) -> list[str]:
    sockets = [socket.socket() for _ in range(num)]
    for one in sockets:
        one.bind(("localhost", 0))
    addresses = [f"localhost:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return addresses

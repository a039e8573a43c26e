"""A disk that can be made too small: a tmpfs, mounted for one test."""

import contextlib
import pathlib
import subprocess
from collections.abc import Iterator

import pytest

PAGE_BYTES = 4096  # What tmpfs counts in.
ENOUGH_BYTES = 512_000_000  # Room for anything.


@contextlib.contextmanager
def small_disk(folder: pathlib.Path) -> Iterator[None]:
    """While entered, `folder` is an empty disk that `resize` makes larger or smaller."""
    folder.mkdir()
    if _mount("-t", "tmpfs", "-o", f"size={ENOUGH_BYTES}", "captcha_test", folder).returncode != 0:
        pytest.skip("mounting a tmpfs, the only small disk there is, needs root")
    try:
        yield
    finally:
        # Lazily: TensorFlow keeps the events file open.
        subprocess.run(["umount", "--lazy", folder], check=True)


def resize(disk, num_bytes) -> None:
    assert _mount("-o", f"remount,size={num_bytes}", disk).returncode == 0


def _mount(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False)

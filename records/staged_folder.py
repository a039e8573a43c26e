"""A folder that appears under its name when it is whole, or not at all."""

import fcntl
import os
import pathlib
import shutil
from collections.abc import Iterable
from typing import TextIO

from records.exchange import exchange


def staging_path(final: str | os.PathLike) -> pathlib.Path:
    """Where the folder `final` is written: beside it, so that renaming is one step."""
    return _beside(final, ".partial")


class StagedFolder:
    """Collects files beside a folder's final name; `commit` renames, anything else cleans up.

        with StagedFolder("captcha_data", marker="provenance.json", overwrite=False) as folder:
            (folder.path / "provenance.json").write_text("{}")
            folder.commit()

    Leaving without `commit`, by an exception or Ctrl-C, removes what was written and leaves what
    stood under the final name. A killed process leaves its files beside it; the next one removes
    them. Under the final name there is the old folder or the new one at every moment, each whole;
    where the file system cannot swap two names in one step, for a moment none, and a process that
    is killed then leaves it to the next one to put the old folder back. Two processes refuse each
    other, on any file system that has locks (on Linux and macOS).
    """

    def __init__(self, final: str | os.PathLike, *, marker: str, overwrite: bool):
        """Touches nothing yet.

        Args:
          final: The folder's name; a symbolic link is followed.
          marker: A file that folders of this kind have. Only a folder that has it, or an empty
            one, is ever replaced, so that a mistyped name costs nobody their files.
          overwrite: Replace a folder that is there, once the new one is whole.
        """
        self._name = os.fspath(final)  # As the user wrote it, for messages.
        self._final = pathlib.Path(final).resolve()
        self._marker = marker
        self._overwrite = overwrite
        self._lock: TextIO | None = None
        self.path = staging_path(final)

    def __enter__(self) -> "StagedFolder":
        """Refuses or locks, removes what a killed process left, and makes an empty folder.

        Raises:
          ValueError: If the final name exists and may not be replaced, or another process writes.
          OSError: If the folder cannot be made.
        """
        self.check_final()
        self._final.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(_beside(self._final, ".partial.lock"), self._name)
        try:
            self._remove(self.path)
            self._put_back()
            self.check_final()  # Another process may have finished before we had the lock.
            self.path.mkdir()
        except BaseException:
            self._unlock()
            raise
        return self

    def __exit__(self, error_type, error, traceback) -> None:
        """Removes what was not committed."""
        try:
            try:
                self._clean_up()
            except BaseException:  # Ctrl-C or SIGTERM came meanwhile. A second one ends it.
                self._clean_up()
                raise
        finally:
            self._unlock()

    def _clean_up(self) -> None:
        self._remove(self.path)
        self._put_back()

    @property
    def url(self) -> str:
        """`path`, for those who write what may also lie elsewhere: see `RemoteFolder`."""
        return os.fspath(self.path)

    def sizes(self, folders: Iterable[str]) -> dict[str, int]:
        """Size in bytes of all that lies in some folders of this one, by its relative name."""
        return {
            path.relative_to(self.path).as_posix(): path.stat().st_size
            for folder in folders
            for path in (self.path / folder).iterdir()
        }

    def commit(self, *, durable: bool = True) -> None:
        """Gives the folder its final name.

        Args:
          durable: First wait until its content has reached the disk, so that a power cut cannot
            leave a name without it. That takes some 2 ms a file.

        Raises:
          ValueError: If something that may not be replaced has come to stand under the name.
          OSError: If the disk fails.
        """
        if durable:
            for folder, _, files in os.walk(self.path):
                for path in (folder, *(os.path.join(folder, file) for file in files)):
                    _fsync(path)
        self.check_final()
        # Once swapped, `path` is the old folder, and goes as any that was not committed.
        if not (self._final.exists() and exchange(self.path, self._final)):
            if self._final.exists():
                os.rename(self._final, self._replaced)
            os.rename(self.path, self._final)
        _fsync(self._final.parent)

    @property
    def _replaced(self) -> pathlib.Path:
        """Where the old folder is between the two renames, where one swap cannot be had."""
        return _beside(self._final, ".partial.replaced")

    def _put_back(self) -> None:
        """Undoes, or completes, a replacement that was interrupted between its steps."""
        if not self._replaced.exists():
            return
        if self._final.exists():
            self._remove(self._replaced)
        else:
            os.rename(self._replaced, self._final)

    def _remove(self, folder: pathlib.Path) -> None:
        """Removes a folder, its marker first: one that is removed in part does not look whole."""
        if folder.is_dir() and not folder.is_symlink():
            (folder / self._marker).unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)

    def check_final(self) -> None:
        """Refuses a final name that may not be replaced; before long work, so that it is not lost.

        Raises:
          ValueError: If something is there that may not be replaced.
        """
        if not os.path.lexists(self._final):
            return
        if not self._overwrite:
            raise ValueError(
                f"the output folder must not exist yet, received '{self._name}', which does. "
                "Choose another --out, or replace it with --overwrite."
            )
        if not self._final.is_dir() or (
            any(self._final.iterdir()) and not (self._final / self._marker).is_file()
        ):
            raise ValueError(
                f"--overwrite replaces finished datasets only, received '{self._name}', which has "
                f"no {self._marker}. Choose another --out, or remove it yourself."
            )

    def _unlock(self) -> None:
        # Unlinked while still locked: `_lock` notices when the file it locked has lost its name.
        _beside(self._final, ".partial.lock").unlink(missing_ok=True)
        self._lock.close()


def _beside(final: str | os.PathLike, suffix: str) -> pathlib.Path:
    final = pathlib.Path(final).resolve()
    return final.parent / (final.name + suffix)


def _lock(path: pathlib.Path, name: str) -> TextIO:
    """Locks `path` until the returned file is closed, or the process ends in whatever way."""
    while True:
        file = path.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        except BlockingIOError as error:
            file.close()
            raise ValueError(
                f"only one program at a time may write '{name}', received a second one: {path.name}"
                " is locked. Wait for the other to end, or choose another --out."
            ) from error
        file.close()


def _fsync(path: str | os.PathLike) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

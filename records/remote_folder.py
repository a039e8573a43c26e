"""A dataset's folder in an object store or a cluster's file system, through Apache Beam's clients.

gs://bucket/captcha_data, s3://..., hdfs://..., azfs://... There is no rename of folders there and
no lock. So what makes a dataset whole is its marker, provenance.json, which is written last: a
folder without it is no dataset.
"""

import logging
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterable
from typing import Any

# What is not part of the dataset while it is written; its presence says that it is.
UNFINISHED = "unfinished"


def is_url(path: str | os.PathLike) -> bool:
    """Says whether `path` is scheme://..., and so none of this machine's."""
    return "://" in os.fspath(path)


class RemoteFolder:
    """Collects files at a URL; `commit` makes them a dataset, anything else cleans up.

    As `StagedFolder`, but what is there is never replaced, and two programs that write to one URL
    at the same time are not kept apart. Killed, it leaves files without a marker and with a folder
    "unfinished", which the next one removes.
    """

    def __init__(self, url: str | os.PathLike, *, marker: str, overwrite: bool):
        """Touches nothing yet.

        Args:
          url: scheme://...
          marker: The file that is written last.
          overwrite: Must be False.

        Raises:
          ValueError: If Apache Beam is not there, or lacks the client of the URL's scheme.
        """
        self.url = os.fspath(url).rstrip("/")
        self._files = file_systems(self.url)
        self._marker = marker
        self._overwrite = overwrite
        self._committed = False

    def __enter__(self) -> "RemoteFolder":
        """Refuses what is there, or removes what a killed process left.

        Raises:
          ValueError: If there is something else.
          OSError: If the store cannot be reached, or refuses.
        """
        self.check_final()
        self._remove_all()
        with self._files.create(f"{self.url}/{UNFINISHED}/begun") as file:
            file.write(b"\n")  # Some stores keep no empty file.
        # What is made on this machine, until `commit`.
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="captcha-"))
        return self

    def __exit__(self, error_type, error, traceback) -> None:
        """Removes what was not committed."""
        shutil.rmtree(self.path, ignore_errors=True)
        if not self._committed:
            self._remove_all()

    def check_final(self) -> None:
        """Refuses a URL where there is something else than what a killed process left.

        Raises:
          ValueError: If there is.
          OSError: If the store cannot be reached, or refuses.
        """
        if self._overwrite:
            raise ValueError(
                f"--overwrite must not be set for an --out like '{self.url}', where nothing can be "
                "replaced in one step, received True. Choose another --out, or remove that one "
                "yourself."
            )
        names = self._sizes()
        begun = any(name.startswith(f"{UNFINISHED}/") for name in names)
        if names and (self._marker in names or not begun):
            raise ValueError(
                f"the output folder must not exist yet, received '{self.url}', which holds "
                f"{len(names)} files. Choose another --out, or remove that one yourself."
            )

    def sizes(self, folders: Iterable[str]) -> dict[str, int]:
        """Size in bytes of all that lies in some folders at the URL or of `path`, by its name."""
        folders = tuple(f"{folder}/" for folder in folders)
        sizes = self._sizes() | {file: size for file, (_, size) in self._local_files().items()}
        return {name: size for name, size in sizes.items() if name.startswith(folders)}

    def commit(self) -> None:
        """Copies what lies under `path` to the URL, the marker last.

        Raises:
          OSError: If the store cannot be reached, or refuses.
        """
        local = self._local_files()
        for name in sorted(local, key=lambda name: name == self._marker):
            with local[name][0].open("rb") as source, self._files.create(self._at(name)) as target:
                shutil.copyfileobj(source, target, 1 << 20)
        self._committed = True
        self._remove(name for name in self._sizes() if name.startswith(f"{UNFINISHED}/"))

    def _local_files(self) -> dict[str, tuple[pathlib.Path, int]]:
        return {
            path.relative_to(self.path).as_posix(): (path, path.stat().st_size)
            for path in self.path.rglob("*")
            if path.is_file()
        }

    def _sizes(self) -> dict[str, int]:
        (found,) = self._files.match([self._at("**")])
        start = len(self._at(""))
        return {file.path[start:]: file.size_in_bytes for file in found.metadata_list}

    def _remove_all(self) -> None:
        # The mark last: what is removed in part must still look unfinished.
        names = sorted(self._sizes(), key=lambda name: name.startswith(f"{UNFINISHED}/"))
        self._remove(name for name in names)

    def _remove(self, names: Iterable[str]) -> None:
        urls = [self._at(name) for name in names]
        if urls:
            self._files.delete(urls)

    def _at(self, name: str) -> str:
        return f"{self.url}/{name}"


def file_systems(url: str) -> Any:
    """Beam's class of functions on files anywhere.

    Raises:
      ValueError: If Apache Beam is not there, or lacks the client of the URL's scheme.
    """
    try:
        files = load_file_systems()
    except ImportError as error:
        raise ValueError(
            f"an --out like '{url}' is written by Apache Beam, received an environment without it. "
            "Type: make beam"
        ) from error
    try:
        files.get_filesystem(url)
    except (ValueError, OSError) as error:
        raise ValueError(
            "--out must be a folder, or a URL that Apache Beam has a client for, received "
            f"'{url}' ({error}). Install the client: pip install 'apache-beam[gcp]' for gs://, "
            "[aws] for s3://, [azure] for azfs://, [hadoop] for hdfs://."
        ) from error
    return files


def load_file_systems() -> Any:
    """Imports Beam, quietly: it tells of each client that is not installed.

    Raises:
      ImportError: If Apache Beam is not there.
    """
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        from apache_beam.io.filesystems import FileSystems
    finally:
        logging.disable(level)
    return FileSystems

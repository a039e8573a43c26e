"""The files of a folder of pictures, and of the folders below."""

import os
import pathlib
from collections.abc import Iterator
from typing import NamedTuple

from records.image_decoding import IMAGE_SUFFIXES
from records.layout import PROVENANCE


class FoundFile(NamedTuple):
    """A file, or something else that has the place of one."""

    name: str  # Relative to the folder, with slashes.
    path: str
    problem: str | None = None  # Why it is not to be read.


def is_named_like_a_picture(name: str) -> bool:
    """Whether a suffix says that it is a picture."""
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def files_below(folder: pathlib.Path) -> Iterator[FoundFile]:
    """Yields all files in `folder` and below it, in no order.

    Hidden files and folders are passed over, and so are datasets, which have pictures of their own.
    Folders that are named like pictures, linked or cannot be listed come as problems.
    """
    unreadable: list[OSError] = []
    for place, folders, files in os.walk(folder, onerror=unreadable.append):
        below = pathlib.PurePath(os.path.relpath(place, folder))
        if PROVENANCE in files and below.parts:
            folders.clear()
            continue
        visible = [name for name in folders if not name.startswith(".")]
        followed = []
        for name in visible:
            problem = _folder_problem(os.path.join(place, name))
            if problem is None:
                followed.append(name)
            else:
                yield FoundFile((below / name).as_posix(), os.path.join(place, name), problem)
        folders[:] = followed
        for name in files:
            if not name.startswith("."):
                yield FoundFile((below / name).as_posix(), os.path.join(place, name))
    for error in unreadable:  # os.walk would pass over them in silence.
        name = pathlib.PurePath(os.path.relpath(error.filename, folder)).as_posix()
        yield FoundFile(name, error.filename, f"cannot be listed: {error.strerror}")


def _folder_problem(path: str) -> str | None:
    if os.path.islink(path):  # It may lead back here.
        return "a link to a folder, which is not followed"
    if is_named_like_a_picture(path):
        return "a folder, not a file; what is in it is not read"
    return None

"""Picture files that captchas are drawn on."""

import pathlib
from collections.abc import Sequence

from records.image_decoding import IMAGE_SUFFIXES


def find_pictures(paths: Sequence[str]) -> tuple[str, ...]:
    """Picture files named by `paths`: files as they are, folders by the pictures below, sorted.

    Raises:
      ValueError: If a path does not exist or a folder holds no picture.
    """
    found: list[str] = []
    for path in map(pathlib.Path, paths):
        files = [path] if path.is_file() else _pictures_in(path)
        if not files:
            raise ValueError(
                "`background_pictures` must name picture files, or folders of them, received "
                f"{str(path)!r} where there is none. Correct the path."
            )
        found.extend(map(str, files))
    return tuple(found)


def _pictures_in(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()
    )

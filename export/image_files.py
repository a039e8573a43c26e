"""Which picture files a user means who names files and folders."""

import os
from collections.abc import Iterable

from records.image_decoding import IMAGE_SUFFIXES, ImageError


def find_image_files(names: Iterable[str]) -> tuple[list[str], list[ImageError]]:
    """Files as they are named; of folders the pictures in them and below, sorted.

    In a folder, pictures are told by their suffix and hidden files are left out (many a copied
    folder has `._0427.png` files that hold no picture). A file that is named itself is taken
    whatever it is called, also if it does not exist: reading it will tell.

    Returns:
      Paths in the order of `names`, beginning as the user wrote them; and an error for each folder
      that cannot be listed or has no picture.
    """
    paths, errors = [], []
    for name in names:
        if not os.path.isdir(name):
            paths.append(name)
            continue
        found, unreadable = _pictures_below(name)
        paths.extend(found)
        errors.extend(unreadable)
        if not found and not unreadable:
            errors.append(ImageError(name, "a folder without pictures"))
    return paths, errors


def _pictures_below(folder: str) -> tuple[list[str], list[ImageError]]:
    unreadable: list[ImageError] = []

    def remember(error: OSError) -> None:  # os.walk would pass over it in silence.
        unreadable.append(ImageError(error.filename, f"cannot be listed: {error.strerror}"))

    pictures = [
        os.path.join(place, file)
        for place, folders, files in os.walk(folder, onerror=remember)
        for file in files
        if not file.startswith(".") and os.path.splitext(file)[1].lower() in IMAGE_SUFFIXES
    ]
    return sorted(pictures), unreadable

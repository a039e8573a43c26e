"""Files in a dataset's folder that did not come with it: which of them make it another dataset.

People look into a folder and leave things there: .DS_Store, a notebook, a contact sheet. These do
no harm, as nothing reads them. A file does harm if a reader may take it for data. So it is a stray

- if it has `tfrecord` in its name, wherever it lies: readers find shards by that;
- if it lies under train/ or test/, where readers may take whatever is there, unless its name begins
  with a dot, as those of file managers and network file systems do;
- if it begins as a TFRecord file does, whatever it is called: a shard that was renamed or copied.
"""

import os
import pathlib
from collections.abc import Container, Iterator

from records.layout import SPLITS
from records.tfrecord import begins_with_frame


def strays(dataset_dir: pathlib.Path, listed: Container[str]) -> Iterator[str]:
    """Yields the strays among the files that are not `listed`, in order, relative to the dataset.

    Args:
      dataset_dir: The dataset.
      listed: Paths relative to it of what came with it.

    Raises:
      OSError: If a folder cannot be read.
    """
    # Splits by name, as a split may be a link to another disk, and others not followed.
    for top in (dataset_dir, *(dataset_dir / split for split in SPLITS)):
        for folder, folders, files in os.walk(top, onerror=_raise_unless_missing):
            inside = pathlib.Path(folder).relative_to(dataset_dir)
            if not inside.parts:
                folders[:] = sorted(set(folders) - set(SPLITS))
            for name in sorted([*files, *folders]):
                file = (inside / name).as_posix()
                if file not in listed and _is_stray(dataset_dir, inside / name):
                    yield file


def _is_stray(dataset_dir: pathlib.Path, file: pathlib.Path) -> bool:
    if "tfrecord" in file.name:
        return True
    path = dataset_dir / file
    if path.is_dir():
        return False
    if file.parts[0] in SPLITS and not file.name.startswith("."):
        return True
    try:
        return path.is_file() and begins_with_frame(path)
    except OSError:
        return False  # No reader can take for data what cannot be read.


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # A split's folder: its shards are missed anyway.
        raise error

"""Which file each example of an import was: sources.csv, for whoever finds a label wrong."""

import csv
import pathlib
from collections.abc import Mapping, Sequence

from data_gen.picture_files import Picture

SOURCES = "sources.csv"


def write_sources(splits: Mapping[str, Sequence[Picture]], folder: pathlib.Path) -> None:
    """Writes sources.csv: `split,index,file` a row, the index counted within the split from 0.

    Args:
      splits: The pictures of each split in the order of its records.
      folder: Of the dataset.

    Raises:
      OSError: If writing fails.
    """
    with (folder / SOURCES).open(
        "w", encoding="utf-8", errors="backslashreplace", newline=""
    ) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("split", "index", "file"))
        for split, pictures in splits.items():
            rows.writerows((split, index, picture.name) for index, picture in enumerate(pictures))

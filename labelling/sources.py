"""The names that the pictures of an imported dataset had as files."""

import csv

from records.description import DatasetDescription

_SOURCES = "sources.csv"  # With the columns split, index (in the split, from 0) and file.


def source_names(dataset: DatasetDescription) -> dict[tuple[str, str], str]:
    """The file of each example, by split and index; empty if the dataset does not say.

    Raises:
      ValueError: If sources.csv is there and is not as data_gen writes it.
      OSError: If it cannot be read.
    """
    path = dataset.dataset_dir / _SOURCES
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {(row["split"], row["index"]): row["file"] for row in csv.DictReader(file)}
    except (KeyError, ValueError, csv.Error) as error:
        raise ValueError(
            f"{path} must have the columns split,index,file, received one that cannot be read "
            f"({error!r}). Copy the dataset again, or import it again."
        ) from error

"""Labelled pictures of which it is known which labels are wrong."""

import csv
import pathlib
from typing import NamedTuple


class Labelled(NamedTuple):
    """A picture file."""

    path: pathlib.Path
    published: str
    correct: str


def published_labels(folder: str | pathlib.Path) -> list[Labelled]:
    """What labels.csv (`file,label`) of `folder` names, in its order.

    corrections.csv (`file,label,correct`) has the right text of those labels that are wrong.
    """
    folder = pathlib.Path(folder)
    corrections = {row["file"]: row["correct"] for row in csv_rows(folder / "corrections.csv")}
    return [
        Labelled(
            (folder / row["file"]).absolute(),
            row["label"],
            corrections.get(row["file"], row["label"]),
        )
        for row in csv_rows(folder / "labels.csv")
    ]


def csv_rows(path: pathlib.Path) -> list[dict[str, str]]:
    """The rows of a CSV, by the names in its first line."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

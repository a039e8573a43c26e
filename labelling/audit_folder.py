"""What an audit leaves: the pictures, the list of suspects, and labels to correct and to import.

my_audit/
  audit.csv      file,label,proposed,certainty,split,index,source: what is probably wrong, surest
                 first; source is what the file was called when it was imported, if that is known
  audit.png      the same as pictures: line of the lists, label > proposed, certainty
  labels.csv     file,label,published,certainty: every picture, the suspects first, in the order of
                 audit.csv, their label the proposed one; to be corrected and imported
  pictures/train_0000.png ...
"""

import csv
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from labelling.sheet import FIRST_LINE, write_sheet

AUDIT = "audit.csv"
LABELS = "labels.csv"
_SHEET = "audit.png"
_PICTURES = "pictures"
_CERTAINTY_DECIMALS = 4


class Picture(NamedTuple):
    """One example of the dataset."""

    file: str  # Relative to the audit's folder.
    label: str  # As the dataset has it.
    split: str
    index: int  # In the split, from 0.
    source: str  # Its name when it was imported; "" if that is not known.


class Suspect(NamedTuple):
    """A label that is probably wrong."""

    picture: Picture
    proposed: str
    certainty: float  # In [0, 1], that the label is wrong.


def save_picture(image: np.ndarray, split: str, index: int, num: int, folder: pathlib.Path) -> str:
    """Writes `image`, uint8 `[H, W, 3]`, as a PNG; `num` is how many the split has.

    Returns:
      Its name relative to `folder`. The label is not in it, as it may be wrong.
    """
    pictures = folder / _PICTURES
    pictures.mkdir(exist_ok=True)
    name = f"{split}_{index:0{len(str(num - 1))}d}.png"
    Image.fromarray(image).save(pictures / name)
    return f"{_PICTURES}/{name}"


def write_lists(
    suspects: Sequence[Suspect], others: Iterable[Picture], num_shown: int, folder: pathlib.Path
) -> None:
    """Writes audit.csv and labels.csv, and audit.png of the first `num_shown` if there are any.

    Args:
      suspects: Surest first.
      others: All other pictures.
      num_shown: At least 1.
      folder: Where `save_picture` has put the pictures.
    """
    _write_csv(folder / AUDIT, _audit_rows(suspects))
    _write_csv(folder / LABELS, _label_rows(suspects, others))
    shown = suspects[:num_shown]
    if shown:
        write_sheet(
            np.stack([np.asarray(Image.open(folder / picture.file)) for picture, _, _ in shown]),
            [
                f"{line}: {picture.label} > {proposed}  {certainty:.0%}"
                for line, (picture, proposed, certainty) in enumerate(shown, start=FIRST_LINE)
            ],
            folder / _SHEET,
        )


def _audit_rows(suspects: Iterable[Suspect]) -> Iterator[tuple]:
    yield ("file", "label", "proposed", "certainty", "split", "index", "source")
    for (file, label, split, index, source), proposed, certainty in suspects:
        yield (file, label, proposed, _shown(certainty), split, index, source)


def _label_rows(suspects: Iterable[Suspect], others: Iterable[Picture]) -> Iterator[tuple]:
    yield ("file", "label", "published", "certainty")
    for picture, proposed, certainty in suspects:
        yield (picture.file, proposed, picture.label, _shown(certainty))
    for picture in others:
        yield (picture.file, picture.label, picture.label, "")


def _shown(certainty: float) -> str:
    return f"{certainty:.{_CERTAINTY_DECIMALS}f}"


def _write_csv(path: pathlib.Path, rows: Iterable[tuple]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)

"""Labels proposed for pictures that have none, the doubtful first: a CSV to correct and import."""

import csv
import os
import pathlib
from typing import NamedTuple

import numpy as np
from PIL import Image

from export.image_files import find_image_files
from export.reader import Reader
from export.readings import Reading
from labelling.propose_config import ProposeConfig
from labelling.sheet import FIRST_LINE, write_sheet
from records.image_decoding import ImageError, decode_image_file
from records.progress import Progress

_COLUMNS = ("file", "label", "confidence")
_CONFIDENCE_DECIMALS = 6
_BATCH_SIZE = 64


class Proposed(NamedTuple):
    """What came of it."""

    num_labels: int
    num_shown: int
    unreadable: list[ImageError]


class _Proposal(NamedTuple):
    confidence: float  # First: proposals are sorted by it.
    file: str  # As the CSV has it, relative to its folder.
    label: str
    path: str


def propose_labels(config: ProposeConfig) -> Proposed:
    """Writes a CSV of `file,label,confidence` and a contact sheet of its first lines.

    The least certain come first. `file` is relative to the CSV, so that
    `python data_gen --from_images CSV` imports it as it is or as it was corrected. `confidence` is
    the network's own estimate, in [0, 1], that the whole label is right. Under each picture of the
    sheet stand its line in the CSV, the label, and the confidence in per cent.

    Raises:
      ValueError: If there is no picture that can be read, or the SavedModel cannot be used.
      OSError: If writing fails.
    """
    paths, unreadable = find_image_files([config.folder])
    listed, unlistable = _relative_names(paths, config.csv_path.parent)
    unreadable += unlistable
    proposals: list[_Proposal] = []
    if listed:
        reader = Reader(config.saved_model)
        with Progress(len(listed), "pictures", "label") as progress:
            for path, result in reader.read_files(listed, _BATCH_SIZE):
                if isinstance(result, Reading):
                    name = listed[path]
                    proposals.append(_Proposal(result.confidence, name, result.text, path))
                else:
                    unreadable.append(result)
                progress.update()
    if not proposals:
        raise ValueError(
            f"there must be a picture to label, received none: {'; '.join(map(str, unreadable))}. "
            "Name a folder that has some."
        )
    proposals.sort()
    config.csv_path.parent.mkdir(parents=True, exist_ok=True)
    # The sheet first: a list is there only when all is.
    shown = proposals[: config.num_shown]
    write_sheet(
        np.stack([_pixels(proposal.path, reader.image_shape) for proposal in shown]),
        [
            f"{line}: {proposal.label}  {proposal.confidence:.0%}"
            for line, proposal in enumerate(shown, start=FIRST_LINE)
        ],
        config.sheet_path,
    )
    _write_csv(proposals, config.csv_path)
    return Proposed(len(proposals), len(shown), unreadable)


def _relative_names(
    paths: list[str], folder: pathlib.Path
) -> tuple[dict[str, str], list[ImageError]]:
    """Each path with its name relative to `folder`; and those that no CSV can hold."""
    names, errors = {}, []
    start = _real(folder)
    for path in paths:
        place, file = os.path.split(path)
        # Of the folders only: a file that is a link is imported under the name it has here.
        name = pathlib.PurePath(os.path.relpath(_real(place), start), file).as_posix()
        if any(char < " " or "\ud800" <= char <= "\udfff" for char in name):
            errors.append(ImageError(path, "its name is no text that a CSV can have: rename it"))
        else:
            names[path] = name
    return names, errors


def _real(folder: str | os.PathLike) -> pathlib.Path:
    return pathlib.Path(os.path.realpath(folder))


def _pixels(path: str, image_shape: tuple[int, int, int]) -> np.ndarray:
    """The picture at the network's size, so that pictures of any size share a sheet."""
    height, width, _ = image_shape
    return np.asarray(decode_image_file(path).resize((width, height), Image.Resampling.BILINEAR))


def _write_csv(proposals: list[_Proposal], path: pathlib.Path) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(_COLUMNS)
            for confidence, name, label, _ in proposals:
                rows.writerow((name, label, f"{confidence:.{_CONFIDENCE_DECIMALS}f}"))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)

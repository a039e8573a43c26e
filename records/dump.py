"""A dataset's images as files again, with a list of their labels."""

import csv
import itertools
import os
import pathlib
import re

from PIL import Image

from records.description import DatasetDescription
from records.labelled_images import read_labelled_images
from records.progress import Progress
from records.staged_folder import StagedFolder

LABELS = "labels.csv"
_NOT_IN_FILE_NAMES = re.compile(r'[/\\:*?"<>|]')
_MAX_LABEL_BYTES = 200  # A whole name may have 255.


def dump(
    description: DatasetDescription, split: str, num_images: int | None, out: str | os.PathLike
) -> int:
    """Writes images of `split` as `<index>_<label>.png` into a new folder, with labels.csv.

    labels.csv has the columns `file,label`, and `python data_gen --from_images OUT` makes the same
    pixels and labels of it, whatever the labels are: in a file's name they are only for people, and
    a character that no name may have becomes `_`. The folder is filled beside its name and renamed
    last; what a killed dump left there is removed by the next one.

    Args:
      description: Of the dataset.
      split: train or test.
      num_images: How many, from the first on; None, and more than there are, is all.
      out: The folder; folders above it are made.

    Returns:
      How many images were written.

    Raises:
      ValueError: If `num_images` is below 1, `out` exists, or the dataset is damaged.
      OSError: If a file cannot be read or written.
    """
    if num_images is not None and num_images < 1:
        raise ValueError(
            f"`--n` must be 1 or more, received {num_images}. Leave it out to dump all."
        )
    if os.path.lexists(out):
        raise ValueError(
            f"`--out` must not exist yet, received '{out}', which does. Remove it, or choose "
            "another name."
        )
    num_in_split = description.num_examples(split)
    num_images = min(num_images or num_in_split, num_in_split)
    with StagedFolder(out, marker=LABELS, overwrite=False) as folder:
        _write(description, split, num_images, folder.path)
        folder.commit(durable=False)  # A dump is quickly made again.
    return num_images


def _write(
    description: DatasetDescription, split: str, num_images: int, folder: pathlib.Path
) -> None:
    index_digits = len(str(description.num_examples(split) - 1))
    with (
        (folder / LABELS).open("w", encoding="utf-8", newline="") as file,
        Progress(num_images, "images", "dump") as progress,
    ):
        labels = csv.writer(file, lineterminator="\n")
        labels.writerow(("file", "label"))
        examples = itertools.islice(read_labelled_images(description, split), num_images)
        for index, (image, label) in enumerate(examples):
            name = f"{index:0{index_digits}d}_{_in_file_name(label)}.png"
            Image.fromarray(image).save(folder / name)
            labels.writerow((name, label))
            progress.update()


def _in_file_name(label: str) -> str:
    """The label as far as a file name can have it on every system; labels.csv has all of it."""
    safe = _NOT_IN_FILE_NAMES.sub("_", label)
    return safe.encode()[:_MAX_LABEL_BYTES].decode(errors="ignore")

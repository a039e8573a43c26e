"""The picture that comes with a dataset: its first examples and their labels."""

import itertools
import pathlib
from collections.abc import Iterable

import numpy as np

from records.contact_sheet import contact_sheet

_MOST = 40
_SCALE = 2  # Captchas are small.


def write_preview(examples: Iterable[tuple[np.ndarray, str]], path: pathlib.Path) -> None:
    """Writes a contact sheet of the first 40 of `examples`; no more of them are taken.

    Args:
      examples: At least one image, uint8 `[H, W, 3]`, all of one size, with its label.
      path: The PNG to write.
    """
    images, labels = zip(*itertools.islice(examples, _MOST), strict=True)
    contact_sheet(np.stack(images), labels, scale=_SCALE).save(path)

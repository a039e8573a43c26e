"""A contact sheet as a file: what a person looks through beside a list."""

import os
import pathlib
from collections.abc import Sequence

import numpy as np

from records.contact_sheet import contact_sheet

MOST_SHOWN = 1000  # Some 8,000 pixels high; viewers give up on much larger ones.
FIRST_LINE = 2  # Of a CSV, below its header, as editors count: captions name lines.
_WIDTH_PX = 200  # Captchas are small: they are enlarged to about this.


def write_sheet(images: np.ndarray, captions: Sequence[str], path: pathlib.Path) -> None:
    """Writes the PNG `path`, in place of one that is there.

    Args:
      images: uint8 `[N, H, W, 3]`, N in [1, `MOST_SHOWN`].
      captions: A line under each.
      path: In a folder that is there.
    """
    sheet = contact_sheet(images, captions, scale=max(1, round(_WIDTH_PX / images.shape[2])))
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        sheet.save(partial, "png")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)

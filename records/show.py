"""A picture of a dataset: its first examples on one contact sheet."""

import itertools
import os
import pathlib

import numpy as np

from records.contact_sheet import contact_sheet
from records.description import DatasetDescription
from records.labelled_images import read_labelled_images

_MOST = 1000  # Some 8,000 pixels high; viewers give up on much larger ones.
_WIDTH_PX = 200  # Captchas are small: they are enlarged to about this.


def show(
    description: DatasetDescription, split: str, num_images: int, out: str | os.PathLike
) -> int:
    """Writes the first `num_images` of `split`, or all if there are fewer, into the PNG `out`.

    Returns:
      How many there are on it.

    Raises:
      ValueError: If `num_images` is not in [1, 1000], `out` is not named .png or exists, or the
        dataset is damaged.
      OSError: If a file cannot be read or written.
    """
    out = pathlib.Path(out)
    if not 1 <= num_images <= _MOST:
        raise ValueError(
            f"`--n` must be in [1, {_MOST}] for show, received {num_images}. See more of them "
            "with: python records dump"
        )
    if out.suffix.lower() != ".png":
        raise ValueError(f"`--out` must be a .png, received '{out}'. Name it so.")
    if os.path.lexists(out):
        raise ValueError(
            f"`--out` must not exist yet, received '{out}', which does. Remove it, or choose "
            "another name."
        )
    shown = list(itertools.islice(read_labelled_images(description, split), num_images))
    sheet = contact_sheet(
        np.stack([image for image, _ in shown]),
        [label for _, label in shown],
        scale=max(1, round(_WIDTH_PX / description.image_shape[1])),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f"{out.name}.{os.getpid()}.partial")
    try:
        sheet.save(partial, "png")
        os.rename(partial, out)
    finally:
        partial.unlink(missing_ok=True)
    return len(shown)

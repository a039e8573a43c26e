"""A contact sheet: many small pictures on one, each with its caption under it."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_PAPER = (255, 255, 255)
_FRAME = (205, 209, 214)  # Captchas have light backgrounds too: a frame says where one ends.
_INK = (36, 41, 47)
_FONT_SIZE_PX = 15
_MARGIN_PX = 14  # Around the sheet and between its columns.
_ROW_GAP_PX = 10  # From a caption to the picture under it, so that a caption belongs upwards.
_CAPTION_GAP_PX = 4  # From a picture to its own caption.


def contact_sheet(
    images: np.ndarray, captions: Sequence[str], *, columns: int = 8, scale: int = 1
) -> Image.Image:
    """Lays `images` out in rows of `columns`, reading order, with `captions` under them.

    Args:
      images: uint8 `[N, H, W, 3]`, RGB, N at least 1.
      captions: One line of text an image. A caption wider than its image widens all columns.
      columns: Images a row; fewer if there are fewer images.
      scale: Each pixel becomes a square of `scale` x `scale`: nothing is smoothed away.

    Returns:
      An RGB image. Equal arguments give equal pixels under the pinned packages.

    Raises:
      ValueError: If the images have another shape or dtype, the captions another number, or
        `columns` or `scale` is below 1.
    """
    _check(images, captions, columns, scale)
    font = ImageFont.load_default(size=_FONT_SIZE_PX)
    num_images, height, width = len(images), images.shape[1] * scale, images.shape[2] * scale
    columns = min(columns, num_images)
    rows = -(-num_images // columns)
    cell_width = max(width, *(round(font.getlength(caption)) for caption in captions))
    ascent, descent = font.getmetrics()
    row_height = height + _CAPTION_GAP_PX + ascent + descent + _ROW_GAP_PX
    sheet = Image.new(
        "RGB",
        (
            _MARGIN_PX + columns * (cell_width + _MARGIN_PX),
            _MARGIN_PX + rows * row_height - _ROW_GAP_PX + _MARGIN_PX,
        ),
        _PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    for index, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(index, columns)
        center = _MARGIN_PX + column * (cell_width + _MARGIN_PX) + cell_width // 2
        left, top = center - width // 2, _MARGIN_PX + row * row_height
        draw.rectangle((left - 1, top - 1, left + width, top + height), outline=_FRAME)
        picture = Image.fromarray(image)
        sheet.paste(picture.resize((width, height), Image.Resampling.NEAREST), (left, top))
        baseline = top + height + _CAPTION_GAP_PX + ascent
        draw.text((center, baseline), caption, fill=_INK, font=font, anchor="ms")
    return sheet


def _check(images: np.ndarray, captions: Sequence[str], columns: int, scale: int) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3 or 0 in images.shape:
        raise ValueError(
            f"`images` must be uint8 [N, H, W, 3] with at least one image, received "
            f"{images.dtype} {list(images.shape)}. Stack RGB images of one size."
        )
    if len(captions) != len(images):
        raise ValueError(
            f"`captions` must have one line for each of the {len(images)} images, received "
            f"{len(captions)}. Pass '' where there is nothing to say."
        )
    for name, value in (("columns", columns), ("scale", scale)):
        if value < 1:
            raise ValueError(f"`{name}` must be 1 or more, received {value}. Raise it.")

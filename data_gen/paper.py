"""What captchas are written on where it is not one plain colour: gradients, pieces of pictures."""

import functools

import numpy as np
from PIL import Image

from data_gen.kernels import layout
from data_gen.random_words import below, between
from data_gen.style import Style
from records.image_decoding import ImageError, decode_image_file

# A larger picture is first made smaller, to at most so many canvases in a row: a piece of a
# photograph as it comes from a camera would mostly be one blurred colour.
_MAX_CANVASES = 4
_DIRECTION_BITS = 20  # Whole numbers from here on, so that bytes do not hang on a processor's sine.


def draw_paper(style: Style, words: np.ndarray) -> np.ndarray:
    """Draws the background of one captcha.

    Args:
      style: Its `background` says what.
      words: Of the captcha.

    Returns:
      uint8 [height * width * 3], or [0] if the background is plain.

    Raises:
      ValueError: If a picture cannot be read.
    """
    if style.background == "gradient":
        return _gradient(style, words)
    if style.background == "pictures":
        return _piece_of_a_picture(style, words)
    return np.empty(0, np.uint8)


def _gradient(style: Style, words: np.ndarray) -> np.ndarray:
    """From one colour to another, in any direction; they meet in opposite corners or sides."""
    first, second = (
        np.array([between(word, style.background_colour) for word in words[at : at + 3]])
        for at in (layout.BACKGROUND, layout.SECOND_BACKGROUND)
    )
    turn = 2 * np.pi * int(words[layout.DIRECTION]) / 2**32
    across, down = (
        round(float(part) * 2**_DIRECTION_BITS) for part in (np.cos(turn), np.sin(turn))
    )
    # From the middle, in half pixels.
    x = 2 * np.arange(style.width_px) - (style.width_px - 1)
    y = 2 * np.arange(style.height_px) - (style.height_px - 1)
    along = (y[:, None] * down + x * across)[..., None]  # [height, width, 1]
    most = max(1, int(along.max()))
    return (
        ((first * (most - along) + second * (most + along)) // (2 * most)).astype(np.uint8).ravel()
    )


def _piece_of_a_picture(style: Style, words: np.ndarray) -> np.ndarray:
    paths = style.background_paths
    picture = _load_picture(
        paths[below(words[layout.PICTURE], len(paths))], style.width_px, style.height_px
    )
    height, width, _ = picture.shape
    left = below(words[layout.PICTURE + 1], width - style.width_px + 1)
    top = below(words[layout.PICTURE + 2], height - style.height_px + 1)
    piece = picture[top : top + style.height_px, left : left + style.width_px]
    return np.ascontiguousarray(piece).ravel()


@functools.lru_cache(maxsize=1000)
def _load_picture(path: str, width: int, height: int) -> np.ndarray:
    """uint8 [at least height, at least width, 3], and at most `_MAX_CANVASES` times one of them."""
    try:
        image = decode_image_file(path)
    except (ImageError, OSError) as error:
        raise ValueError(
            f"`background_pictures` must be pictures, received {path!r} ({error}). Leave it out."
        ) from error
    just_covers = max(width / image.width, height / image.height)
    scale = min(max(1.0, just_covers), _MAX_CANVASES * just_covers)
    if scale != 1.0:
        size = max(width, round(image.width * scale)), max(height, round(image.height * scale))
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.array(image)

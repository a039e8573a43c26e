"""The captchas of the golden picture: the first eight of seed 0, with their character maps."""

import numpy as np

from data_gen.example import make_example
from data_gen.style import Style


def draw_tiny_captchas() -> np.ndarray:
    """uint8 `[8 * 30, 200, 3]`: a row a captcha, its map beside it, 60 grey levels a character."""
    rows = []
    for index in range(8):
        example = make_example(Style(), 0, "train", index, with_map=True)
        shown_map = np.repeat(60 * example.character_map[..., None], 3, axis=-1)
        rows.append(np.concatenate([example.image, shown_map], axis=1))
    return np.concatenate(rows)

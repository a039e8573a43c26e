"""The captchas of the golden pictures: eight of seed 0 in each preset, with their maps."""

import numpy as np

from data_gen.example import make_example
from data_gen.style_file import load_style


def draw_tiny_captchas(preset: str) -> np.ndarray:
    """uint8 `[8 * height, 2 * width, 3]`: a row a captcha and its map, 40 greys a character."""
    style, rows = load_style(preset), []
    for index in range(8):
        example = make_example(style, 0, "train", index, with_map=True)
        shown_map = np.repeat(40 * example.character_map[..., None], 3, axis=-1)
        rows.append(np.concatenate([example.image, shown_map], axis=1))
    return np.concatenate(rows)

"""Draws the pictures of docs/styles.md: a sheet a preset, and one of all knobs.

python docs/draw_styles.py
"""

import dataclasses
import pathlib
import sys
from typing import Any

_DOCS = pathlib.Path(__file__).resolve().parent
sys.path[0] = str(_DOCS.parent)

import numpy as np
from PIL import Image

import command_line
from data_gen.example import make_example
from data_gen.preview import write_preview
from data_gen.style import Style
from data_gen.style_file import PRESETS, load_style
from records.contact_sheet import contact_sheet

_SHOWN = 16  # Captchas of a preset.
_EACH = 2  # Captchas of a knob's setting.
_SEED = 1

# Key of a style file: three settings, the library's own in the middle where it has one.
_KNOBS: dict[str, list[dict[str, Any]]] = {
    "font_sizes": [{"font_sizes": sizes} for sizes in ((0.5,), (0.7, 0.83, 0.93), (0.93,))],
    "rotation": [{"rotation_degrees": pair} for pair in ((0, 0), (-30, 30), (-60, 60))],
    "warp_x": [{"warp_x": pair} for pair in ((0, 0), (0.1, 0.3), (0.3, 0.8))],
    "warp_y": [{"warp_y": pair} for pair in ((0, 0), (0.2, 0.3), (0.2, 0.6))],
    "gap_probability": [{"gap_probability": value} for value in (0, 0.5, 1)],
    "overlap": [{"overlap": value} for value in (0, 0.25, 0.6)],
    "text_colour": [{"text_colour": pair} for pair in ((0, 60), (10, 200), (150, 220))],
    "text_opacity": [{"text_opacity": pair} for pair in ((60, 60), (220, 255), (255, 255))],
    "contrast": [{"contrast": value} for value in (1, 1.97, 10)],
    "colour_per_character": [{"colour_per_character": value} for value in (False, True)],
    "background_colour": [
        {"background_colour": pair} for pair in ((255, 255), (238, 255), (120, 255))
    ],
    "background": [
        {"background": "plain"},
        {"background": "gradient", "background_colour": (170, 255)},
        {"background": "pictures"},
    ],
    "dots": [{"num_dots": pair} for pair in ((0, 0), (30, 30), (100, 100))],
    "dot_width": [{"dot_width_px": value} for value in (1, 3, 6)],
    "curves": [{"num_curves": pair} for pair in ((0, 0), (1, 1), (4, 4))],
    "curve_width": [{"curve_width_px": value} for value in (1, 2, 4)],
    "smooth": [{"smooth": value} for value in (False, True)],
    "pixel_noise": [{"pixel_noise": pair} for pair in ((0, 0), (20, 20), (60, 60))],
}


def main(_: list[str]) -> None:
    """Writes docs/styles/*.png."""
    folder = _DOCS / "styles"
    folder.mkdir(exist_ok=True)
    for name in PRESETS:
        style = load_style(name)
        drawn = (make_example(style, 0, "train", index) for index in range(_SHOWN))
        write_preview(((one.image, one.label) for one in drawn), folder / f"{name}.png")
    paper = folder / "paper.jpg"
    _paper().save(paper, quality=90)
    images, captions = [], []
    for knob, settings in _KNOBS.items():
        for number in range(3):
            changes = dict(settings[number]) if number < len(settings) else {}
            if changes.get("background") == "pictures":
                changes["background_paths"] = (str(paper),)
            style = dataclasses.replace(Style(), **changes)
            for index in range(_EACH):
                image = make_example(style, _SEED, "train", index).image
                images.append(image if number < len(settings) else np.full_like(image, 255))
                captions.append(_caption(knob, changes) if number < len(settings) else "")
    contact_sheet(np.stack(images), captions, columns=3 * _EACH, scale=2).save(folder / "knobs.png")


def _caption(knob: str, changes: dict[str, Any]) -> str:
    value = next(iter(changes.values()))
    shown = {tuple: lambda: list(value), bool: lambda: str(value).lower()}.get(
        type(value), lambda: value
    )()
    return f"{knob} = {shown}"


def _paper() -> Image.Image:
    """A picture to cut backgrounds from: blurred colour noise, like crumpled paper."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(150, 256, size=(12, 16, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC)


if __name__ == "__main__":
    command_line.run(main)

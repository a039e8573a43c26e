"""Example number `index` of a split: its label and picture, a function of (seed, split, index)."""

from typing import NamedTuple

import numpy as np

from data_gen.example_stream import example_stream
from data_gen.render import render, render_with_map
from data_gen.style import Style
from records.labels import classes_of

# The second word of an example's seed. "fresh" is never written to a dataset: measurements draw
# from it what no training can have seen.
SPLIT_IDS = {"train": 0, "test": 1, "fresh": 2}


class Example(NamedTuple):
    """One labelled picture."""

    label: str  # "0427"
    digits: np.ndarray  # int64 [style.max_length], see records/labels.py
    image: np.ndarray  # uint8 [H, W, 3]
    character_map: np.ndarray | None  # uint8 [H, W], see `render_with_map`


def make_example(
    style: Style,
    seed: int,
    split: str,
    index: int,
    *,
    with_map: bool = False,
    renderer: str = "fast",
) -> Example:
    """Draws example `index` of `split`.

    Labels are uniform over all strings of the alphabet, repeats and leading zeros included; where
    their length varies it is drawn first, uniform too. The result depends on the arguments alone,
    whatever was drawn before and in whichever process.

    Args:
      style: How captchas look.
      seed: Non-negative; another seed gives other pictures.
      split: A key of `SPLIT_IDS`.
      index: Non-negative.
      with_map: Also draw the character map.
      renderer: One of `data_gen.render.RENDERERS`.
    """
    rng = example_stream(seed, SPLIT_IDS[split], index)
    length = style.max_length
    if style.variable_length:
        length = int(rng.integers(style.min_length, style.max_length + 1))
    drawn = rng.integers(len(style.alphabet), size=length)
    label = "".join([style.alphabet[index] for index in drawn.tolist()])
    digits = classes_of(label, style.alphabet, style.max_length) if style.variable_length else drawn
    if with_map:
        image, character_map = render_with_map(style, label, rng, renderer)
    else:
        image, character_map = render(style, label, rng, renderer), None
    return Example(label, digits, image, character_map)

"""Example number `index` of a split: its label and picture, a function of (seed, split, index)."""

from typing import NamedTuple

import numpy as np

from data_gen.render import render, render_with_map
from data_gen.style import Style

# The second word of an example's seed. "fresh" is never written to a dataset: measurements draw
# from it what no training can have seen.
SPLIT_IDS = {"train": 0, "test": 1, "fresh": 2}


class Example(NamedTuple):
    """One labelled picture."""

    label: str  # "0427"
    digits: np.ndarray  # int64 [num_positions], indices into the alphabet
    image: np.ndarray  # uint8 [H, W, 3]
    character_map: np.ndarray | None  # uint8 [H, W], see `render_with_map`


def make_example(
    style: Style, seed: int, split: str, index: int, with_map: bool = False
) -> Example:
    """Draws example `index` of `split`.

    Labels are uniform over all strings of the alphabet, repeats and leading zeros included. The
    result depends on the arguments alone, whatever was drawn before and in whichever process.

    Args:
      style: How captchas look.
      seed: Non-negative; another seed gives other pictures.
      split: A key of `SPLIT_IDS`.
      index: Non-negative.
      with_map: Also draw the character map.
    """
    rng = np.random.default_rng((seed, SPLIT_IDS[split], index))
    digits = rng.integers(len(style.alphabet), size=style.num_positions)
    label = "".join(style.alphabet[digit] for digit in digits)
    if with_map:
        image, character_map = render_with_map(style, label, rng)
    else:
        image, character_map = render(style, label, rng), None
    return Example(label, digits, image, character_map)

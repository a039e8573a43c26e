"""A captcha with the random words that it was drawn from, so that it can be drawn otherwise."""

import dataclasses
from typing import NamedTuple

import numpy as np

from data_gen.example import SPLIT_IDS
from data_gen.example_stream import example_stream
from data_gen.fast_renderer import fast_renderer
from data_gen.kernels import layout
from data_gen.random_words import at_character, draw_words
from data_gen.style import Style


class KnownCaptcha(NamedTuple):
    """A picture and everything that decided it."""

    style: Style
    label: str
    words: np.ndarray  # uint32, see data_gen/kernels/layout.py.
    image: np.ndarray  # uint8 [H, W, 3]


def draw_known(style: Style, seed: int, index: int) -> KnownCaptcha:
    """Example `index` of the split "fresh", as `make_example` draws it, byte for byte.

    Raises:
      ValueError: If labels of the style vary in length or it has pixel noise: such pictures hang
        on more than label and words.
    """
    if style.variable_length or style.pixel_noise[1] > 0:
        raise ValueError(
            "`style` must have one length and no pixel noise, received length "
            f"{style.min_length} to {style.max_length} and noise of {style.pixel_noise[1]} levels. "
            "Take another one, for example the preset default."
        )
    rng = example_stream(seed, SPLIT_IDS["fresh"], index)
    drawn = rng.integers(len(style.alphabet), size=style.max_length)
    label = "".join(style.alphabet[digit] for digit in drawn.tolist())
    words = draw_words(style, rng)
    return KnownCaptcha(style, label, words, fast_renderer(style).render_words(label, words))


def with_character(known: KnownCaptcha, position: int, char: str) -> KnownCaptcha:
    """The same captcha, colours, places, turns, dots and curve, with another character there."""
    label = known.label[:position] + char + known.label[position + 1 :]
    image = fast_renderer(known.style).render_words(label, known.words)
    return known._replace(label=label, image=image)


def without_last_dot(known: KnownCaptcha) -> np.ndarray:
    """Its picture with a dot less, uint8 [H, W, 3]."""
    style = known.style
    least, most = (max(0, dots - 1) for dots in style.num_dots)
    fewer = dataclasses.replace(style, num_dots=(least, most))
    return fast_renderer(fewer).render_words(known.label, known.words)


def glyph_words(position: int) -> np.ndarray:
    """Which words decide how a character is turned and warped: rotation, and 6 of its warp."""
    return at_character(position) + layout.OF_GLYPH + np.arange(3, 10)


def place_words(position: int) -> np.ndarray:
    """Which words decide how large a character is, and where it and the next one stand."""
    of_place = (
        layout.OF_GAP,
        layout.OF_SPACER,
        layout.OF_GLYPH,  # Its font, in one of the sizes.
        layout.OF_SPACER_SHIFT,
        layout.OF_GLYPH_SHIFT,
    )
    return at_character(position) + np.array(of_place)

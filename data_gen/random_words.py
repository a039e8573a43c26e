"""The randomness of one captcha: all of it in one draw, the same for every renderer."""

import numpy as np

from data_gen.kernels import layout
from data_gen.style import Style


def draw_words(style: Style, rng: np.random.Generator) -> np.ndarray:
    """uint32 [n], n by the style alone; `kernels/layout.py` says which word decides what."""
    return rng.integers(2**32, size=at_dots(style) + num_words_of_dots(style), dtype=np.uint32)


def at_character(position: int) -> int:
    """Where the words of a character begin."""
    return layout.CHARACTERS + position * layout.WORDS_PER_CHARACTER


def at_curves(style: Style) -> int:
    """Where the words of curves begin."""
    return at_character(style.max_length)


def at_dots(style: Style) -> int:
    """Where the words of dots begin."""
    return at_curves(style) + style.num_curves[1] * layout.WORDS_PER_CURVE


def num_words_of_dots(style: Style) -> int:
    """How many there are."""
    return style.num_dots[1] * layout.WORDS_PER_DOT


def below(word: int, bound: int) -> int:
    """The whole number in [0, bound) that a word stands for.

    Multiply and shift: one draw whatever the bound. Its bias is bound / 2**32, below one in a
    million here.
    """
    return int(word) * bound >> 32


def between(word: int, pair: tuple[int, int]) -> int:
    """The whole number in [pair[0], pair[1]] that it stands for."""
    return pair[0] + below(word, pair[1] - pair[0] + 1)

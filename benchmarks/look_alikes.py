"""Which characters could have made a captcha: each is drawn into it, turned and warped to fit.

A character that nobody could tell from the right one is one whose best drawing is the picture.
"""

from typing import NamedTuple

import numpy as np

from benchmarks.known_captcha import KnownCaptcha, glyph_words, place_words
from data_gen.fast_renderer import fast_renderer
from data_gen.random_words import at_curves

_WORDS = 2.0**32
_STARTS = 4
_RANDOM = 0.25  # Of the drawings of a start: at random, before the best of them is improved.
_REACHES = (0.15, 0.03)  # How far a word is moved, as a deviation, of its range.


class Drawing(NamedTuple):
    """A drawing of another character, and how far it is from the picture."""

    squares: (
        float  # Sum of the squared differences of all channels of all pixels, in levels of 255.
    )
    most: int  # The largest of the differences.
    pixels: int  # How many pixels differ by more than 8 levels in a channel.


def difference(image: np.ndarray, other: np.ndarray) -> Drawing:
    """How far two pictures, uint8 [H, W, 3], are from each other."""
    levels = np.abs(image.astype(np.int32) - other)
    return Drawing(
        squares=float((levels * levels).sum()),
        most=int(levels.max()),
        pixels=int((levels.max(axis=-1) > 8).sum()),
    )


def read_by_drawing(
    known: KnownCaptcha, position: int, rng: np.random.Generator, drawings: int
) -> dict[str, Drawing]:
    """Of each character the nearest drawing, with all but its rotation and warp known.

    They are searched from nothing, for the right character as for the others.

    Args:
      known: The captcha.
      position: Of the character, from 0 on.
      rng: Chooses what is tried.
      drawings: How many are tried of each character.
    """
    free = glyph_words(position)
    nearest = {}
    for char in known.style.alphabet:
        picture = _Picture(known, position, char, free)
        found = []
        for _ in range(_STARTS):
            tries = rng.random((max(1, int(_RANDOM * drawings / _STARTS)), free.size))
            begin = min(tries, key=picture.squares)
            found.append(picture.improved(begin, rng, drawings // _STARTS - len(tries)))
        nearest[char] = picture.drawing(min(found, key=picture.squares))
    return nearest


def nearest_look_alike(
    known: KnownCaptcha, position: int, char: str, rng: np.random.Generator, drawings: int
) -> Drawing:
    """The drawing of the captcha with `char` at `position` that is nearest to the picture.

    The search begins with the captcha's own words, and then moves size, place, rotation and warp of
    every character, dots and curve; the colours stay.
    """
    style = known.style
    words = [each(at) for at in range(style.max_length) for each in (glyph_words, place_words)]
    free = np.concatenate([*words, np.arange(at_curves(style), known.words.size)])
    picture = _Picture(known, position, char, free)
    return picture.drawing(picture.improved(known.words[free] / _WORDS, rng, drawings))


class _Picture:
    """A captcha with a character exchanged, as a function of some of its words, in [0, 1)."""

    def __init__(self, known: KnownCaptcha, position: int, char: str, free: np.ndarray):
        self._image, self._words, self._free = (
            known.image.astype(np.int32),
            known.words.copy(),
            free,
        )
        self._label = known.label[:position] + char + known.label[position + 1 :]
        self._renderer = fast_renderer(known.style)

    def squares(self, values: np.ndarray) -> float:
        levels = (self._drawn(values) - self._image).ravel()
        return float(levels @ levels)

    def drawing(self, values: np.ndarray) -> Drawing:
        return difference(self._image, self._drawn(values))

    def improved(self, values: np.ndarray, rng: np.random.Generator, steps: int) -> np.ndarray:
        """One or two words are moved at a time, and stay there if that is no worse."""
        squares = self.squares(values)
        for _ in range(steps):
            moved = values.copy()
            some = rng.integers(values.size, size=rng.integers(1, 3))
            moved[some] += rng.normal(0, _REACHES[rng.integers(len(_REACHES))], some.size)
            moved = np.clip(moved, 0, 1 - 1e-9)
            moved_squares = self.squares(moved)
            if moved_squares <= squares:
                values, squares = moved, moved_squares
        return values

    def _drawn(self, values: np.ndarray) -> np.ndarray:
        self._words[self._free] = (values * _WORDS).astype(np.uint32)
        return self._renderer.render_words(self._label, self._words)

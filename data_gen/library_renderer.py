"""Draws captchas with the `captcha` library's own code.

The library takes its randomness from `secrets`, which cannot be seeded. So a private copy of its
module is run whose `secrets` reads our random words. The copy that the rest of the process imports
stays untouched.
"""

import functools
import importlib.util
import threading
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any

import captcha.image
import numpy as np
from PIL import Image, ImageDraw

from data_gen.fast_renderer import MAP_THRESHOLD
from data_gen.kernels import layout
from data_gen.random_words import at_character, at_curves, at_dots, below, between, draw_words
from data_gen.style import Style

_WHITE = (255, 255, 255, 255)
_BLACK = (0, 0, 0)

_OF_THREAD = threading.local()


def check_library_can_draw(style: Style) -> None:
    """Refuses what no function of the library draws.

    Raises:
      ValueError: Names the knobs.
    """
    knobs = {
        "background": style.background != "plain",
        "curve_width": style.curve_width_px != 1,
        "smooth": not style.smooth,
        "pixel_noise": style.pixel_noise != (0, 0),
    }
    ours = [f"`{knob}`" for knob, is_ours in knobs.items() if is_ours]
    if ours:
        raise ValueError(
            "the renderer `captcha` must get a style that the library can draw, received one that "
            f"sets {', '.join(ours)}. Leave that out, or take the renderer `fast`."
        )


class LibraryRenderer:
    """Draws in one style, in one thread."""

    def __init__(self, style: Style):
        check_library_can_draw(style)
        self._style = style
        library = _private_library()
        self._drawer = _drawer_class(library)(style, library.secrets)

    def render(self, label: str, rng: np.random.Generator) -> np.ndarray:
        """uint8 `[style.height_px, style.width_px, 3]`."""
        return self._render(label, draw_words(self._style, rng).tolist())

    def render_with_map(
        self, label: str, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same picture, and its map, uint8 `[style.height_px, style.width_px]`."""
        words = draw_words(self._style, rng).tolist()
        image = self._render(label, words)
        character_map = np.zeros(image.shape[:2], np.uint8)
        for position in range(len(label)):
            alone = self._drawer.draw(label, words, _BLACK, _WHITE, only=position)
            character_map[np.asarray(alone.convert("L")) >= MAP_THRESHOLD] = position + 1
        return image, character_map

    def _render(self, label: str, words: list[int]) -> np.ndarray:
        style = self._style
        background = tuple(
            between(word, style.background_colour)
            for word in words[layout.BACKGROUND : layout.BACKGROUND + 3]
        )
        text = _text_colour(style, words[layout.TEXT : layout.TEXT + 4])
        return np.asarray(self._drawer.draw(label, words, background, text))


def library_renderer(style: Style) -> LibraryRenderer:
    """The renderer of a style, in this thread."""
    if not hasattr(_OF_THREAD, "make"):
        _OF_THREAD.make = functools.lru_cache(maxsize=32)(LibraryRenderer)
    return _OF_THREAD.make(style)


class _WordsAsSecrets:
    """What the library calls of the standard module `secrets`, from random words."""

    def __init__(self):
        self._words: Iterator[int] = iter(())

    def follow(self, words: Iterable[int]) -> None:
        """The next draws come from `words`, one each."""
        self._words = iter(words)

    def randbits(self, num_bits: int) -> int:
        return next(self._words) >> (32 - num_bits)

    def randbelow(self, bound: int) -> int:
        return below(next(self._words), bound)

    def choice(self, items: Sequence[Any]) -> Any:
        return items[self.randbelow(len(items))]


def _private_library() -> ModuleType:
    spec = importlib.util.spec_from_file_location("_seeded_captcha_image", captcha.image.__file__)
    library = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(library)
    library.secrets = _WordsAsSecrets()
    return library


def _text_colour(style: Style, words: Sequence[int]) -> tuple[int, int, int, int]:
    opacity = between(words[0], style.text_opacity)
    red, green, blue = (between(word, style.text_colour) for word in words[1:])
    return red, green, blue, opacity


def _drawer_class(library: ModuleType) -> type:
    """ImageCaptcha with the knobs of a style, each step of it told which words are its own."""

    class Drawer(library.ImageCaptcha):
        def __init__(self, style: Style, source: _WordsAsSecrets):
            super().__init__(
                style.width_px,
                style.height_px,
                fonts=list(style.fonts),
                font_sizes=style.font_sizes_px,
            )
            self.lookup_table = [int(grey * style.contrast) for grey in range(256)]
            self.character_rotate = style.rotation_degrees
            self.character_warp_dx = style.warp_x
            self.character_warp_dy = style.warp_y
            self.word_space_probability = 1 - style.gap_probability
            self.word_offset_dx = style.overlap
            self._style = style
            self._source = source

        def draw(
            self, label: str, words: list[int], background: Any, text: Any, only: int | None = None
        ) -> Image.Image:
            self._label, self._words, self._only = label, words, only
            # The library draws a colour also where it is given one.
            self._source.follow(words[layout.TEXT : layout.TEXT + 4])
            return self.generate_image(label, bg_color=background, fg_color=text)

        def create_captcha_image(self, chars: str, color: Any, background: Any) -> Image.Image:
            self._position = 0
            self._shifts: list[int] = []
            self._source.follow(self._own(at_character(0) + layout.OF_GAP, 1))
            return super().create_captcha_image(chars, color, background)

        def _draw_character(self, char: str, draw: ImageDraw.ImageDraw, color: Any) -> Image.Image:
            position, at = self._position, at_character(self._position)
            if char == " ":  # A gap before the character; no alphabet has blanks.
                self._source.follow(self._own(at + layout.OF_SPACER, 10))
                self._shifts += self._own(at + layout.OF_SPACER_SHIFT, 1)
                return super()._draw_character(char, draw, color)
            if self._style.colour_per_character and self._only is None:
                color = _text_colour(self._style, self._own(at + layout.OF_COLOUR, 4))
            self._source.follow(self._own(at + layout.OF_GLYPH, 10))
            self._shifts += self._own(at + layout.OF_GLYPH_SHIFT, 1)
            glyph = super()._draw_character(char, draw, color)
            self._position += 1
            if self._position < len(self._label):
                self._source.follow(self._own(at_character(self._position) + layout.OF_GAP, 1))
            else:  # Pasting begins.
                self._source.follow(self._shifts)
            return glyph if self._only in (None, position) else Image.new(glyph.mode, glyph.size)

        def create_noise_dots(self, image: Image.Image, color: Any) -> Image.Image:
            if self._only is None:
                number = between(self._words[layout.HOW_MANY_DOTS], self._style.num_dots)
                self._source.follow(self._words[at_dots(self._style) :])
                super().create_noise_dots(image, color, self._style.dot_width_px, number)
            return image

        def create_noise_curve(self, image: Image.Image, color: Any) -> Image.Image:
            if self._only is None:
                self._source.follow(self._words[at_curves(self._style) :])
                number = between(self._words[layout.HOW_MANY_CURVES], self._style.num_curves)
                for _ in range(number):
                    super().create_noise_curve(image, color)
            return image

        def _own(self, at: int, number: int) -> list[int]:
            return self._words[at : at + number]

    return Drawer

"""Draws captchas with compiled kernels: the library's pictures byte for byte, and fast."""

import functools

import numpy as np
from PIL import Image, ImageDraw

from data_gen.glyphs import load_glyphs
from data_gen.kernels import layout
from data_gen.paper import draw_paper
from data_gen.random_words import draw_words
from data_gen.style import Style

# Of 255: where a character's own grey, drawn white on black, counts as its pixel in the map.
MAP_THRESHOLD = 96

_NO_NOISE = np.empty(0, np.uint16)
_NO_MAP = np.empty(0, np.uint8)


class FastRenderer:
    """Draws in one style. Threads may share it, and draw side by side."""

    def __init__(self, style: Style):
        # Here and not above: --help answers at once, numba takes half a second to load.
        from data_gen.kernels.captcha import draw_captcha  # noqa: PLC0415

        glyphs = load_glyphs(style)
        self._draw_captcha = draw_captcha
        self._style = style
        self._index_of = {char: index for index, char in enumerate(style.alphabet)}
        mask_of = [min(int(grey * style.contrast), 255) for grey in range(256)]
        self._constants = (
            glyphs.table,
            glyphs.pool,
            glyphs.spacers,
            _numbers(style),
            _knobs(style),
            np.array(mask_of, np.uint8),
            _stamp(style.dot_width_px),
        )

    def render(self, label: str, rng: np.random.Generator) -> np.ndarray:
        """uint8 `[style.height_px, style.width_px, 3]`."""
        return self._render(label, rng, _NO_MAP)

    def render_with_map(
        self, label: str, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same picture, and its map, uint8 `[style.height_px, style.width_px]`."""
        character_map = np.empty((self._style.height_px, self._style.width_px), np.uint8)
        return self._render(label, rng, character_map.reshape(-1)), character_map

    def render_words(self, label: str, words: np.ndarray) -> np.ndarray:
        """The picture that random words make, as `random_words.draw_words` gives them.

        Where two labels have boxes of equal size, as the default style's digits have, the picture
        of the one and of the other differ in nothing but the glyphs.

        Returns:
          uint8 `[style.height_px, style.width_px, 3]`; without pixel noise, which has no words.
        """
        return self._draw(label, words, _NO_NOISE, _NO_MAP)

    def _render(
        self, label: str, rng: np.random.Generator, character_map: np.ndarray
    ) -> np.ndarray:
        style = self._style
        words = draw_words(style, rng)
        noise = _NO_NOISE
        if style.pixel_noise[1] > 0:
            num_bytes = style.height_px * style.width_px * 3
            noise = rng.integers(2**16, size=num_bytes, dtype=np.uint16)
        return self._draw(label, words, noise, character_map)

    def _draw(
        self, label: str, words: np.ndarray, noise: np.ndarray, character_map: np.ndarray
    ) -> np.ndarray:
        style, index_of = self._style, self._index_of
        image = np.empty((style.height_px, style.width_px, 3), np.uint8)
        self._draw_captcha(
            words,
            np.array([index_of[char] for char in label], np.int64),
            *self._constants,
            draw_paper(style, words),
            noise,
            image.reshape(-1),
            MAP_THRESHOLD,
            character_map,
        )
        return image


@functools.lru_cache(maxsize=32)
def fast_renderer(style: Style) -> FastRenderer:
    """The renderer of a style, with its masks drawn."""
    return FastRenderer(style)


def _numbers(style: Style) -> np.ndarray:
    numbers = np.zeros(layout.NUM_NUMBERS, np.int64)
    numbers[layout.WIDTH], numbers[layout.HEIGHT] = style.width_px, style.height_px
    numbers[layout.MAX_LENGTH], numbers[layout.ALPHABET] = style.max_length, len(style.alphabet)
    numbers[layout.COLOUR_PER_CHARACTER] = style.colour_per_character
    numbers[layout.CURVE_WIDTH], numbers[layout.SMOOTH] = style.curve_width_px, style.smooth
    for at, pair in (
        (layout.BACKGROUND_COLOUR, style.background_colour),
        (layout.TEXT_COLOUR, style.text_colour),
        (layout.TEXT_OPACITY, style.text_opacity),
        (layout.NUM_DOTS, style.num_dots),
        (layout.NUM_CURVES, style.num_curves),
        (layout.PIXEL_NOISE, style.pixel_noise),
    ):
        numbers[at : at + 2] = pair
    return numbers


def _knobs(style: Style) -> np.ndarray:
    knobs = np.zeros(layout.NUM_KNOBS, np.float64)
    knobs[layout.ROTATION : layout.ROTATION + 2] = style.rotation_degrees
    knobs[layout.WARP_X : layout.WARP_X + 2] = style.warp_x
    knobs[layout.WARP_Y : layout.WARP_Y + 2] = style.warp_y
    knobs[layout.NO_GAP], knobs[layout.OVERLAP] = 1 - style.gap_probability, style.overlap
    return knobs


def _stamp(width_px: int) -> np.ndarray:
    """int64 [pixels * 2], x and y of a dot's pixels, from its place; as ImageDraw draws it."""
    middle = width_px + 4
    image = Image.new("L", (2 * middle, 2 * middle))
    line = (middle, middle), (middle - 1, middle - 1)
    ImageDraw.Draw(image).line(line, fill=255, width=width_px)
    rows, columns = np.nonzero(np.asarray(image))
    return np.stack([columns - middle, rows - middle], axis=1).astype(np.int64).ravel()

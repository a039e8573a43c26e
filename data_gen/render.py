"""Draws one captcha: a pure function of style, label and generator, through the captcha library.

The picture is the library's own: its code draws it. The library takes its randomness from
`secrets`, which cannot be seeded, so this module runs a private copy of the library's module
whose `secrets` is our generator. The copy that the rest of the process imports stays untouched.
"""

import functools
import importlib.util
import random
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import captcha.image
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_gen.style import Style

# Of 255: where a glyph's own grey, drawn white on black, counts as its pixel in the map.
_MAP_THRESHOLD = 96
_WHITE = (255, 255, 255, 255)
_BLACK = (0, 0, 0)


def render(style: Style, label: str, rng: np.random.Generator) -> np.ndarray:
    """Draws `label` as one captcha in `style`.

    The picture depends on the arguments alone: equal styles, labels and generator states give
    equal bytes under the pinned packages. `rng` advances, so give each example its own.

    Args:
      style: Canvas, alphabet and fonts.
      label: Exactly `style.num_positions` characters of `style.alphabet`.
      rng: The only source of randomness: colours, font size, rotation, warp, gaps, dots, curve.

    Returns:
      uint8 `[style.height_px, style.width_px, 3]`, RGB, 0 is black.

    Raises:
      ValueError: If `label` has another length or a character outside the alphabet.
    """
    _check_label(style, label)
    library, source = _seeded_library()
    source.seed(_seed_from(rng))
    return np.asarray(_drawer(style, library).generate_image(label))


def render_with_map(
    style: Style, label: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The same picture as `render`, and which pixels belong to which character.

    Returns:
      image: As `render` gives it, byte for byte.
      map: uint8 `[style.height_px, style.width_px]`, 0 background, k the pixels of character k
        (1 to `style.num_positions`); where two overlap, the later one, which is drawn on top.
        Dots and curve do not count.

    Raises:
      ValueError: As `render`.
    """
    _check_label(style, label)
    library, source = _seeded_library()
    seed = _seed_from(rng)
    source.seed(seed)
    drawer = _drawer(style, library)
    image = np.asarray(drawer.generate_image(label))
    character_map = np.zeros(image.shape[:2], np.uint8)
    for position in range(style.num_positions):
        # Drawn again from the same seed with all other characters left blank: the geometry is the
        # same, as every draw happens in the same order.
        source.seed(seed)
        drawer.only_position = position
        try:
            alone = drawer.generate_image(label)
        finally:
            drawer.only_position = None
        character_map[np.asarray(alone.convert("L")) >= _MAP_THRESHOLD] = position + 1
    return image, character_map


class _SeededSecrets:
    """What the library calls of the standard module `secrets`, from a seed."""

    def __init__(self):
        self._bits = random.Random().getrandbits
        self.seed(0)

    def seed(self, seed: int) -> None:
        self._bits = random.Random(seed).getrandbits

    def randbits(self, num_bits: int) -> int:
        return self._bits(num_bits)

    def randbelow(self, bound: int) -> int:
        # Multiply and shift: one draw whatever the bound, and independent of how a Python version
        # implements `randrange`. Its bias is bound / 2**32, below one in a million here.
        return self._bits(32) * bound >> 32

    def choice(self, items: Sequence[Any]) -> Any:
        return items[self.randbelow(len(items))]


@functools.cache
def _seeded_library() -> tuple[ModuleType, _SeededSecrets]:
    spec = importlib.util.spec_from_file_location("_seeded_captcha_image", captcha.image.__file__)
    library = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(library)
    library.secrets = _SeededSecrets()
    return library, library.secrets


@functools.cache
def _drawer(style: Style, library: ModuleType) -> Any:
    """The library's drawer for a style; it loads its fonts once."""

    class Drawer(library.ImageCaptcha):
        only_position: int | None = None  # Set: the other characters stay blank, and no noise.

        def create_captcha_image(self, chars: str, color: Any, background: Any) -> Image.Image:
            self._next_position = 0
            if self.only_position is not None:
                color, background = _WHITE, _BLACK
            return super().create_captcha_image(chars, color, background)

        def _draw_character(self, char: str, draw: ImageDraw.ImageDraw, color: Any) -> Image.Image:
            if char == " ":
                # A gap, half of the time, before a character; the alphabet has no blanks. The
                # library draws, rotates and warps it too, though only its width can be seen.
                font = library.secrets.choice(self.truefonts)
                return Image.new("RGBA", _spacer_size_px(font))
            glyph = super()._draw_character(char, draw, color)
            position, self._next_position = self._next_position, self._next_position + 1
            if self.only_position in (None, position):
                return glyph
            return Image.new(glyph.mode, glyph.size)

        def create_noise_dots(self, image: Image.Image, *options: Any) -> Image.Image:
            if self.only_position is not None:
                return image
            return super().create_noise_dots(image, *options)

        def create_noise_curve(self, image: Image.Image, *options: Any) -> Image.Image:
            if self.only_position is not None:
                return image
            return super().create_noise_curve(image, *options)

    return Drawer(
        width=style.width_px,
        height=style.height_px,
        fonts=list(style.fonts),
        font_sizes=style.font_sizes_px,
    )


@functools.cache
def _spacer_size_px(font: ImageFont.FreeTypeFont) -> tuple[int, int]:
    # Measured as the library measures: a glyph's box drawn from (1, 1), whose far corner counts.
    _, _, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((1, 1), " ", font=font)
    return int(right), int(bottom)


def _seed_from(rng: np.random.Generator) -> int:
    return int(rng.integers(2**63))


def _check_label(style: Style, label: str) -> None:
    if len(label) != style.num_positions:
        raise ValueError(
            f"`label` must have {style.num_positions} characters, received {len(label)}: "
            f"{label!r}. Pad it, for example '0042', or set `Style.num_positions`."
        )
    for index, char in enumerate(label):
        if char not in style.alphabet:
            raise ValueError(
                f"`label` must have characters of {style.alphabet!r}, received {label!r} "
                f"({char!r} at index {index}). Correct it, or set `Style.alphabet`."
            )

"""Draws one captcha: a pure function of style, label and generator.

The picture is the `captcha` library's. Two renderers draw it: `captcha`, the library's own code,
and `fast`, compiled kernels held to it: where the library can draw a style, both give the same
bytes for the same arguments (tests/test_render.py).
"""

import threading

import numpy as np
from absl import logging

from data_gen.fast_renderer import FastRenderer, fast_renderer
from data_gen.library_renderer import LibraryRenderer, check_library_can_draw, library_renderer
from data_gen.style import Style

RENDERERS = ("fast", "captcha")

_LONG_SECONDS = 4.0


def render(
    style: Style, label: str, rng: np.random.Generator, renderer: str = "fast"
) -> np.ndarray:
    """Draws `label` as one captcha in `style`.

    The picture depends on the arguments alone: equal styles, labels and generator states give
    equal bytes under the pinned packages. `rng` advances, so give each example its own. Threads
    may draw side by side.

    Args:
      style: How it looks.
      label: `style.min_length` to `style.max_length` characters of `style.alphabet`.
      rng: The only source of randomness.
      renderer: One of `RENDERERS`.

    Returns:
      uint8 `[style.height_px, style.width_px, 3]`, RGB, 0 is black.

    Raises:
      ValueError: If `label` has another length or a character outside the alphabet, or the
        renderer cannot draw the style.
    """
    _check_label(style, label)
    return _renderer(style, renderer).render(label, rng)


def render_with_map(
    style: Style, label: str, rng: np.random.Generator, renderer: str = "fast"
) -> tuple[np.ndarray, np.ndarray]:
    """The same picture as `render`, and which pixels belong to which character.

    Returns:
      image: As `render` gives it, byte for byte.
      map: uint8 `[style.height_px, style.width_px]`, 0 background, k the pixels of character k
        (1 to `style.max_length`); where two overlap, the later one, which is drawn on top.
        Dots and curve do not count.

    Raises:
      ValueError: As `render`.
    """
    _check_label(style, label)
    return _renderer(style, renderer).render_with_map(label, rng)


def check_can_draw(style: Style, renderer: str) -> None:
    """Refuses a style that a renderer cannot draw.

    Raises:
      ValueError: Names the knobs.
    """
    if renderer == "captcha":
        check_library_can_draw(style)


def warm_up(style: Style, renderer: str) -> None:
    """Draws once: compiles kernels, which later processes then load, and loads the fonts.

    Says so if it takes long, which it does once on a machine.

    Raises:
      ValueError: As `render`.
    """
    notice = threading.Timer(_LONG_SECONDS, logging.info, ["compiling the renderer, once"])
    notice.daemon = True
    notice.start()
    try:
        render(style, style.alphabet[0] * style.max_length, np.random.default_rng(0), renderer)
    finally:
        notice.cancel()


def _renderer(style: Style, renderer: str) -> FastRenderer | LibraryRenderer:
    return fast_renderer(style) if renderer == "fast" else library_renderer(style)


def _check_label(style: Style, label: str) -> None:
    if not style.min_length <= len(label) <= style.max_length:
        raise ValueError(
            f"`label` must have {style.min_length} to {style.max_length} characters, received "
            f"{len(label)}: {label!r}. Change it, or the style's length."
        )
    for index, char in enumerate(label):
        if char not in style.alphabet:
            raise ValueError(
                f"`label` must have characters of {style.alphabet!r}, received {label!r} "
                f"({char!r} at index {index}). Correct it, or the style's alphabet."
            )

"""`ImageCaptcha.generate_image`, and its map: what Python calls."""

import numpy as np

from data_gen.kernels import layout
from data_gen.kernels.arc import draw_arc
from data_gen.kernels.arithmetic import below, between
from data_gen.kernels.compiling import compiled, entry_point
from data_gen.kernels.text import draw_text, read_colour


@entry_point
def draw_captcha(sources):  # noqa: D103
    def draw_captcha(
        words, chars, glyphs, pool, spacers, numbers, knobs, mask_of, stamp, paper, noise, out,
        threshold, character_map,
    ):  # fmt: skip
        """Draws a captcha, and its map. Arrays have one dimension: so numba compiles faster.

        Args:
          words: uint32, see `layout.BACKGROUND` and what follows.
          chars: int64 [length], indices into the alphabet.
          glyphs: int64 [fonts * alphabet * GLYPH_COLUMNS], see `layout.GLYPH_AT`.
          pool: uint8, the masks of the glyphs, each with its edge repeated once all around.
          spacers: int64 [fonts], the width of a gap.
          numbers: int64 [NUM_NUMBERS], see `layout.WIDTH`.
          knobs: float64 [NUM_KNOBS], see `layout.ROTATION`.
          mask_of: uint8 [256], how opaque text of a grey is pasted.
          stamp: int64 [pixels * 2], x and y of a dot's pixels, from its place.
          paper: uint8 [height * width * 3], or [0] for one colour, which is drawn.
          noise: uint16 [height * width * 3] of random numbers, or [0] for none.
          out: Gets uint8 [height * width * 3].
          threshold: The grey from which a pixel counts in the map.
          character_map: Gets uint8 [height * width], 0 for background and k for the pixels of
            character k, from 1 on; or [0] for no map.
        """
        _ = sources
        width, height = numbers[layout.WIDTH], numbers[layout.HEIGHT]
        if paper.size == 0:
            paper = np.empty(3, np.uint8)
            at = layout.BACKGROUND_COLOUR
            for j in range(3):
                paper[j] = between(words[layout.BACKGROUND + j], numbers[at], numbers[at + 1])
        colour = np.empty(4, np.int64)
        read_colour(words, layout.TEXT, numbers, colour)
        drawn, page = np.empty(out.size, np.uint8), out
        for j in range(character_map.size):
            character_map[j] = 0
        # First the picture, then for the map each character alone, white on black, where it lies.
        for only in range(-1, chars.size if character_map.size > 0 else 0):
            if only == 0:
                page, paper = np.empty(out.size, np.uint8), np.zeros(3, np.uint8)
                for j in range(4):
                    colour[j] = 255
            draw_text(
                words, chars, glyphs, pool, spacers, numbers, knobs, mask_of, paper, only, colour,
                drawn,
            )  # fmt: skip
            if only < 0:
                _draw_dots_and_curves(words, stamp, numbers, colour, drawn)
            _finish(drawn, width * 3, height, numbers[layout.SMOOTH] != 0, page)
            if only < 0:
                at = layout.PIXEL_NOISE
                most = between(words[layout.HOW_MUCH_NOISE], numbers[at], numbers[at + 1])
                _add_noise(noise, most, out)
            else:
                for j in range(character_map.size):
                    if page[j * 3] >= threshold:
                        character_map[j] = only + 1

    return draw_captcha


@compiled
def _draw_dots_and_curves(words, stamp, numbers, colour, page):
    """`ImageCaptcha.create_noise_dots` and `create_noise_curve`."""
    at = layout.CHARACTERS + numbers[layout.MAX_LENGTH] * layout.WORDS_PER_CHARACTER
    at_dots = at + numbers[layout.NUM_CURVES + 1] * layout.WORDS_PER_CURVE
    low, high = numbers[layout.NUM_DOTS], numbers[layout.NUM_DOTS + 1]
    for _ in range(between(words[layout.HOW_MANY_DOTS], low, high)):
        _draw_dot(words, at_dots, stamp, numbers, colour, page)
        at_dots += layout.WORDS_PER_DOT
    low, high = numbers[layout.NUM_CURVES], numbers[layout.NUM_CURVES + 1]
    for _ in range(between(words[layout.HOW_MANY_CURVES], low, high)):
        _draw_curve(words, at, numbers, colour, page)
        at += layout.WORDS_PER_CURVE


@compiled
def _draw_dot(words, at, stamp, numbers, colour, page):
    width, height = numbers[layout.WIDTH], numbers[layout.HEIGHT]
    x_of_dot, y_of_dot = below(words[at], width + 1), below(words[at + 1], height + 1)
    for j in range(0, stamp.size, 2):
        x, y = x_of_dot + stamp[j], y_of_dot + stamp[j + 1]
        if 0 <= x < width and 0 <= y < height:
            for channel in range(3):
                page[(y * width + x) * 3 + channel] = colour[channel + 1]


@compiled
def _draw_curve(words, at, numbers, colour, page):
    width, height = numbers[layout.WIDTH], numbers[layout.HEIGHT]
    fifth_x, fifth_y = int(width / 5), int(height / 5)
    x1 = below(words[at], fifth_x + 1)
    x2 = below(words[at + 1], width - fifth_x + 1) + fifth_x
    y1 = below(words[at + 2], height - 2 * fifth_y + 1) + fifth_y
    y2 = below(words[at + 3], height - y1 - fifth_y + 1) + y1
    end, start = below(words[at + 4], 41) + 160, below(words[at + 5], 21)
    thickness = numbers[layout.CURVE_WIDTH]
    draw_arc(x1, y1, x2, y2, start, end, thickness, colour, width, height, page)


@compiled
def _finish(page, line, lines, smooth, out):
    """Copies a page, smoothed like Pillow's SMOOTH or as it is.

    That filter is the mean of a pixel and its neighbours, itself five times; it leaves the edge.

    Args:
      page: uint8 [lines * line].
      line: Bytes of a row, 3 a pixel.
      lines: Rows.
      smooth: Whether to smooth.
      out: Gets the same.
    """
    for j in range(page.size):
        out[j] = page[j]
    if not smooth:
        return
    sums = np.empty(line, np.int32)
    for y in range(lines - 2):
        north, south = page[y * line : (y + 1) * line], page[(y + 2) * line : (y + 3) * line]
        middle, result = page[(y + 1) * line : (y + 2) * line], out[(y + 1) * line + 3 :]
        for j in range(line):
            sums[j] = np.int32(north[j]) + np.int32(middle[j]) + np.int32(south[j])
        for j in range(line - 6):
            sum_ = sums[j] + sums[j + 3] + sums[j + 6] + 4 * np.int32(middle[j + 3])
            # 13ths have no ties, so whole numbers round as Pillow's floats do.
            result[j] = np.uint32(2 * sum_ + 13) // np.uint32(26)


@compiled
def _add_noise(noise, most, page):
    """Adds to each byte of `page` a number in [-most, most], and clips it."""
    for j in range(noise.size):
        added = ((np.int64(noise[j]) * (2 * most + 1)) >> 16) - most
        page[j] = min(max(np.int64(page[j]) + added, 0), 255)

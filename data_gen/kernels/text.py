"""`ImageCaptcha.create_captcha_image`: paper, and the text on it."""

import numpy as np

from data_gen.kernels import layout
from data_gen.kernels.arithmetic import WORD, below, between
from data_gen.kernels.compiling import compiled
from data_gen.kernels.glyph import draw_glyph
from data_gen.kernels.resampling import resample, transpose
from data_gen.kernels.rotation import fill_inks


@compiled
def draw_text(
    words, chars, glyphs, pool, spacers, numbers, knobs, mask_of, paper, only, colour, page
):
    """Draws paper and text. The first eight arguments are as in `draw_captcha`.

    Args:
      words: See there; so do the next seven.
      chars: See there.
      glyphs: See there.
      pool: See there.
      spacers: See there.
      numbers: See there.
      knobs: See there.
      mask_of: See there.
      paper: uint8 [height * width * 3], or [3] for one colour.
      only: The position of the one character to draw, in `colour`; all if it is below 0.
      colour: int64 [4], opacity, red, green, blue of the text.
      page: Gets uint8 [height * width * 3].
    """
    width, height = numbers[layout.WIDTH], numbers[layout.HEIGHT]
    boxes = np.empty(chars.size * 2, np.int64)
    text_width = _choose_boxes(words, chars, glyphs, spacers, numbers, knobs, boxes)
    # Text that is wider than the picture is drawn on a wider one, and all of it made narrower.
    wide = max(text_width, width)
    canvas, step_x, step_y = page, 3, width * 3
    if wide > width:
        # Column after column, as it will be resampled along rows.
        canvas, step_x, step_y = np.empty(wide * height * 3, np.uint8), height * 3, 3
    if paper.size == 3 or wide == width:
        _repeat(paper, canvas)
    else:
        columns = np.empty(width * height * 3, np.uint8)
        transpose(paper, height, width, 3, columns)
        resample(columns, height * 3, width, wide, canvas)

    average = int(text_width / chars.size)
    most_shifted = int(knobs[layout.OVERLAP] * average) + 1
    left = int(average * 0.1)
    inks, premultiplied = np.empty(256 * 4, np.uint8), np.empty(256 * 4, np.float64)
    lightest = fill_inks(colour, inks, premultiplied)
    own_colour = np.empty(4, np.int64)
    for position in range(chars.size):
        at = layout.CHARACTERS + position * layout.WORDS_PER_CHARACTER
        row, gap = boxes[position * 2], boxes[position * 2 + 1]
        if gap >= 0:
            left += gap - below(words[at + layout.OF_SPACER_SHIFT], most_shifted)
        if numbers[layout.COLOUR_PER_CHARACTER] != 0 and only < 0:
            read_colour(words, at + layout.OF_COLOUR, numbers, own_colour)
            lightest = fill_inks(own_colour, inks, premultiplied)
        glyph = glyphs[row : row + layout.GLYPH_COLUMNS]
        if only < 0 or only == position:
            draw_glyph(
                canvas, step_x, step_y, wide, height, left, glyph, pool, inks, premultiplied,
                lightest, words[at + layout.OF_GLYPH :], knobs, mask_of,
            )  # fmt: skip
        left += glyph[layout.GLYPH_WIDTH] - below(words[at + layout.OF_GLYPH_SHIFT], most_shifted)
    if wide > width:
        rows = np.empty(width * height * 3, np.uint8)
        resample(canvas, height * 3, wide, width, rows)
        transpose(rows, width, height, 3, page)


@compiled
def read_colour(words, at, numbers, colour):
    """`colour` [4] = opacity, red, green, blue of text, from four words from `at` on."""
    lowest, highest = numbers[layout.TEXT_OPACITY], numbers[layout.TEXT_OPACITY + 1]
    for j in range(4):
        colour[j] = between(words[at + j], lowest, highest)
        lowest, highest = numbers[layout.TEXT_COLOUR], numbers[layout.TEXT_COLOUR + 1]


@compiled
def _choose_boxes(words, chars, glyphs, spacers, numbers, knobs, boxes):
    """Chooses fonts and gaps, and returns the width of the text.

    `boxes` gets int64 [length * 2], where the row of each character in `glyphs` begins, and the
    width of the gap before it, -1 if there is none.
    """
    text_width = 0
    for position in range(chars.size):
        at = layout.CHARACTERS + position * layout.WORDS_PER_CHARACTER
        font = below(words[at + layout.OF_GLYPH], spacers.size)
        row = (font * numbers[layout.ALPHABET] + chars[position]) * layout.GLYPH_COLUMNS
        text_width += glyphs[row + layout.GLYPH_WIDTH]
        gap = -1
        if words[at + layout.OF_GAP] * WORD > knobs[layout.NO_GAP]:
            gap = spacers[below(words[at + layout.OF_SPACER], spacers.size)]
            text_width += gap
        boxes[position * 2], boxes[position * 2 + 1] = row, gap
    return text_width


@compiled
def _repeat(pattern, canvas):
    """Fills `canvas` with `pattern`, over and over."""
    done = pattern.size
    for j in range(done):
        canvas[j] = pattern[j]
    while done < canvas.size:
        more = min(done, canvas.size - done)
        source, result = canvas[:more], canvas[done : done + more]
        for j in range(more):
            result[j] = source[j]
        done += more

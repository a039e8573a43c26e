"""`ImageCaptcha._draw_character`: one character, rotated and warped, and how it is pasted."""

import math

import numpy as np

from data_gen.kernels import layout
from data_gen.kernels.arithmetic import WORD, below, blend, unpremultiplied
from data_gen.kernels.compiling import compiled
from data_gen.kernels.resampling import resample, transpose
from data_gen.kernels.rotation import rotate, rotation


@compiled
def draw_glyph(
    canvas, step_x, step_y, canvas_width, canvas_height, left, glyph, pool, inks, premultiplied,
    lightest, words, knobs, mask_of,
):  # fmt: skip
    """Draws one character onto the canvas.

    Args:
      canvas: uint8, pixel (x, y) is the 3 bytes from x * step_x + y * step_y on.
      step_x: See there.
      step_y: See there.
      canvas_width: Pixels.
      canvas_height: Pixels.
      left: Where the box of the glyph begins. Up and down it lies in the middle.
      glyph: int64 [GLYPH_COLUMNS].
      pool: As in `draw_captcha`.
      inks: As `fill_inks` fills it.
      premultiplied: As `fill_inks` fills it.
      lightest: As `fill_inks` returns it.
      words: uint32, those of the glyph, see `layout.OF_GLYPH`.
      knobs: As in `draw_captcha`.
      mask_of: As in `draw_captcha`.
    """
    coverage, mask_width, mask_height = _coverage(glyph, pool, words, lightest)
    if mask_width == 0:
        return
    angle = knobs[layout.ROTATION]
    angle += words[3] * WORD * (knobs[layout.ROTATION + 1] - knobs[layout.ROTATION])
    angle -= math.floor(angle / 360.0) * 360.0
    width, height = glyph[layout.GLYPH_WIDTH], glyph[layout.GLYPH_HEIGHT]
    x1, x2 = _shifts(width, words[4], words[6], words[8], knobs, layout.WARP_X)
    y1, y2 = _shifts(height, words[5], words[7], words[9], knobs, layout.WARP_Y)

    new_width, new_height = width + abs(x1) + abs(x2), height + abs(y1) + abs(y2)
    _, _, _, _, turned_width, turned_height = rotation(angle, mask_width, mask_height)
    same_size = turned_width == new_width and turned_height == new_height
    turned = np.empty(turned_width * turned_height * 4, np.uint8)
    rotate(inks, premultiplied, coverage, mask_width, mask_height, angle, same_size, turned)
    pixels = np.empty(new_width * new_height * 4, np.uint8)
    if same_size:  # Then Pillow copies, without a way through premultiplied values.
        transpose(turned, turned_width, turned_height, 4, pixels)
    else:
        columns = np.empty(new_width * turned_height * 4, np.uint8)
        resample(turned, turned_height * 4, turned_width, new_width, columns)
        rows = np.empty(new_width * turned_height * 4, np.uint8)
        transpose(columns, new_width, turned_height, 4, rows)
        resample(rows, new_width * 4, turned_height, new_height, pixels)

    left_top = (left, int((canvas_height - height) / 2))
    _paste_warped(
        pixels, new_width, new_height, same_size, x1, y1, x2, y2, width, height, mask_of, left_top,
        canvas, step_x, step_y, canvas_width, canvas_height,
    )  # fmt: skip


@compiled
def _paste_warped(
    pixels, source_width, source_height, straight, x1, y1, x2, y2, width, height, mask_of, left_top,
    canvas, step_x, step_y, canvas_width, canvas_height,
):  # fmt: skip
    """Image.transform(QUAD), of that only what falls on the canvas, and Image.paste.

    The corners of the quadrilateral are (x1, y1), (-x1, source_height - y2),
    (source_width + x2, source_height + y2) and (source_width - x2, -y1).

    Args:
      pixels: uint8 [source_height * source_width * 4], red, green, blue, alpha.
      source_width: Pixels.
      source_height: Pixels.
      straight: Whether they are not premultiplied by alpha.
      x1: See above; so are y1, x2 and y2.
      y1: See above.
      x2: See above.
      y2: See above.
      width: Of the box that the quadrilateral becomes.
      height: Of it.
      mask_of: As in `draw_captcha`.
      left_top: Where it lies on the canvas.
      canvas: As in `draw_glyph`.
      step_x: As in `draw_glyph`.
      step_y: As in `draw_glyph`.
      canvas_width: As in `draw_glyph`.
      canvas_height: As in `draw_glyph`.
    """
    per_x, per_y = 1.0 / width, 1.0 / height
    x_of_x, x_of_y = (source_width - x2 - x1) * per_x, (-x1 - x1) * per_y
    x_of_xy = (source_width + x2 + x1 - (source_width - x2) + x1) * per_x * per_y
    y_of_x, y_of_y = (-y1 - y1) * per_x, (source_height - y2 - y1) * per_y
    y_of_xy = (source_height + y2 - (source_height - y2) + y1 + y1) * per_x * per_y
    left, top = left_top
    for row in range(max(0, -top), min(height, canvas_height - top)):
        y_in = row + 0.5
        for column in range(max(0, -left), min(width, canvas_width - left)):
            x_in = column + 0.5
            x = x1 + x_of_x * x_in + x_of_y * y_in + x_of_xy * x_in * y_in
            y = y1 + y_of_x * x_in + y_of_y * y_in + y_of_xy * x_in * y_in
            if not (0.0 <= x < source_width and 0.0 <= y < source_height):
                continue
            at = (np.uint64(y) * np.uint64(source_width) + np.uint64(x)) * np.uint64(4)
            red, green = np.int64(pixels[at]), np.int64(pixels[at + np.uint64(1)])
            blue = np.int64(pixels[at + np.uint64(2)])
            if red | green | blue == 0:
                continue
            if not straight:
                alpha = np.int64(pixels[at + np.uint64(3)])
                red, green = unpremultiplied(red, alpha), unpremultiplied(green, alpha)
                blue = unpremultiplied(blue, alpha)
            # Pillow's grey, and from it how opaque the pixel is pasted.
            mask = np.int64(mask_of[(red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16])
            to = np.uint64((left + column) * step_x + (top + row) * step_y)
            canvas[to] = blend(mask, np.int64(canvas[to]), red)
            to += np.uint64(1)
            canvas[to] = blend(mask, np.int64(canvas[to]), green)
            to += np.uint64(1)
            canvas[to] = blend(mask, np.int64(canvas[to]), blue)


@compiled
def _shifts(side, word_of_most, word_1, word_2, knobs, warp):
    """How far the corners are moved along one axis, in whole pixels."""
    # The library's formula; it adds the lower end of the range, given as a share, as pixels.
    most = side * (word_of_most * WORD) * (knobs[warp + 1] - knobs[warp]) + knobs[warp]
    return int(word_1 * WORD * (most + most) - most), int(word_2 * WORD * (most + most) - most)


@compiled
def _coverage(glyph, pool, words, lightest):
    """The mask of a glyph as the library's small picture holds it, cropped to its ink.

    Returns:
      uint8 [(height + 2) * (width + 2)], its edge repeated once all around; width; height. Both
      are 0 if there is no ink.
    """
    width, height = glyph[layout.GLYPH_MASK_WIDTH], glyph[layout.GLYPH_MASK_HEIGHT]
    size = (width + 2) * (height + 2)
    mask = pool[glyph[layout.GLYPH_AT] : glyph[layout.GLYPH_AT] + size]
    # What begins before its origin is cut off, unless the text is placed further in.
    from_x = max(0, -(below(words[1], 5) + glyph[layout.GLYPH_LEFT]))
    from_y = max(0, -(below(words[2], 7) + glyph[layout.GLYPH_TOP]))
    if from_x == 0 and from_y == 0 and lightest == 1:
        return mask, width, height

    left, right, top, bottom = width, 0, height, 0
    for y in range(from_y, height):
        for x in range(from_x, width):
            if mask[(y + 1) * (width + 2) + x + 1] >= lightest:
                left, right = min(left, x), max(right, x + 1)
                top, bottom = min(top, y), max(bottom, y + 1)
    if right == 0:
        return mask, 0, 0
    new_width, new_height = right - left, bottom - top
    cropped = np.empty((new_width + 2) * (new_height + 2), np.uint8)
    for y in range(new_height + 2):
        row = (top + min(max(y, 1), new_height)) * (width + 2) + left
        for x in range(new_width + 2):
            cropped[y * (new_width + 2) + x] = mask[row + min(max(x, 1), new_width)]
    return cropped, new_width, new_height

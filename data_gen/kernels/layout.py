"""What stands where in the arrays that the kernels take, as arrays know no names."""

# The random words of a captcha, uint32: which word decides what. Each draw has a place of its own,
# so that another knob or another label leaves the others as they are.
BACKGROUND = 0  # 3: red, green, blue.
TEXT = 3  # 4: opacity, red, green, blue.
HOW_MANY_DOTS = 7
HOW_MANY_CURVES = 8
HOW_MUCH_NOISE = 9
SECOND_BACKGROUND = 10  # 3: red, green, blue of the other end of a gradient.
DIRECTION = 13  # Of a gradient.
PICTURE = 14  # 3: which one, column, row.
CHARACTERS = 20
# Of each character, from there on:
OF_GAP = 0
OF_SPACER = 1  # 10, of which only the font shows.
OF_GLYPH = 11  # 10: font, place (2), rotation, warp (6).
OF_SPACER_SHIFT = 21
OF_GLYPH_SHIFT = 22
OF_COLOUR = 23  # 4: opacity, red, green, blue.
WORDS_PER_CHARACTER = 27
# Then of each curve that there can be, then of each dot:
WORDS_PER_CURVE = 6
WORDS_PER_DOT = 2

# Of a glyph, in the table of glyphs:
GLYPH_AT = 0  # Where its mask begins in the pool.
GLYPH_MASK_WIDTH = 1
GLYPH_MASK_HEIGHT = 2
GLYPH_LEFT = 3  # Of the mask, from where the text is placed.
GLYPH_TOP = 4
GLYPH_WIDTH = 5  # Of the box that the library warps it in.
GLYPH_HEIGHT = 6
GLYPH_COLUMNS = 7

# Of a style, in its float64 knobs; pairs are the lower and the upper end of a range:
ROTATION = 0  # 2, degrees.
WARP_X = 2  # 2
WARP_Y = 4  # 2
NO_GAP = 6  # The probability of none.
OVERLAP = 7
NUM_KNOBS = 8

# Of a style, in its int64 numbers; pairs as above:
WIDTH = 0
HEIGHT = 1
MAX_LENGTH = 2
ALPHABET = 3  # How many characters.
BACKGROUND_COLOUR = 4  # 2
TEXT_COLOUR = 6  # 2
TEXT_OPACITY = 8  # 2
COLOUR_PER_CHARACTER = 10
NUM_DOTS = 11  # 2
NUM_CURVES = 13  # 2
CURVE_WIDTH = 15
SMOOTH = 16
PIXEL_NOISE = 17  # 2
NUM_NUMBERS = 19

"""A character that is drawn to fit is nearest where it is the right one."""

import numpy as np

from benchmarks import reading_floor
from benchmarks.known_captcha import draw_known, with_character
from benchmarks.look_alikes import difference, nearest_look_alike, read_by_drawing
from data_gen.style import Style

STYLE = Style(num_dots=(5, 5))


def test_a_difference_is_in_levels_and_pixels():
    image = np.zeros((2, 3, 3), np.uint8)
    other = image.copy()
    other[0, 0] = (3, 0, 4)
    other[1, 2, 1] = 255
    assert difference(image, other) == (9 + 16 + 255**2, 255, 1)
    assert difference(other, image) == difference(image, other)


def test_reading_by_drawing_reads():
    known = draw_known(STYLE, 3, 0)
    found = read_by_drawing(known, 1, np.random.default_rng(0), drawings=200)
    assert sorted(found) == list(STYLE.alphabet)
    assert min(found, key=lambda char: found[char].squares) == known.label[1]


def test_the_search_begins_at_the_captcha_itself_and_gets_no_worse():
    known = draw_known(STYLE, 3, 1)
    rng = np.random.default_rng(0)
    assert nearest_look_alike(known, 2, known.label[2], rng, drawings=20).squares == 0
    other = "0" if known.label[2] != "0" else "1"
    exchanged = difference(known.image, with_character(known, 2, other).image)
    nearest = nearest_look_alike(known, 2, other, rng, drawings=50)
    assert nearest.squares <= exchanged.squares


def test_what_cannot_be_told_apart_is_counted_as_floor():
    """Dots and ink of the paper's colour leave nothing to be seen: all labels are one picture."""
    blank = Style(text_colour=(255, 255), background_colour=(255, 255), text_opacity=(255, 255))
    known = draw_known(blank, 3, 0)
    wrong = "0" if known.label[0] != "0" else "1"
    look = reading_floor.look(known, {0: wrong}, np.random.default_rng(0), drawings=8)
    assert look.exchanged.squares == look.nearest.squares == 0
    figures = reading_floor.floor_figures([look], misread=1, n=100)
    assert figures["exchanged differs by rounding alone"].startswith("1 of 100, 1.0000%")
    figures = reading_floor.exchange_figures([known])
    assert "36 of 36 exchanges" in next(iter(figures.values()))


def test_of_several_misread_characters_one_that_can_be_told_is_enough():
    known = draw_known(STYLE, 3, 2)
    others = {at: "0" if known.label[at] != "0" else "1" for at in (0, 3)}
    look = reading_floor.look(known, others, np.random.default_rng(0), drawings=40)
    assert look.nearest.pixels > look.dot.pixels
    figures = reading_floor.floor_figures([look], misread=3, n=100)
    as_dot = f"exchanged differs in {look.dot.pixels} pixels at most, as a dot"
    assert figures[as_dot].startswith("0 of 100")


def test_nothing_misread_leaves_nothing_to_look_at():
    assert reading_floor.floor_figures([], 0, 100) == {"drawn with another label": "0 of 0"}

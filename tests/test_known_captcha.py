"""A known captcha is the one that `make_example` draws, and can be drawn with another label."""

import dataclasses

import numpy as np
import pytest

from benchmarks.known_captcha import (
    draw_known,
    glyph_words,
    place_words,
    with_character,
    without_last_dot,
)
from data_gen.example import make_example
from data_gen.kernels import layout
from data_gen.random_words import at_character
from data_gen.style import Style

STYLES = {
    "default": Style(),
    "gradient": Style(background="gradient", background_colour=(0, 255)),
    "letters": Style(alphabet="ABCDE", max_length=3, min_length=3),
}


@pytest.mark.parametrize("name", STYLES)
def test_it_is_the_example_of_the_same_number(name):
    for index in range(5):
        known = draw_known(STYLES[name], 7, index)
        example = make_example(STYLES[name], 7, "fresh", index)
        assert known.label == example.label
        np.testing.assert_array_equal(known.image, example.image)


def test_another_character_changes_the_picture_around_its_place_alone():
    for index in range(20):
        known = draw_known(Style(), 7, index)
        other = with_character(known, 0, "8" if known.label[0] != "8" else "3")
        assert other.label[1:] == known.label[1:]
        columns = np.flatnonzero((other.image != known.image).any(axis=(0, 2)))
        # The first box, up to 18 wide, after a gap of up to 18 and a margin; and the smoothing.
        assert columns.size > 0
        assert columns.max() <= 2 + 18 + 18 + 1


def test_the_same_character_changes_nothing():
    known = draw_known(Style(), 7, 0)
    same = with_character(known, 2, known.label[2])
    np.testing.assert_array_equal(same.image, known.image)


def test_a_dot_less_changes_the_pixels_of_a_dot_at_most():
    changed = [
        (without_last_dot(known) != known.image).any(axis=-1).sum()
        for known in (draw_known(Style(), 7, index) for index in range(20))
    ]
    assert 0 < max(changed) <= 28  # A stroke of 2 x 3, and its neighbours, by the smoothing.


def test_the_words_of_a_glyph_are_its_own():
    known = draw_known(Style(), 7, 1)
    words = known.words.copy()
    words[glyph_words(3)] = 0
    turned = with_character(known._replace(words=words), 3, known.label[3])
    columns = np.flatnonzero((turned.image != known.image).any(axis=(0, 2)))
    assert columns.min() > 40  # The last of four.


@pytest.mark.parametrize("change", [{"max_length": 5, "width_px": 120}, {"pixel_noise": (0, 4)}])
def test_other_randomness_is_refused(change):
    with pytest.raises(ValueError, match="one length and no pixel noise, received length 4 to"):
        draw_known(dataclasses.replace(Style(), **change), 7, 0)


def test_the_words_of_a_place_move_what_follows():
    known = draw_known(Style(), 7, 1)
    words = known.words.copy()
    words[place_words(0)] = 2**32 - 1 - words[place_words(0)]
    moved = with_character(known._replace(words=words), 3, known.label[3])
    assert (moved.image != known.image).any()
    colours = at_character(0) + layout.OF_COLOUR
    assert set(range(colours, colours + 4)).isdisjoint(place_words(0))

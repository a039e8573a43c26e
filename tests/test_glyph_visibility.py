"""What is measured of a captcha follows from how it is drawn."""

import dataclasses

import numpy as np
import pytest

from benchmarks.glyph_visibility import VisibilityMeasure
from benchmarks.known_captcha import draw_known
from data_gen.kernels import layout
from data_gen.random_words import at_character
from data_gen.style import Style

BARE = Style(num_dots=(0, 0), num_curves=(0, 0))


def measured(style, index=0):
    known = draw_known(style, 5, index)
    return VisibilityMeasure(style).measure(known)


def test_shares_are_shares_and_there_is_one_a_character():
    for index in range(20):
        found = measured(Style(), index)
        for share in (found.overlapped, found.dotted, found.cut):
            assert share.shape == (4,)
            assert (share >= -1e-9).all()
            assert (share <= 1).all()


def test_without_dots_and_curve_nothing_is_dotted():
    assert measured(BARE).dotted.tolist() == [0, 0, 0, 0]
    many = dataclasses.replace(BARE, num_dots=(1000, 1000))
    assert measured(many).dotted.min() > 0.8


def test_without_overlap_hardly_anything_is_overlapped():
    apart = dataclasses.replace(BARE, overlap=0, gap_probability=1)
    assert max(measured(apart, index).overlapped.max() for index in range(10)) < 0.02
    near = dataclasses.replace(BARE, overlap=0.9, gap_probability=0)
    assert np.mean([measured(near, index).overlapped.max() for index in range(10)]) > 0.2


def test_nothing_is_cut_without_a_warp_and_much_with_a_wide_one():
    whole = dataclasses.replace(BARE, warp_x=(0, 0), warp_y=(0, 0), font_sizes=(0.6,), width_px=150)
    assert np.abs(measured(whole).cut).max() < 0.03
    warped = dataclasses.replace(whole, warp_x=(0, 1), warp_y=(0, 1))
    cuts = [measured(warped, index).cut.max() for index in range(10)]
    assert max(cuts) > 0.1


@pytest.mark.parametrize(("grey", "contrast"), [(200, 55), (255, 0)])
def test_contrast_is_levels_from_the_paper(grey, contrast):
    style = dataclasses.replace(
        BARE,
        text_colour=(grey, grey),
        text_opacity=(255, 255),
        background_colour=(255, 255),
        smooth=False,
    )
    np.testing.assert_allclose(measured(style).contrast, contrast, atol=2)


def test_the_darkest_text_is_faint_as_the_library_pastes_text_as_it_is_bright():
    style = dataclasses.replace(BARE, text_colour=(10, 10), smooth=False)
    assert measured(style).contrast.max() < 25


def test_boxes_lie_where_the_text_is_drawn():
    """The layout is computed once more to see what is cut: where it says, the ink is."""
    style = dataclasses.replace(BARE, width_px=200)  # Text that is wider is made narrower.
    measure = VisibilityMeasure(style)
    for index in range(10):
        known = draw_known(style, 6, index)
        invisible = known.words.copy()
        for position in range(4):
            at = at_character(position) + layout.OF_COLOUR
            invisible[at : at + 4] = 0
        for position, (left, row, _) in enumerate(measure.boxes(known)):
            columns = np.flatnonzero(measure._ink(known.label, invisible, position).any(axis=0))
            assert left <= columns.min()
            assert columns.max() < left + row[layout.GLYPH_WIDTH]

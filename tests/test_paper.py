import numpy as np
import pytest
from PIL import Image

from data_gen.paper import draw_paper
from data_gen.random_words import draw_words
from data_gen.render import render
from data_gen.style import Style

BARE = {"num_dots": (0, 0), "num_curves": (0, 0), "text_opacity": (255, 255)}


def rng(index=0):
    return np.random.default_rng(index)


def paper_of(style, index=0):
    return draw_paper(style, draw_words(style, rng(index))).reshape(
        style.height_px, style.width_px, 3
    )


@pytest.fixture
def picture(tmp_path):
    """Saves a picture whose pixels say where they are: red is the column, green the row."""

    def save(width, height, name="picture.png"):
        y, x = np.mgrid[:height, :width]
        pixels = np.stack([x % 256, y % 256, np.zeros_like(x)], axis=-1).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
        return Style(background="pictures", background_paths=(str(tmp_path / name),))

    return save


def test_gradients_go_from_one_colour_to_another_in_every_direction():
    style = Style(background="gradient", background_colour=(0, 255))
    directions = set()
    for index in range(60):
        paper = paper_of(style, index).astype(int)
        corners = paper[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert (paper.min(axis=(0, 1)) == corners.min(axis=0)).all(), "the ends are in corners"
        assert (paper.max(axis=(0, 1)) == corners.max(axis=0)).all()
        steps = np.abs(np.diff(paper, axis=1)).max(), np.abs(np.diff(paper, axis=0)).max()
        assert max(steps) <= 10, "even"
        # Of red: whether it rises to the right, and whether it rises downwards.
        directions.add((corners[1, 0] > corners[0, 0], corners[2, 0] > corners[0, 0]))
    assert len(directions) == 4


def test_a_gradient_between_equal_colours_is_plain():
    style = Style(background="gradient", background_colour=(240, 240))
    assert (paper_of(style) == 240).all()


def test_pieces_are_cut_anywhere_from_a_picture(picture):
    style = picture(140, 50)
    corners = set()
    for index in range(300):
        paper = paper_of(style, index)
        left, top, _ = (int(value) for value in paper[0, 0])
        y, x = np.mgrid[:30, :100]
        np.testing.assert_array_equal(paper[..., 0], x + left)
        np.testing.assert_array_equal(paper[..., 1], y + top)
        corners.add((left, top))
    lefts, tops = zip(*corners, strict=True)
    assert (min(lefts), max(lefts)) == (0, 40)
    assert (min(tops), max(tops)) == (0, 20)


def test_a_picture_of_the_canvas_size_is_taken_whole(picture):
    paper = paper_of(picture(100, 30))
    assert tuple(paper[0, 0][:2]) == (0, 0)
    assert tuple(paper[-1, -1][:2]) == (99, 29)


@pytest.mark.parametrize(("width", "height"), [(50, 40), (200, 10), (3, 3), (1, 200)])
def test_a_small_picture_is_scaled_up_until_it_covers(picture, width, height):
    assert paper_of(picture(width, height)).shape == (30, 100, 3)


def test_a_large_picture_is_scaled_down_so_that_pieces_show_something(picture):
    """2,000 px to 400: five columns of it in one of the paper."""
    paper = paper_of(picture(2000, 600)).astype(int)
    steps = np.diff(paper[15, :, 0])
    assert np.median(steps) == 5


def test_all_pictures_are_used(tmp_path):
    paths = []
    for grey in (50, 120, 200):
        path = tmp_path / f"{grey}.png"
        Image.new("L", (100, 30), grey).save(path)
        paths.append(str(path))
    style = Style(background="pictures", background_paths=tuple(paths))
    assert {int(paper_of(style, index)[0, 0, 0]) for index in range(30)} == {50, 120, 200}


def test_what_is_no_picture_is_refused_by_name(tmp_path):
    path = tmp_path / "notes.png"
    path.write_text("no picture")
    style = Style(background="pictures", background_paths=(str(path),))
    with pytest.raises(ValueError, match=r"`background_pictures` must be pictures, .*notes.png"):
        render(style, "0427", rng())


def test_text_is_drawn_on_the_paper(picture):
    """Where no text is, the picture is the paper; also text that is wider than the canvas."""
    for knobs in ({"gap_probability": 0.0}, {"gap_probability": 1.0}):
        style = Style(
            background="pictures",
            background_paths=picture(100, 30).background_paths,
            smooth=False,
            **BARE,
            **knobs,
        )
        drawn = render(style, "1111", rng()).astype(int)
        untouched = np.abs(drawn - paper_of(style)).max(axis=-1) <= 2
        assert 0.3 < untouched.mean() < 0.9

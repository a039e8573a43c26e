import pytest
from captcha.image import DEFAULT_FONTS

from data_gen.style import Style, find_fonts


@pytest.mark.parametrize(
    ("height", "sizes"),
    [(60, (42, 50, 56)), (30, (21, 25, 28)), (90, (63, 75, 84))],
    ids=["the_librarys_own", "default", "taller"],
)
def test_font_sizes_are_the_librarys_scaled_with_the_height(height, sizes):
    assert Style(height_px=height, width_px=400).font_sizes_px == sizes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width_px": 0}, r"`width` must be in \[1, 2048\], received 0"),
        ({"width_px": 2049}, "received 2049"),
        ({"height_px": -3}, r"`height` must be in \[1, 2048\], received -3"),
        ({"num_positions": 0}, r"`length` must be in \[1, 32\], received 0"),
        ({"num_positions": 33}, "received 33"),
        ({"width_px": 67}, "must fit the canvas, received 67 x 30. Set --width to 68 or more"),
        ({"num_positions": 6}, "Set --width to 102 or more"),
        ({"height_px": 60}, "4 characters of 34 x 61 px .* received 100 x 60"),
        ({"height_px": 7}, "must leave fonts of 6 px .* received 7"),
        ({"alphabet": "7"}, "at least 2 characters, each once, received '7'"),
        ({"alphabet": "01234567899"}, "each once, received '01234567899'"),
        ({"alphabet": "01 "}, "must have characters with ink, received ' '"),
        ({"alphabet": "01一"}, "every font must have every character .* without '一'"),
        ({"font_paths": (__file__,)}, "must be files that FreeType reads"),
    ],
)
def test_style_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        Style(**options)


def test_the_librarys_own_size_is_a_style():
    assert Style(width_px=160, height_px=60).font_sizes_px == (42, 50, 56)


def test_fonts_are_found_by_file_and_by_folder():
    (font,) = DEFAULT_FONTS
    folder = font.rsplit("/", 1)[0]
    assert find_fonts([font]) == (font,)
    assert find_fonts([folder]) == (font,)
    assert Style(font_paths=find_fonts([folder])).fonts == (font,)


def test_a_path_without_fonts_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"folders of them, received .* where there is none"):
        find_fonts([str(tmp_path)])

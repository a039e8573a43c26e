import pytest
from captcha.image import DEFAULT_FONTS

from data_gen.fonts import find_fonts
from data_gen.style import Style


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
        ({"min_length": 0}, r"`length` must be in \[1, 32\], received 0"),
        ({"max_length": 33}, "received 33"),
        ({"min_length": 5}, "smaller number first, received 5 to 4. Exchange them"),
        ({"width_px": 67}, "must fit the canvas, received 67 x 30. Set `width` to 68 or more"),
        ({"max_length": 6}, "Set `width` to 102 or more"),
        ({"height_px": 60}, "4 characters of 34 x 61 px .* received 100 x 60"),
        ({"height_px": 7}, "must be 6 px or more, received 5 at a height of 7"),
        ({"font_sizes": ()}, "must have one or more"),
        ({"font_sizes": (1.3,)}, "must fit the canvas"),
        ({"rotation_degrees": (30, -30)}, r"`rotation` .* smaller one first, received \[30, -30\]"),
        ({"rotation_degrees": (-181, 0)}, r"numbers in \[-180, 180\]"),
        ({"warp_x": (0.1, 1.1)}, r"`warp_x` must be two numbers in \[0, 1\]"),
        ({"text_colour": (0, 256)}, "`text_colour` must be"),
        ({"text_opacity": (0, 255)}, "`text_opacity` must be"),
        ({"num_dots": (3, 2)}, "`dots` must be"),
        ({"num_curves": (0, 101)}, "`curves` must be"),
        ({"pixel_noise": (-1, 0)}, "`pixel_noise` must be"),
        ({"gap_probability": 1.5}, r"`gap_probability` must be in \[0, 1\], received 1.5"),
        ({"overlap": -0.1}, "`overlap` must be in"),
        ({"contrast": 0}, "`contrast` must be in"),
        ({"dot_width_px": 0}, "`dot_width` must be in"),
        ({"curve_width_px": 65}, "`curve_width` must be in"),
        ({"background": "photo"}, "must be one of plain, gradient, pictures, received 'photo'"),
        ({"background": "pictures"}, "`background_pictures` go with"),
        ({"background_paths": ("a.png",)}, "`background_pictures` go with"),
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

import dataclasses
import pathlib
import tomllib

import pytest
from captcha.image import DEFAULT_FONTS
from PIL import Image

from data_gen.length_flag import parse_length
from data_gen.style import Style
from data_gen.style_file import KEYS, PRESETS, load_style


def written(tmp_path, text):
    path = tmp_path / "my_style.toml"
    path.write_text(text)
    return str(path)


def test_the_presets_are_those_that_are_promised():
    assert set(PRESETS) == {"default", "wide", "clean", "hard", "letters", "mixed-length"}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_style_of_its_own(name):
    others = [load_style(other) for other in PRESETS if other != name]
    assert load_style(name) not in others


def test_the_presets_sizes_and_alphabets():
    assert load_style("default") == Style()
    assert load_style("wide") == Style(width_px=160, height_px=60)
    assert len(load_style("letters").alphabet) == 36
    mixed = load_style("mixed-length")
    assert (mixed.min_length, mixed.max_length, mixed.variable_length) == (3, 6, True)


def test_every_field_of_a_style_has_a_key():
    fields = {field.name for field in dataclasses.fields(Style)}
    assert {*KEYS.values(), "min_length", "max_length"} == fields


# Key and value as written in TOML, field of Style, what it must be then.
@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("width = 120", "width_px", 120),
        ("length = 3", "max_length", 3),
        ("length = [2, 3]", "min_length", 2),
        ('alphabet = "01"', "alphabet", "01"),
        ("font_sizes = [0.5, 0.8]", "font_sizes", (0.5, 0.8)),
        ("rotation = [-10.5, 10]", "rotation_degrees", (-10.5, 10)),
        ("warp_x = [0, 0.5]", "warp_x", (0, 0.5)),
        ("overlap = 0", "overlap", 0),
        ("colour_per_character = true", "colour_per_character", True),
        ('background = "gradient"', "background", "gradient"),
        ("dots = [5, 9]", "num_dots", (5, 9)),
        ("smooth = false", "smooth", False),
    ],
)
def test_a_key_sets_its_field(tmp_path, line, field, value):
    style = load_style(written(tmp_path, line))
    assert getattr(style, field) == value
    default = {"min_length": 4, "max_length": 4, field: getattr(Style(), field)}
    assert dataclasses.replace(style, **default) == Style()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("widht = 3", "received 'widht'; did you mean 'width'?. Known are preset, length"),
        ("rotate = [1, 2]", "did you mean 'rotation'"),
        ("zzz = 1", "received 'zzz'. Known are"),
        ('preset = "wied"', "did you mean 'wide'"),
        ("preset = 3", "`preset` must be one of"),
        ("width = 100.5", "`width` must be a whole number, received 100.5"),
        ('width = "100"', "`width` must be a whole number, received '100'"),
        ("width = true", "`width` must be a whole number, received True"),
        ("smooth = 1", "`smooth` must be true or false, received 1"),
        ("alphabet = 123", "`alphabet` must be a text, received 123"),
        ("rotation = 30", "`rotation` must be two numbers, received 30"),
        ("rotation = [1, 2, 3]", "must be two numbers"),
        ('rotation = ["a", "b"]', "`rotation` must be a number, received 'a'"),
        ("text_colour = [1.5, 3]", "`text_colour` must be a whole number"),
        ("length = [6, 3]", "`length` must have the smaller number first"),
        ("font_sizes = 0.5", "`font_sizes` must be a list"),
        ("fonts = []", "`fonts` must be a list"),
        ('fonts = ["nowhere"]', "where there is none"),
        ('background_pictures = ["nowhere"]', "where there is none"),
        ("width = 40", "Set `width` to 68 or more"),
        ("width =", "must be a TOML file"),
    ],
)
def test_a_style_file_is_refused(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=r"my_style\.toml") as refused:
        load_style(path)
    assert message in str(refused.value)
    assert path in str(refused.value)


def test_what_a_file_does_not_say_is_its_presets(tmp_path):
    style = load_style(written(tmp_path, 'preset = "hard"\nwidth = 140\n'))
    assert style == dataclasses.replace(load_style("hard"), width_px=140)


def test_changes_win_over_the_file(tmp_path):
    path = written(tmp_path, "width = 140")
    assert load_style(path, {"width_px": 150}).width_px == 150


def test_paths_are_relative_to_the_file(tmp_path):
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "mine.ttf").write_bytes(pathlib.Path(DEFAULT_FONTS[0]).read_bytes())
    (tmp_path / "photos" / "inner").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(tmp_path / "photos" / "inner" / "a.jpg")
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    text = 'fonts = ["fonts"]\nbackground = "pictures"\nbackground_pictures = ["photos"]\n'
    style = load_style(written(tmp_path, text))
    assert style.font_paths == (str(tmp_path / "fonts" / "mine.ttf"),)
    assert style.background_paths == (str(tmp_path / "photos" / "inner" / "a.jpg"),)


@pytest.mark.parametrize(("text", "lengths"), [("4", (4, 4)), ("3-6", (3, 6)), (" 2-2 ", (2, 2))])
def test_length_is_a_number_or_a_range(text, lengths):
    assert parse_length(text) == lengths


@pytest.mark.parametrize("text", ["", "x", "3-", "-3", "6-3", "0", "0-4", "3,6", "99999"])
def test_another_length_is_refused(text):
    with pytest.raises(ValueError, match="`length` must be"):
        parse_length(text)


def test_the_readme_of_style_files_is_toml():
    import data_gen.style_file as module

    example = module.__doc__.split("\n\n")[1]
    assert set(tomllib.loads(example)) <= {"preset", "length", *KEYS}

"""Styles by name or from a TOML file: `default`, `wide`, ..., or `my_style.toml`.

    preset = "wide"              # Optional: what is not said here is as there.
    length = [3, 6]              # Or one number.
    alphabet = "0123456789"
    fonts = ["fonts/"]           # Files and folders, from this file's folder on.
    rotation = [-20, 20]         # Degrees.

The keys are those of `KEYS`; docs/styles.md shows what each does.
"""

import difflib
import pathlib
import tomllib
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from data_gen.fonts import find_fonts
from data_gen.pictures import find_pictures
from data_gen.style import Style

_FOLDER = pathlib.Path(__file__).resolve().parent / "styles"
PRESETS = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))

# A key of a style file, and the field of `Style` that it sets. `length` sets two.
KEYS = {
    "width": "width_px",
    "height": "height_px",
    "alphabet": "alphabet",
    "fonts": "font_paths",
    "font_sizes": "font_sizes",
    "rotation": "rotation_degrees",
    "warp_x": "warp_x",
    "warp_y": "warp_y",
    "gap_probability": "gap_probability",
    "overlap": "overlap",
    "text_colour": "text_colour",
    "text_opacity": "text_opacity",
    "colour_per_character": "colour_per_character",
    "contrast": "contrast",
    "background": "background",
    "background_colour": "background_colour",
    "background_pictures": "background_paths",
    "dots": "num_dots",
    "dot_width": "dot_width_px",
    "curves": "num_curves",
    "curve_width": "curve_width_px",
    "smooth": "smooth",
    "pixel_noise": "pixel_noise",
}
_PATHS = {"fonts": find_fonts, "background_pictures": find_pictures}
_HINTS = typing.get_type_hints(Style)


def load_style(name: str, changes: Mapping[str, Any] | None = None) -> Style:
    """The style of a preset or of a TOML file.

    Args:
      name: One of `PRESETS`, or the path of a file.
      changes: Fields of `Style` that are to differ from it.

    Raises:
      ValueError: If there is no such style, the file is not TOML, has an unknown key or a value of
        another type, or the values make no `Style`.
    """
    if name in PRESETS:
        path = _FOLDER / f"{name}.toml"
    elif pathlib.Path(name).is_file():
        path = pathlib.Path(name)
    else:
        raise ValueError(
            f"`style` must be one of {', '.join(PRESETS)}, or a TOML file, received {name!r}"
            f"{_nearest(name, PRESETS)}. Correct it."
        )
    values = _read(path)
    try:
        return Style(**{**values, **(changes or {})})
    except ValueError as error:
        if changes or name in PRESETS:
            raise
        raise ValueError(f"{path}: {error}") from error


def _read(path: pathlib.Path) -> dict[str, Any]:
    """The fields of `Style` that a file sets, those of its preset below its own."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} must be a TOML file, received one that cannot be read ({error}). Correct it."
        ) from error
    values: dict[str, Any] = {}
    if "preset" in table:
        preset = table.pop("preset")
        if preset not in PRESETS:
            raise ValueError(
                f"{path}: `preset` must be one of {', '.join(PRESETS)}, received {preset!r}"
                f"{_nearest(preset, PRESETS)}. Correct it."
            )
        values = _read(_FOLDER / f"{preset}.toml")
    for key, value in table.items():
        values |= _fields_of(path, key, value)
    return values


def _fields_of(path: pathlib.Path, key: str, value: Any) -> dict[str, Any]:
    if key == "length":
        low, high = _pair(path, key, value if isinstance(value, list) else [value, value], int)
        return {"min_length": low, "max_length": high}
    if key not in KEYS:
        known = ("preset", "length", *KEYS)
        raise ValueError(
            f"{path}: every key must be one that styles have, received {key!r}"
            f"{_nearest(key, known)}. Known are {', '.join(known)}."
        )
    field = KEYS[key]
    kind, *others = typing.get_args(_HINTS[field]) or [_HINTS[field]]
    if key in _PATHS:
        names = _list(path, key, value, str)
        try:
            return {field: _PATHS[key]([str(path.parent / name) for name in names])}
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    if others == [...]:
        return {field: tuple(_list(path, key, value, kind))}
    return {field: (_pair if others else _one)(path, key, value, kind)}


def _one(path: pathlib.Path, key: str, value: Any, kind: type) -> Any:
    # A whole number is a fraction too; but JSON's and TOML's true is no number, and 1 no truth.
    if type(value) is kind or (kind is float and type(value) is int):
        return value
    word = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}[kind]
    raise ValueError(f"{path}: `{key}` must be {word}, received {value!r}. Correct it.")


def _list(path: pathlib.Path, key: str, value: Any, kind: type) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{path}: `{key}` must be a list, received {value!r}. Write [...].")
    return [_one(path, key, item, kind) for item in value]


def _pair(path: pathlib.Path, key: str, value: Any, kind: type) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(
            f"{path}: `{key}` must be two numbers, received {value!r}. Write [lowest, highest]."
        )
    return tuple(_one(path, key, item, kind) for item in value)


def _nearest(word: Any, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""

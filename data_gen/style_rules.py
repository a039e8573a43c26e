"""The ranges of a style's values: the one place that says what a knob may be."""

from typing import Any

_MAX_SIDE_PX = 2048  # Larger is no captcha, and a typing error would fill the disk.
_MAX_POSITIONS = 32
BACKGROUNDS = ("plain", "gradient", "pictures")
_MIN_FONT_SIZE_PX = 6  # Below this the digits of the built-in font are blots.

# Field to its name in a style file and what it may be. A pair is a range, in order.
_NUMBERS = {
    "width_px": ("width", 1, _MAX_SIDE_PX),
    "height_px": ("height", 1, _MAX_SIDE_PX),
    "min_length": ("length", 1, _MAX_POSITIONS),
    "max_length": ("length", 1, _MAX_POSITIONS),
    "gap_probability": ("gap_probability", 0, 1),
    "overlap": ("overlap", 0, 0.9),
    "contrast": ("contrast", 0.1, 10),
    "dot_width_px": ("dot_width", 1, 64),
    "curve_width_px": ("curve_width", 1, 64),
}
_PAIRS = {
    "rotation_degrees": ("rotation", -180, 180),
    "warp_x": ("warp_x", 0, 1),
    "warp_y": ("warp_y", 0, 1),
    "text_colour": ("text_colour", 0, 255),
    "text_opacity": ("text_opacity", 1, 255),
    "background_colour": ("background_colour", 0, 255),
    "num_dots": ("dots", 0, 1000),
    "num_curves": ("curves", 0, 100),
    "pixel_noise": ("pixel_noise", 0, 255),
}


def check_style(style: Any) -> None:
    """Checks all values of a `Style` but those that need its fonts.

    Raises:
      ValueError: Rule, value received, what to do, with the name that style files use.
    """
    for field, (name, low, high) in _NUMBERS.items():
        value = getattr(style, field)
        if not low <= value <= high:
            raise ValueError(
                f"`{name}` must be in [{low}, {high}], received {value}. Choose it in that range."
            )
    for field, (name, low, high) in _PAIRS.items():
        first, last = getattr(style, field)
        if not low <= first <= last <= high:
            raise ValueError(
                f"`{name}` must be two numbers in [{low}, {high}], the smaller one first, received "
                f"[{first}, {last}]. Write for example [{low}, {high}]."
            )
    if style.min_length > style.max_length:
        raise ValueError(
            "`length` must have the smaller number first, received "
            f"{style.min_length} to {style.max_length}. Exchange them."
        )
    _check_alphabet(style.alphabet)
    if not style.font_sizes:
        raise ValueError("`font_sizes` must have one or more, received none. Write [0.8].")
    if min(style.font_sizes_px) < _MIN_FONT_SIZE_PX:
        raise ValueError(
            f"`font_sizes` times `height` must be {_MIN_FONT_SIZE_PX} px or more, received "
            f"{min(style.font_sizes_px)} at a height of {style.height_px}. Raise one of them."
        )
    _check_background(style)


def _check_alphabet(alphabet: str) -> None:
    if len(alphabet) < 2 or len(set(alphabet)) < len(alphabet):
        raise ValueError(
            "`alphabet` must have at least 2 characters, each once, received "
            f"{alphabet!r}. Write it without repeats, for example 0123456789."
        )
    for char in alphabet:
        if not char.isprintable() or char.isspace():
            raise ValueError(
                f"`alphabet` must have characters with ink, received {char!r}. Leave it out."
            )


def _check_background(style: Any) -> None:
    if style.background not in BACKGROUNDS:
        raise ValueError(
            f"`background` must be one of {', '.join(BACKGROUNDS)}, received "
            f"{style.background!r}. Choose one."
        )
    if (style.background == "pictures") != bool(style.background_paths):
        raise ValueError(
            '`background_pictures` go with background = "pictures" and only with it, received '
            f"{style.background!r} and {len(style.background_paths)} of them. Give both."
        )

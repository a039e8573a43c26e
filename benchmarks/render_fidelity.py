"""Whether our pictures are the library's: byte for byte, and by what can be measured of them.

  python benchmarks/render_fidelity.py                                   # two minutes
  python benchmarks/render_fidelity.py --sheet=docs/renderers.png        # and a sheet to look at

Byte for byte: the renderers `fast` and `captcha` (the library's own code) draw the same captchas
from the same random numbers, in every preset that the library can draw.

Statistics: captchas of ours against others of the unmodified library, with its own randomness from
`secrets`. Whole captchas, and single characters without dots and curve, of which size, place and
slant can be measured. For each statistic: the difference of means in its own standard errors (z),
and the largest distance of the distributions (Kolmogorov-Smirnov) with the probability of one as
large by chance. With m statistics the smallest probability is to be compared with 0.05 / m.
"""

import math
import pathlib
import secrets
import sys
from collections.abc import Callable, Iterator

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import numpy as np
from absl import flags
from captcha.image import ImageCaptcha, random_color
from PIL import Image, ImageDraw

import command_line
from benchmarks import ledger
from data_gen.example import make_example
from data_gen.render import check_can_draw
from data_gen.style import Style
from data_gen.style_file import PRESETS, load_style
from records.contact_sheet import contact_sheet
from records.progress import Progress

_N = flags.DEFINE_integer("n", 10000, "Pictures of each, for the statistics.", lower_bound=100)
_N_SAME = flags.DEFINE_integer("n_same", 2000, "Pictures of each preset to compare byte for byte.")
_SEED = flags.DEFINE_integer("seed", 0, "Of ours; the library has none.")
_SHEET = flags.DEFINE_string("sheet", None, "Also draw both, side by side, into this PNG file.")

_INK_LEVELS = 24  # Below the background, from where a pixel of a whole captcha counts as ink.
_SHOWN = 24  # Captchas of each kind on the sheet.
_LUMINANCE = np.array([0.299, 0.587, 0.114])
_CHARACTER_STATISTICS = (
    "width_px",
    "height_px",
    "pixels",
    "left_px",
    "top_px",
    "slant_degrees",
    "absolute_slant_degrees",
)


def main(_: list[str]) -> None:
    """Compares, keeps the figures."""
    if _SHEET.value:
        _sheet().save(_SHEET.value)
    figures: dict[str, float | int | str] = {}
    for preset in PRESETS:
        differing = _differing(preset)
        if differing is not None:
            figures[f"{preset}_pictures_that_differ_of_{_N_SAME.value}"] = differing
    statistics = _compared("captcha", _captchas(), _of_captcha)
    statistics |= _compared("character", _characters(), _of_character)
    for name, (ours, theirs, z, distance, probability) in statistics.items():
        figures[name] = (
            f"ours {ours:.4g}, library {theirs:.4g}, z {z:.2f}, "
            f"KS {distance:.4f}, probability {probability:.3f}"
        )
    figures["statistics"] = len(statistics)
    figures["largest_absolute_z"] = max(abs(z) for _, _, z, _, _ in statistics.values())
    figures["smallest_ks_probability"] = min(p for *_, p in statistics.values())
    figures["smallest_ks_probability_is_chance_above"] = 0.05 / len(statistics)
    ledger.record(
        "render_fidelity",
        f"Our captchas against the library's, {_N.value} of each for the statistics",
        figures,
    )


def _differing(preset: str) -> int | None:
    """How many captchas of a preset the two renderers draw differently; None if one cannot."""
    style = load_style(preset)
    try:
        check_can_draw(style, "captcha")
    except ValueError:
        return None
    different = 0
    with Progress(_N_SAME.value, "captchas", preset) as progress:
        for index in range(_N_SAME.value):
            fast, library = (
                make_example(style, _SEED.value, "fresh", index, with_map=True, renderer=renderer)
                for renderer in ("fast", "captcha")
            )
            different += bool(
                (fast.image != library.image).any()
                or (fast.character_map != library.character_map).any()
            )
            progress.update(1)
    return different


_Pair = tuple[np.ndarray, np.ndarray]  # Ours and theirs, uint8 [H, W, 3].


def _captchas() -> Iterator[_Pair]:
    """Whole captchas, of labels of their own."""
    style = Style()
    library = ImageCaptcha(style.width_px, style.height_px, font_sizes=style.font_sizes_px)
    for index, number in enumerate(
        np.random.default_rng(_SEED.value).integers(10000, size=_N.value)
    ):
        ours = make_example(style, _SEED.value, "fresh", index).image
        yield ours, np.asarray(library.generate_image(f"{number:04d}"))


def _characters() -> Iterator[_Pair]:
    """Single characters, with nothing over them and not smoothed: all that is no background."""
    style = Style(min_length=1, max_length=1, num_dots=(0, 0), num_curves=(0, 0), smooth=False)
    library = ImageCaptcha(style.width_px, style.height_px, font_sizes=style.font_sizes_px)
    for index, digit in enumerate(np.random.default_rng(_SEED.value).integers(10, size=_N.value)):
        ours = make_example(style, _SEED.value, "fresh", index).image
        # As in `generate_image`.
        text = random_color(10, 200, secrets.randbelow(36) + 220)
        theirs = library.create_captcha_image(str(digit), text, random_color(238, 255))
        yield ours, np.asarray(theirs)


def _of_captcha(image: np.ndarray) -> dict[str, float]:
    luminance = image @ _LUMINANCE
    ink = (np.median(image, axis=(0, 1)) - image > _INK_LEVELS).any(axis=-1)
    return {
        "luminance": luminance.mean(),
        "contrast": luminance.std(),
        "darkest_pixel": luminance.min(),
        "colourfulness": np.ptp(image, axis=-1).mean(),
        "ink_coverage": ink.mean(),
        "ink_coverage_left_half": ink[:, :50].mean(),
        "ink_coverage_upper_and_lower_3_rows": ink[[0, 1, 2, -3, -2, -1]].mean(),
    }


def _of_character(image: np.ndarray) -> dict[str, float]:
    # The last corner is background: the text stands on the left.
    y, x = np.nonzero((image != image[-1, -1]).any(axis=-1))
    if len(y) < 3:  # Text so dark that it is pasted as good as transparent.
        return dict.fromkeys(_CHARACTER_STATISTICS, 0.0)
    (xx, xy), (_, yy) = np.cov(x, y)
    # Of the long axis against the vertical, from the second moments.
    slant = math.degrees(0.5 * math.atan2(2 * xy, yy - xx))
    values = (np.ptp(x) + 1, np.ptp(y) + 1, len(y), x.min(), y.min(), slant, abs(slant))
    return dict(zip(_CHARACTER_STATISTICS, values, strict=True))


def _compared(
    kind: str, pairs: Iterator[_Pair], measure: Callable[[np.ndarray], dict[str, float]]
) -> dict[str, tuple[float, float, float, float, float]]:
    """Of each statistic: our mean, theirs, z, KS distance, its probability."""
    measured: tuple[list[dict[str, float]], ...] = ([], [])
    with Progress(_N.value, "pairs", kind) as progress:
        for pair in pairs:
            for side, image in zip(measured, pair, strict=True):
                side.append(measure(image))
            progress.update(1)
    result = {}
    for name in measured[0][0]:
        ours, theirs = (np.array([values[name] for values in side]) for side in measured)
        error = math.sqrt((ours.var(ddof=1) + theirs.var(ddof=1)) / _N.value)
        z = float((ours.mean() - theirs.mean()) / error)
        distance = _largest_distance(ours, theirs)
        probability = _probability_of(distance, _N.value)
        means = float(ours.mean()), float(theirs.mean())
        result[f"{kind}_{name}"] = (*means, z, distance, probability)
    return result


def _largest_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Between two distribution functions."""
    places = np.sort(np.concatenate([a, b]))
    below_a = np.searchsorted(np.sort(a), places, side="right") / len(a)
    below_b = np.searchsorted(np.sort(b), places, side="right") / len(b)
    return float(np.abs(below_a - below_b).max())


def _probability_of(distance: float, n: int) -> float:
    """Of one as large or larger by chance: Kolmogorov's series, for two samples of n."""
    root = math.sqrt(n / 2)
    scaled = (root + 0.12 + 0.11 / root) * distance
    if scaled < 0.2:  # Where the series converges slowly, and is 1.
        return 1.0
    terms = (2 * (-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101))
    return min(1.0, max(0.0, sum(terms)))


def _sheet() -> Image.Image:
    """Ours and the library's from the same random numbers, side by side; then the plain library."""
    style = Style()
    examples = [
        [make_example(style, _SEED.value, "fresh", index, renderer=name) for index in range(_SHOWN)]
        for name in ("fast", "captcha")
    ]
    library = ImageCaptcha(style.width_px, style.height_px, font_sizes=style.font_sizes_px)
    plain = [np.asarray(library.generate_image(example.label)) for example in examples[0]]
    parts = [
        ("renderer fast", [example.image for example in examples[0]]),
        ("renderer captcha, the same random numbers", [example.image for example in examples[1]]),
        ("the plain library, its own random numbers", plain),
    ]
    labels = [example.label for example in examples[0]]
    sheets = [contact_sheet(np.stack(images), labels, columns=4) for _, images in parts]
    title_px = 26
    width = sum(sheet.width for sheet in sheets)
    page = Image.new("RGB", (width, sheets[0].height + title_px), "white")
    left = 0
    for (title, _), sheet in zip(parts, sheets, strict=True):
        ImageDraw.Draw(page).text((left + 14, 8), title, fill=(36, 41, 47), font_size=15)
        page.paste(sheet, (left, title_px))
        left += sheet.width
    return page


if __name__ == "__main__":
    command_line.run(main)

"""Where the time of a captcha goes: in the library, and in ours.

python benchmarks/render_stages.py           # a minute

Microseconds of CPU a captcha in the default style; the median of rounds in which every stage is
measured once, so that whatever else the machine does slows all.
"""

import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import captcha.image
import numpy as np
from captcha.image import ImageCaptcha
from PIL import Image

import command_line
from benchmarks import ledger
from data_gen.example import make_example
from data_gen.example_stream import example_stream
from data_gen.fast_renderer import fast_renderer
from data_gen.kernels import captcha as kernel
from data_gen.kernels import layout, text
from data_gen.random_words import draw_words
from data_gen.style import Style

_ROUNDS = 15
_IMAGES = 200


class _Timed(ImageCaptcha):
    """The library, with a clock around each of its steps."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.seconds: dict[str, float] = {}

    def timed(self, stage: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Calls, and adds the time to the stage, and takes it from the stage around it."""
        started = time.process_time()
        result = function(*arguments)
        spent = time.process_time() - started
        self.seconds[stage] = self.seconds.get(stage, 0.0) + spent
        return result

    def _draw_character(self, char: str, *arguments: Any) -> Image.Image:
        stage = "gaps_that_nobody_sees" if char == " " else "characters"
        return self.timed(stage, super()._draw_character, char, *arguments)

    def create_captcha_image(self, *arguments: Any) -> Image.Image:
        return self.timed("text", super().create_captcha_image, *arguments)

    def create_noise_dots(self, *arguments: Any) -> Image.Image:
        return self.timed("dots", super().create_noise_dots, *arguments)

    def create_noise_curve(self, *arguments: Any) -> Image.Image:
        return self.timed("curve", super().create_noise_curve, *arguments)


def _library_stages(library: _Timed) -> dict[str, float]:
    """Seconds of each stage of the library, for `_IMAGES` captchas."""
    library.seconds = {}
    for index in range(_IMAGES):
        library.timed("all", lambda i: np.asarray(library.generate_image(f"{i:04d}")), index)
    stages = dict(library.seconds)
    stages["masks_and_pasting"] = (
        stages["text"] - stages["characters"] - stages["gaps_that_nobody_sees"]
    )
    stages["smoothing_and_colours"] = (
        stages["all"] - stages.pop("text") - stages["dots"] - stages["curve"]
    )
    return stages


def _our_stages() -> dict[str, Callable[[], None]]:
    """Name to what to time: `_IMAGES` times each."""
    style = Style()
    renderer = fast_renderer(style)
    rng = np.random.default_rng(0)
    words = [draw_words(style, rng) for _ in range(_IMAGES)]
    chars = [rng.integers(10, size=4) for _ in range(_IMAGES)]
    constants = renderer._constants
    stamp, numbers = constants[6], constants[3]
    colour, paper = np.array([240, 100, 50, 120]), np.full(3, 240, np.uint8)
    page, out = np.empty(30 * 100 * 3, np.uint8), np.empty(30 * 100 * 3, np.uint8)
    nobody = layout.CHARACTERS  # A position that is not there: no character is drawn.

    def each(function: Callable[..., Any], *lists: list[Any]) -> Callable[[], None]:
        def run() -> None:
            for arguments in zip(*lists, strict=True):
                function(*arguments)

        return run

    numbers_of = list(range(_IMAGES))
    return {
        "all": each(lambda i: make_example(style, 0, "train", i), numbers_of),
        "picture": each(lambda _: renderer.render("0427", rng), numbers_of),
        "generator": each(lambda i: example_stream(0, 0, i), numbers_of),
        "default_rng_instead": each(lambda i: np.random.default_rng((0, 0, i)), numbers_of),
        "random_words": each(lambda _: draw_words(style, rng), numbers_of),
        "text": each(
            lambda w, c: text.draw_text(w, c, *constants[:6], paper, -1, colour, page), words, chars
        ),
        "paper_and_places": each(
            lambda w, c: text.draw_text(w, c, *constants[:6], paper, nobody, colour, page),
            words,
            chars,
        ),
        "dots_and_curve": each(
            lambda w: kernel._draw_dots_and_curves(w, stamp, numbers, colour, page), words
        ),
        "smoothing": each(lambda _: kernel._finish(page, 300, 30, True, out), numbers_of),
    }


def main(_: list[str]) -> None:
    """Measures, keeps the figures."""
    library = _Timed(100, 30, font_sizes=Style().font_sizes_px)
    ours = _our_stages()
    rounds: list[dict[str, float]] = []
    for _ in range(_ROUNDS + 1):
        seconds = {f"library_{name}": value for name, value in _library_stages(library).items()}
        for name, run in ours.items():
            started = time.process_time()
            run()
            seconds[f"ours_{name}"] = time.process_time() - started
        rounds.append(seconds)
    # The first round compiles.
    medians = {
        name: 1e6 / _IMAGES * float(np.median([seconds[name] for seconds in rounds[1:]]))
        for name in rounds[0]
    }
    medians["library_secrets_alone"] = _secrets_microseconds()
    characters = medians.pop("ours_text") - medians["ours_paper_and_places"]
    medians["ours_characters"] = characters
    medians["ours_label"] = (
        medians["ours_all"] - medians["ours_picture"] - medians["ours_generator"]
    )
    kernel_stages = ("characters", "paper_and_places", "dots_and_curve", "smoothing")
    medians["ours_python_around"] = medians.pop("ours_picture") - sum(
        medians[f"ours_{name}"] for name in ("random_words", *kernel_stages)
    )
    order = sorted(medians, key=lambda name: (name.split("_")[0], -medians[name]))
    ledger.record(
        "render_stages",
        "Where the time of a captcha goes, microseconds, 100x30, four digits",
        {f"{name}_us": medians[name] for name in order},
    )


def _secrets_microseconds() -> float:
    """Of the library's draws: how long its source of randomness takes for one captcha."""
    asked = 0
    real = captcha.image.secrets

    class Counting:
        def __getattr__(self, name: str) -> Any:
            nonlocal asked
            asked += 1
            return getattr(real, name)

    captcha.image.secrets = Counting()
    try:
        library = ImageCaptcha(100, 30, font_sizes=Style().font_sizes_px)
        for index in range(_IMAGES):
            library.generate_image(f"{index:04d}")
    finally:
        captcha.image.secrets = real
    started = time.process_time()
    for _ in range(asked):
        real.randbelow(101)
    return 1e6 * (time.process_time() - started) / _IMAGES


if __name__ == "__main__":
    command_line.run(main)

"""How fast captchas are drawn and written: against the plain library, and memory against n.

python benchmarks/render_speed.py            # two minutes

An example is what goes into a dataset: its own random generator, a label and the picture. A picture
is `render` alone, with a generator that is there.
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import numpy as np
from absl import flags
from captcha.image import ImageCaptcha

import command_line
from benchmarks import ledger
from data_gen.example import make_example
from data_gen.render import render, warm_up
from data_gen.style import Style
from data_gen.style_file import load_style
from records.example_proto import encode_example
from records.schema import captcha_fields
from records.tfrecord import frame

_SMALL = flags.DEFINE_integer("small", 2000, "Examples of the small dataset.", lower_bound=1)
_LARGE = flags.DEFINE_integer("large", 20000, "Examples of the large one.", lower_bound=1)

_ROUNDS = 15
_IMAGES_A_ROUND = 200


def _paired_rates(preset: str) -> dict[str, float]:
    """Images per second of CPU, of the library and of ours, and medians of their ratios.

    In each round all draw one after the other, so that whatever else the machine does slows all.
    """
    style = load_style(preset)
    library = ImageCaptcha(style.width_px, style.height_px, font_sizes=style.font_sizes_px)
    labels = [f"{index:04d}" for index in range(_IMAGES_A_ROUND)]
    rng = np.random.default_rng(0)
    draw = {
        "library": lambda _, label: np.asarray(library.generate_image(label)),
        "example": lambda index, _: make_example(style, 0, "train", index),
        "render": lambda _, label: render(style, label, rng),
        "renderer_captcha": lambda index, _: make_example(
            style, 0, "train", index, renderer="captcha"
        ),
    }
    warm_up(style, "fast")
    warm_up(style, "captcha")
    seconds = {name: [] for name in draw}
    for _ in range(_ROUNDS):
        for name, draw_one in draw.items():
            started = time.process_time()
            for index, label in enumerate(labels):
                draw_one(index, label)
            seconds[name].append((time.process_time() - started) / len(labels))
    one = {name: np.array(values) for name, values in seconds.items()}
    return {
        f"{preset}_library_generate_image_per_core_second": float(1 / np.median(one["library"])),
        f"{preset}_examples_per_core_second": float(1 / np.median(one["example"])),
        f"{preset}_example_ratio_median_of_pairs": float(
            np.median(one["library"] / one["example"])
        ),
        f"{preset}_example_ratio_lowest": float((one["library"] / one["example"]).min()),
        f"{preset}_picture_ratio_median_of_pairs": float(np.median(one["library"] / one["render"])),
        f"{preset}_renderer_captcha_ratio_median_of_pairs": float(
            np.median(one["library"] / one["renderer_captcha"])
        ),
    }


def _record_microseconds() -> float:
    """CPU time to serialise, frame and hash one captcha; the median of rounds."""
    style = Style()
    fields = captcha_fields(height_px=style.height_px, width_px=style.width_px, num_positions=4)
    example = make_example(style, 0, "train", 0)
    values = {"image": example.image, "label": example.digits}
    rounds = []
    for _ in range(_ROUNDS):
        digest = hashlib.sha256()
        started = time.process_time()
        for _ in range(_IMAGES_A_ROUND):
            digest.update(frame(encode_example(fields, values)))
        rounds.append((time.process_time() - started) / _IMAGES_A_ROUND)
    return 1e6 * float(np.median(rounds))


def _command_figures(num_examples: int) -> tuple[float, float, float]:
    """Examples a second, cores kept busy and MB of the largest process of `python data_gen`."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "data_gen", f"--n={num_examples}", f"--out={folder}/data"],
            cwd=sys.path[0],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)  # Its own use and that of its workers.
        seconds = time.monotonic() - started
    if status:
        raise OSError(f"`python data_gen` must succeed, received wait status {status}. Run it.")
    num_written = num_examples + num_examples // 10
    busy = (usage.ru_utime + usage.ru_stime) / seconds
    return num_written / seconds, busy, usage.ru_maxrss / 1024


def main(_: list[str]) -> None:
    """Measures, keeps the figures."""
    rates = _paired_rates("default") | _paired_rates("wide")
    small, large = (_command_figures(flag.value) for flag in (_SMALL, _LARGE))
    ledger.record(
        "render_speed",
        "Drawing and writing captchas: default is 100x30, wide 160x60, four digits",
        {
            **rates,
            "pairs": _ROUNDS,
            "serialise_frame_hash_microseconds": _record_microseconds(),
            f"data_gen_examples_per_second_n_{_SMALL.value}": small[0],
            f"data_gen_examples_per_second_n_{_LARGE.value}": large[0],
            f"data_gen_cores_busy_n_{_LARGE.value}": large[1],
            f"data_gen_largest_process_mb_n_{_SMALL.value}": small[2],
            f"data_gen_largest_process_mb_n_{_LARGE.value}": large[2],
        },
    )


if __name__ == "__main__":
    command_line.run(main)

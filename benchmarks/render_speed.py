"""How fast captchas are drawn and written: against the plain library, and memory against n.

python benchmarks/render_speed.py            # two minutes
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
from data_gen.style import Style
from records.example_proto import encode_example
from records.schema import captcha_fields
from records.tfrecord import frame

_SMALL = flags.DEFINE_integer("small", 2000, "Examples of the small dataset.", lower_bound=1)
_LARGE = flags.DEFINE_integer("large", 20000, "Examples of the large one.", lower_bound=1)

_ROUNDS = 9
_IMAGES_A_ROUND = 300


def _paired_rates() -> tuple[float, float, float]:
    """Images a second of CPU of ours and of the library, and the median of their ratios."""
    style = Style()
    library = ImageCaptcha(style.width_px, style.height_px, font_sizes=style.font_sizes_px)
    rates = []
    for round_number in range(_ROUNDS):
        started = time.process_time()
        for index in range(_IMAGES_A_ROUND):
            make_example(style, round_number, "train", index)
        between = time.process_time()
        for index in range(_IMAGES_A_ROUND):
            np.asarray(library.generate_image(f"{index:04d}"))
        ended = time.process_time()
        rates.append((_IMAGES_A_ROUND / (between - started), _IMAGES_A_ROUND / (ended - between)))
    ours, theirs = np.array(rates).T
    return float(np.median(ours)), float(np.median(theirs)), float(np.median(ours / theirs))


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
    ours, theirs, ratio = _paired_rates()
    small, large = (_command_figures(flag.value) for flag in (_SMALL, _LARGE))
    ledger.record(
        "render_speed",
        "Drawing and writing captchas, 100x30, four digits",
        {
            "drawn_per_core_second": ours,
            "library_generate_image_per_core_second": theirs,
            "ratio_median_of_pairs": ratio,
            "pairs": _ROUNDS,
            "serialise_frame_hash_microseconds": _record_microseconds(),
            f"data_gen_examples_per_second_n_{_LARGE.value}": large[0],
            f"data_gen_cores_busy_n_{_LARGE.value}": large[1],
            f"data_gen_largest_process_mb_n_{_SMALL.value}": small[2],
            f"data_gen_largest_process_mb_n_{_LARGE.value}": large[2],
        },
    )


if __name__ == "__main__":
    command_line.run(main)

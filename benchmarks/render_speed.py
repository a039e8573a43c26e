"""How fast captchas are drawn and written: against the plain library, and memory against n.

python benchmarks/render_speed.py            # two minutes
"""

import pathlib
import resource
import subprocess
import sys
import tempfile
import time

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import numpy as np
from captcha.image import ImageCaptcha

from benchmarks import ledger
from data_gen.example import make_example
from data_gen.style import Style

_ROUNDS = 9
_IMAGES_A_ROUND = 300
_SIZES = (2000, 20000)  # Of the datasets whose memory is compared.


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


def _command_figures(num_examples: int) -> tuple[float, float, float]:
    """Examples a second, cores kept busy and peak memory in MB of `python data_gen`."""
    with tempfile.TemporaryDirectory() as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "data_gen", f"--n={num_examples}", f"--out={folder}/data"],
            cwd=sys.path[0],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = __import__("os").wait4(process.pid, 0)
        seconds = time.monotonic() - started
        assert status == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / seconds
    return num_examples * 1.1 / seconds, busy, usage.ru_maxrss / 1024


def main():
    ours, theirs, ratio = _paired_rates()
    small, large = (_command_figures(n) for n in _SIZES)
    ledger.record(
        "render_speed",
        "Drawing and writing captchas, 100x30, four digits",
        {
            "drawn_per_core_second": ours,
            "library_generate_image_per_core_second": theirs,
            "ratio_median_of_pairs": ratio,
            "pairs": _ROUNDS,
            f"command_examples_per_second_n_{_SIZES[1]}": large[0],
            f"command_cores_busy_n_{_SIZES[1]}": large[1],
            f"command_peak_parent_mb_n_{_SIZES[0]}": small[2],
            f"command_peak_parent_mb_n_{_SIZES[1]}": large[2],
        },
    )


if __name__ == "__main__":
    main()

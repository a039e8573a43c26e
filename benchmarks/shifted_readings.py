"""What a trained network gains where each captcha is read five times, a pixel apart.

  python benchmarks/shifted_readings.py --model_dir=models/captcha                  # a minute
  python benchmarks/shifted_readings.py --model_dir=runs/letters_further --style=letters --alike=O0

Reads fresh captchas as they are, and as the mean (of ln p) of that reading and of those of the
picture moved by a pixel up, down, left and right. Says what is misread most, and how many captchas
would be read right were the characters of --alike one.
"""

import collections
import pathlib
import sys

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import numpy as np
from absl import flags

import command_line
import tensorflow_start

_SHIFTS = ((0, 0), (0, -1), (0, 1), (-1, 0), (1, 0))
_MOST_PAIRS = 8


def main(_: list[str]) -> None:
    """Reads, compares, keeps the figures."""
    tensorflow_start.import_quietly()
    from benchmarks import ledger
    from benchmarks.fresh_readings import read_fresh, together
    from benchmarks.known_captcha import draw_known
    from data_gen.style_file import load_style

    style = load_style(_STYLE.value)
    unknown = sorted(set(_ALIKE.value) - set(style.alphabet))
    if unknown:
        raise ValueError(
            f"`alike` must be characters of the alphabet {style.alphabet}, received "
            f"{_ALIKE.value!r}. Leave {unknown[0]!r} out."
        )
    n, seed = _N.value, _SEED.value
    readings = [read_fresh(_MODEL_DIR.value, style, seed, n, shift) for shift in _SHIFTS]
    labels = [draw_known(style, seed, index).label for index in range(n)]
    right = np.array([[style.alphabet.index(character) for character in label] for label in labels])
    figures: dict[str, str | int] = {"n": n}
    for name, probabilities in (
        ("one reading", readings[0]),
        ("mean of five", together(np.stack(readings))),
    ):
        read = probabilities.argmax(axis=-1)
        for what, value in reading_figures(read, right, style.alphabet, _ALIKE.value).items():
            figures[f"{name}, {what}"] = value
    if _RECORD.value:
        model = pathlib.Path(_MODEL_DIR.value).name
        title = f"Readings of shifted pictures, {_STYLE.value}, by {model}"
        ledger.record(f"shifted_readings_{model}", title, figures)
    else:
        ledger.show(figures)


def reading_figures(
    read: np.ndarray, right: np.ndarray, alphabet: str, alike: str
) -> dict[str, str]:
    """How much of it is right, with and without telling those of `alike` apart, and what is not.

    Args:
      read: int `[N, L]`, indices into `alphabet`.
      right: The same, what they say.
      alphabet: The characters.
      alike: Those that are taken for one.
    """
    figures = {
        "whole captchas": _share((read == right).all(axis=-1)),
        "characters": f"{(read == right).mean():.2%}",
    }
    if alike:
        merged = np.arange(len(alphabet))
        merged[[alphabet.index(character) for character in alike]] = alphabet.index(alike[0])
        share = _share((merged[read] == merged[right]).all(axis=-1))
        figures[f"whole captchas with {' and '.join(alike)} taken for one"] = share
    pairs = collections.Counter(
        f"{alphabet[is_right]} as {alphabet[is_read]}"
        for is_right, is_read in zip(right[read != right], read[read != right], strict=True)
    )
    figures["characters misread"] = f"{pairs.total()} of {read.size}"
    most = [f"{pair} {count}" for pair, count in pairs.most_common(_MOST_PAIRS)]
    figures["misread most"] = ", ".join(most)
    return figures


def _share(is_right: np.ndarray) -> str:
    from model.metrics import wilson_interval

    low, high = wilson_interval(float(is_right.mean()), len(is_right))
    return f"{is_right.mean():.2%} ({low:.2%} to {high:.2%})"


if __name__ == "__main__":
    # Here and not above: a test that imports two such programs would define some flags twice.
    _MODEL_DIR = flags.DEFINE_string("model_dir", "models/captcha", "As train.py wrote it.")
    _STYLE = flags.DEFINE_string("style", "default", "Preset or TOML file, as for data_gen.")
    _ALIKE = flags.DEFINE_string("alike", "", "Characters to take for one too, for example O0.")
    _N = flags.DEFINE_integer("n", 20000, "Captchas to read.", lower_bound=1)
    _SEED = flags.DEFINE_integer("seed", 0, "Of the captchas.", lower_bound=0)
    _RECORD = flags.DEFINE_bool("record", True, "Keep the figures in benchmarks/results.")
    command_line.run(main)

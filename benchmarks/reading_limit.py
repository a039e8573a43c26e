r"""How much of what networks misread could be read at all.

  python benchmarks/reading_limit.py --models=models/captcha,models/live  # three minutes
  python benchmarks/reading_limit.py --n=500 --drawings=50 --controls=2 --norecord  # short

Fresh captchas are drawn and read by each model. The generator knows how much of each character is
covered, cut away or faint, so errors can be laid to that; and it can draw each misread captcha with
another label and all else the same, so it can be seen whether the two could be told apart. The
captchas that most models misread are laid on a sheet, docs/what_is_misread.png.

"difference" is the root of the sum of squared differences, in levels of 255, over all channels of
all pixels; "most" the largest of them; "pixels" those with one above 8 levels.
"""

import pathlib
import sys
import time

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import numpy as np
from absl import flags, logging

import command_line
import tensorflow_start
from benchmarks.glyph_visibility import VisibilityMeasure
from benchmarks.known_captcha import draw_known
from data_gen.style import Style
from data_gen.style_file import load_style

_MODELS = flags.DEFINE_list("models", ["models/captcha", "models/live"], "Folders of train.py.")
_STYLE = flags.DEFINE_string("style", "default", "Preset or TOML file; of one length, no noise.")
_N = flags.DEFINE_integer("n", 20000, "How many captchas.", lower_bound=10)
_SEED = flags.DEFINE_integer("seed", 61, "Of captchas and of the search.", lower_bound=0)
_DRAWINGS = flags.DEFINE_integer("drawings", 800, "Tried of each character.", lower_bound=8)
_LOOKED_AT = flags.DEFINE_integer(
    "looked_at", 200, "Misread captchas drawn with other labels, at most.", lower_bound=0
)
_CONTROLS = flags.DEFINE_integer("controls", 40, "Others drawn so, at most.", lower_bound=0)
_SHEET = flags.DEFINE_string("sheet", "docs/what_is_misread.png", "Written if it is recorded.")
_RECORD = flags.DEFINE_bool("record", True, "Keep the figures in benchmarks/results.")

_EXCHANGED = 1000  # Captchas, each in every way.


def main(_: list[str]) -> None:
    """Draws, reads, compares."""
    # Here and not above: --help answers at once, TensorFlow takes 3 s to load.
    tensorflow_start.import_quietly()
    from benchmarks import fresh_readings, ledger, misread_sheet, misreadings

    style, n, seed, names = load_style(_STYLE.value), _N.value, _SEED.value, _MODELS.value
    begun = time.monotonic()
    read = np.stack([fresh_readings.read_fresh(name, style, seed, n) for name in names])
    ensemble = fresh_readings.together(read)
    logging.info("read      | %d captchas, %d models | %.0f s", n, len(names), _since(begun))
    digits, measures = _measured(style, seed, n)
    logging.info("measured  | %d captchas | %.0f s", n, _since(begun))

    figures = {"captchas": n}
    for name, probabilities in zip([*names, "all together"], [*read, ensemble], strict=True):
        figures |= misreadings.reader_figures(name, probabilities, digits)
    figures |= misreadings.shared_figures(read, digits)
    figures |= misreadings.pair_figures(read, digits, style.alphabet)
    figures |= misreadings.cause_figures(measures, read, digits)
    figures |= _floor(style, read, digits)
    logging.info("drawn     | %.0f s", _since(begun))
    if _RECORD.value:
        worst = misreadings.worst_characters(measures)
        sheet = misread_sheet.misread_sheet(style, seed, read, digits, worst)
        if sheet is not None:
            sheet.save(_SHEET.value)
            print(_SHEET.value)
        title = f"What of {n} captchas {len(names)} networks misread, and what could be read"
        ledger.record("reading_limit", title, figures)
    else:
        ledger.show(figures)


def _since(begun: float) -> float:
    return time.monotonic() - begun


def _measured(style: Style, seed: int, n: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """int64 [n, L], what is right, and each measure of `Visibility`, float64 [n, L]."""
    measure = VisibilityMeasure(style)
    digits = np.empty((n, style.max_length), np.int64)
    found = []
    for index in range(n):
        known = draw_known(style, seed, index)
        digits[index] = [style.alphabet.index(char) for char in known.label]
        found.append(measure.measure(known))
    names = found[0]._fields
    return digits, {name: np.stack([getattr(each, name) for each in found]) for name in names}


def _floor(style: Style, read: np.ndarray, digits: np.ndarray) -> dict[str, str]:
    """Draws what a model misreads, and as many others as `--controls` says."""
    from benchmarks import reading_floor

    rng = np.random.default_rng(_SEED.value)
    classes = read.argmax(axis=-1)  # [M, N, L]
    wrong = classes != digits
    times = wrong.any(axis=-1).sum(axis=0)  # Models that misread it, [N].
    misread = np.flatnonzero(times)
    misread = misread[np.argsort(-times[misread], kind="stable")]

    def look(index: int, doubtful: dict[int, int]):
        chars = {position: style.alphabet[digit] for position, digit in doubtful.items()}
        known = draw_known(style, _SEED.value, int(index))
        return reading_floor.look(known, chars, rng, _DRAWINGS.value)

    looks = []
    for index in misread[: _LOOKED_AT.value]:
        positions = np.flatnonzero(wrong[:, index].any(axis=0)).tolist()
        readers = wrong[:, index].argmax(axis=0)  # The first one that is wrong there.
        looks.append(look(index, {at: classes[readers[at], index, at] for at in positions}))
    others = np.flatnonzero(times == 0)[: _CONTROLS.value]
    controls = [look(i, {i % style.max_length: digits[i, i % style.max_length]}) for i in others]
    by_all = looks[: int((times == len(read)).sum())]
    exchanged = [draw_known(style, _SEED.value, i) for i in range(min(len(digits), _EXCHANGED))]
    return (
        reading_floor.floor_figures(looks, len(misread), len(digits))
        | reading_floor.exchange_figures(exchanged)
        | reading_floor.drawing_figures("captchas misread by every model", by_all)
        | reading_floor.drawing_figures("captchas misread by a model", looks)
        | reading_floor.drawing_figures("characters of other captchas, as they come", controls)
    )


if __name__ == "__main__":
    command_line.run(main)

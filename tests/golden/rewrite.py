"""Writes the golden files anew: python tests/golden/rewrite.py (or make golden)."""

import pathlib
import shutil
import sys

_GOLDEN = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_GOLDEN.parent.parent), str(_GOLDEN.parent)]

from PIL import Image
from tiny_captchas import draw_tiny_captchas
from tiny_dataset import write_tiny_dataset

from data_gen.style_file import PRESETS
from records.schema import ENCODINGS


def rewrite() -> None:
    """Replaces every golden file by what the code of today writes."""
    for encoding in ENCODINGS:
        out = _GOLDEN / f"dataset_{encoding}"
        shutil.rmtree(out, ignore_errors=True)
        write_tiny_dataset(out, encoding=encoding, with_map=encoding == "raw")
    for old in _GOLDEN.glob("captchas_*.png"):
        old.unlink()
    for preset in PRESETS:
        Image.fromarray(draw_tiny_captchas(preset)).save(_GOLDEN / f"captchas_{preset}.png")


if __name__ == "__main__":
    rewrite()

"""How well an exported model reads captchas that nobody has seen: ours, or the plain library's.

  python benchmarks/read_fresh.py --saved_model=exports/captcha --n=1000
  python benchmarks/read_fresh.py --saved_model=exports/captcha --n=5000 --renderer=captcha
  python benchmarks/read_fresh.py --saved_model=exports/mixed --style=mixed-length

Ours are drawn from the "fresh" stream, which no dataset is written from, or from the unmodified
`captcha` library, at the same size and font sizes, with the library's own randomness. Size,
alphabet and greatest length are the model's; the rest, and the least length if the model reads
several, is the style's.
"""

import itertools
import json
import pathlib
import sys
import time
from collections.abc import Iterator

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import numpy as np
from absl import flags
from captcha.image import ImageCaptcha
from PIL import Image

import command_line
import tensorflow_start
from data_gen.example import Example, make_example
from data_gen.style import Style
from data_gen.style_file import load_style
from records.progress import Progress

_SAVED_MODEL = flags.DEFINE_string("saved_model", "exports/captcha", "As `python export` wrote it.")
_N = flags.DEFINE_integer("n", 1000, "How many captchas.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Of labels, and of pictures of ours.", lower_bound=0)
_STYLE = flags.DEFINE_string("style", "default", "Preset or TOML file, as for data_gen.")
_RENDERER = flags.DEFINE_enum("renderer", "ours", ["ours", "captcha"], "Who draws.")
_KEEP = flags.DEFINE_string("keep", None, "Folder to keep the first 20 pictures in, as PNG files.")
_FIGURES = flags.DEFINE_string("figures", None, "Also write the figures to this JSON file.")
_RECORD = flags.DEFINE_bool("record", False, "Keep the figures in benchmarks/results.")
_NAME = flags.DEFINE_string("name", None, "Of the model, in the ledger. By default none is given.")

_BATCH = 250
_KEPT = 20


def main(_: list[str]) -> None:
    """Draws, reads, compares."""
    # Here and not above: --help answers at once, TensorFlow takes 3 s to load.
    tensorflow_start.import_quietly()
    from benchmarks import ledger
    from export.reader import Reader
    from model.metrics import character_accuracy, wilson_interval

    reader = Reader(_SAVED_MODEL.value)
    style = _style_of(reader.path, _STYLE.value)
    blank = len(style.alphabet) if style.variable_length else None
    fresh = _drawn(style, _RENDERER.value, _SEED.value)
    right_captchas = done = 0
    right_characters = reading = 0.0
    with Progress(_N.value, "captchas", "read") as progress:
        while done < _N.value:
            batch = list(itertools.islice(fresh, min(_BATCH, _N.value - done)))
            if done == 0 and _KEEP.value:
                _keep(batch[:_KEPT], pathlib.Path(_KEEP.value))
            started = time.monotonic()
            readings = reader.read_images(np.stack([example.image for example in batch]))
            reading += time.monotonic() - started
            right_captchas += sum(
                text == example.label for text, example in zip(readings.texts, batch, strict=True)
            )
            digits = np.stack([example.digits for example in batch])
            right_characters += float(sum(character_accuracy(readings.digits, digits, blank)))
            done += len(batch)
            progress.update(len(batch))
    accuracy = right_captchas / done
    low, high = wilson_interval(accuracy, done)
    figures = {
        "n": done,
        "sequence_accuracy": accuracy,
        "sequence_accuracy_95_low": low,
        "sequence_accuracy_95_high": high,
        "character_accuracy": right_characters / done,
        "read_per_second": done / reading,
    }
    if _FIGURES.value:
        pathlib.Path(_FIGURES.value).write_text(json.dumps(figures, indent=2) + "\n")
    if _RECORD.value:
        name = f"read_fresh_{_RENDERER.value}"
        title = f"The exported model on fresh captchas drawn by {_RENDERER.value}"
        if _STYLE.value != "default":
            name += f"_{pathlib.Path(_STYLE.value).stem}"
            title += f", style {pathlib.Path(_STYLE.value).stem}"
        if _NAME.value:
            name += f"_{_NAME.value}"
            title += f": {_NAME.value}"
        ledger.record(name, title, figures)
    else:
        ledger.show(figures)


def _style_of(export_dir: pathlib.Path, name: str) -> Style:
    """A style at the size, length and alphabet of an exported model."""
    model = json.loads((export_dir / "assets.extra" / "model.json").read_text())
    height, width, _ = model["image_shape"]
    changes = {
        "width_px": width,
        "height_px": height,
        "max_length": model["num_positions"],
        "alphabet": model["alphabet"],
    }
    if not model.get("has_blank", False):
        changes["min_length"] = model["num_positions"]
    return load_style(name, changes)


def _drawn(style: Style, renderer: str, seed: int) -> Iterator[Example]:
    """Labels and pictures, without end."""
    library = ImageCaptcha(style.width_px, style.height_px, font_sizes=style.font_sizes_px)
    for index in itertools.count():
        example = make_example(style, seed, "fresh", index)
        if renderer == "ours":
            yield example
        else:
            yield example._replace(image=np.asarray(library.generate_image(example.label)))


def _keep(batch: list[Example], folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for index, example in enumerate(batch):
        Image.fromarray(example.image).save(folder / f"{example.label}_{index:04d}.png")


if __name__ == "__main__":
    command_line.run(main)

"""Labelled pictures of 20 x 12 pixels that a small network reads after a few hundred steps."""

import csv
import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFont

ALPHABET = "147"
SIZE = (20, 12)


def toy_picture(label: str, seed: int) -> Image.Image:
    """Two dark characters on a light ground with noise."""
    generator = np.random.default_rng((seed, 3, 1))
    picture = Image.new("L", SIZE, 220)
    font = ImageFont.load_default(size=12)
    for place, char in enumerate(label):
        left = 2 + 9 * place + int(generator.integers(2))
        ImageDraw.Draw(picture).text((left, -2 + int(generator.integers(2))), char, 40, font)
    noisy = np.asarray(picture) + generator.normal(0, 12, SIZE[::-1])
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).convert("RGB")


def write_toy_pictures(
    folder: pathlib.Path, num: int, wrong: dict[int, str] | None = None
) -> list[str]:
    """Writes `0000.png` ... and labels.csv, in which some labels are wrong.

    Args:
      folder: To be made.
      num: How many.
      wrong: By number, a label to write instead of the right one.

    Returns:
      The right labels.
    """
    folder.mkdir()
    labels = ["".join(pair) for pair in np.random.default_rng(8).choice([*ALPHABET], (num, 2))]
    with (folder / "labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("file", "label"))
        for index, label in enumerate(labels):
            toy_picture(label, index).save(folder / f"{index:04d}.png")
            rows.writerow((f"{index:04d}.png", (wrong or {}).get(index, label)))
    return labels

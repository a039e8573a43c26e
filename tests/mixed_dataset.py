"""A dataset of labels of 3 to 6 characters, in pictures that anything can read: bars of colour.

Each character is a bar of 4 x 8 pixels, from the left, in the colour of its class; the rest is
black.
"""

import pathlib

import numpy as np

from records.dataset_writer import DatasetWriter
from records.example_proto import encode_example
from records.labels import write_label
from records.schema import captcha_fields

ALPHABET = "abc"
LENGTHS = (3, 4, 5, 6)
NUM_POSITIONS = 6
NUM_EXAMPLES = {"train": 256, "test": 64}
FIELDS = captcha_fields(
    height_px=8, width_px=24, num_positions=NUM_POSITIONS, encoding="png", variable_length=True
)


def mixed_text(split: str, index: int) -> str:
    """Label `index` of `split`; of each four in a row, one of each length."""
    rng = np.random.default_rng((7, ("train", "test").index(split), index))
    return "".join(rng.choice(list(ALPHABET), size=LENGTHS[index % len(LENGTHS)]))


def mixed_image(text: str) -> np.ndarray:
    """uint8 `[8, 24, 3]`."""
    image = np.zeros((8, 24, 3), np.uint8)
    for position, char in enumerate(text):
        image[:, 4 * position : 4 * position + 4, ALPHABET.index(char)] = 255
    return image


def write_mixed_dataset(out_dir) -> pathlib.Path:
    """Writes 256 train and 64 test examples."""
    with DatasetWriter(out_dir, fields=FIELDS, alphabet=ALPHABET) as writer:
        for split, num_examples in NUM_EXAMPLES.items():
            texts = [mixed_text(split, index) for index in range(num_examples)]
            with writer.split(split, num_examples=num_examples) as sink:
                sink.add(
                    encode_example(
                        FIELDS, {"image": mixed_image(text), **write_label(FIELDS, text, ALPHABET)}
                    )
                    for text in texts
                )
        writer.finish({"generator": "tests/mixed_dataset.py"})
    return pathlib.Path(out_dir)

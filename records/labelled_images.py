"""The examples of a split as people look at them: a picture and the text on it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from records.description import DatasetDescription, check_sizes
from records.errors import RecordError
from records.example_proto import decode_example
from records.labels import read_label
from records.tfrecord import read_records


class LabelledImage(NamedTuple):
    """One example."""

    image: np.ndarray  # uint8 [H, W, 3]
    label: str  # Without the blanks that fill it up.


def read_labelled_images(description: DatasetDescription, split: str) -> Iterator[LabelledImage]:
    """Yields the examples of `split` in their order.

    Raises:
      ValueError: When iteration begins, if a shard of the dataset is missing, cut or one too many.
      RecordError: While iterating, at the first record that is damaged or not as the description
        says; the message has file and record number.
      OSError: If a shard cannot be read.
    """
    check_sizes(description)
    for shard in description.shards(split):
        path = description.dataset_dir / shard.file
        for number, record in enumerate(read_records(path)):
            try:
                values = decode_example(description.fields, record)
                label = read_label(description.fields, values, description.alphabet)
            except RecordError as error:
                raise RecordError(f"{path}, record {number}: {error}") from error
            yield LabelledImage(values["image"], label)

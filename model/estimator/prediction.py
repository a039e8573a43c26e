"""Predictions over a dataset, one batch at a time."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from model.estimator.input_data import split
from model.estimator.program import Program


def predict(
    program: Program, dataset: tf.data.Dataset, *, single_examples: bool
) -> Iterator[dict[str, np.ndarray]]:
    """Yields what `model_fn` predicts, as NumPy: a dict an example, or a dict a batch.

    Labels in the dataset are left aside.
    """
    features_spec, _ = split(dataset.element_spec)
    predict_step = program.predict_step(features_spec)
    for element in dataset:
        features, _ = split(element)
        batch = {name: tensor.numpy() for name, tensor in predict_step(features).items()}
        if not single_examples:
            yield batch
            continue
        for values in zip(*batch.values(), strict=True):
            yield dict(zip(batch, values, strict=True))

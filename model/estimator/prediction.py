"""Predictions over a dataset, one batch at a time."""

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from model.estimator.input_data import split
from model.estimator.program import Program


def predict(
    program: Program,
    dataset: tf.data.Dataset,
    *,
    predict_keys: Sequence[str] | None,
    single_examples: bool,
) -> Iterator[dict[str, np.ndarray]]:
    """Yields what `model_fn` predicts, as NumPy: a dict an example, or a dict a batch.

    Labels in the dataset are left aside.

    Raises:
      ValueError: If one of `predict_keys` is not predicted.
    """
    features_spec, _ = split(dataset.element_spec)
    predict_step = program.predict_step(features_spec)
    names = list(predict_step.structured_outputs)
    unknown = [name for name in predict_keys or () if name not in names]
    if unknown or (predict_keys is not None and not predict_keys):
        raise ValueError(
            f"`predict_keys` must be some of {', '.join(names)}, received {list(predict_keys)}. "
            "Leave it out for all."
        )
    return _predictions(predict_step, dataset, predict_keys or names, single_examples)


def _predictions(
    predict_step, dataset: tf.data.Dataset, names: Sequence[str], single_examples: bool
) -> Iterator[dict[str, np.ndarray]]:
    for element in dataset:
        features, _ = split(element)
        predicted = predict_step(features)
        batch = {name: predicted[name].numpy() for name in names}
        if not single_examples:
            yield batch
            continue
        for values in zip(*batch.values(), strict=True):
            yield dict(zip(batch, values, strict=True))

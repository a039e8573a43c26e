"""From an `input_fn` to batches, and the place in them that a training run has reached."""

from collections.abc import Callable

import tensorflow as tf


def make_dataset(input_fn: Callable[[], tf.data.Dataset]) -> tf.data.Dataset:
    """Calls `input_fn`.

    Returns:
      A dataset whose elements are (features, labels); labels are None if it gave features alone.

    Raises:
      ValueError: If it returns no dataset, or one of unbatched or otherwise formed elements.
    """
    dataset = input_fn()
    if not isinstance(dataset, tf.data.Dataset):
        raise ValueError(
            "`input_fn` must return a tf.data.Dataset, received "
            f"{type(dataset).__name__}. Return the dataset itself, not an iterator over it."
        )
    spec = dataset.element_spec
    if isinstance(spec, tuple) and len(spec) != 2:
        raise ValueError(
            "`input_fn` must give elements (features, labels) or features alone, received tuples "
            f"of {len(spec)}. Put the rest into the dict of features."
        )
    if not all(leaf.shape.rank is None or leaf.shape.rank > 0 for leaf in tf.nest.flatten(spec)):
        raise ValueError(
            f"`input_fn` must give batches, received elements of {spec}. Call .batch(...) on it."
        )
    return dataset


def split(element) -> tuple:
    """(features, labels) of an element, or of an element's spec."""
    return element if isinstance(element, tuple) else (element, None)


def num_examples(features) -> int:
    """The size of a batch, which all its tensors share."""
    return int(tf.nest.flatten(features)[0].shape[0])


class TrainingInput:
    """Batches to train on, one after another, over any number of `train` calls.

    Attributes:
      input_fn: Where they come from.
      specs: Of features and of labels.
      iterator: Where they have got to; part of every checkpoint.
      iterator_can_be_saved: False once saving has found a Python function in it.
    """

    def __init__(self, input_fn: Callable[[], tf.data.Dataset]):
        self.input_fn = input_fn
        self._dataset = make_dataset(input_fn)
        self.specs = split(self._dataset.element_spec)
        self.iterator_can_be_saved = True
        self.restart()

    def restart(self) -> None:
        """Goes back to the first batch."""
        self.iterator = iter(self._dataset)
        self._at_beginning = True
        self._resumed = False

    def go_on(self, *, may_restart: bool) -> None:
        """Declares that `iterator` stands where an earlier run stopped.

        Where that was the very end, the input starts anew, or has ended if it may not.
        """
        self._resumed = may_restart
        self._at_beginning = False

    @property
    def may_restart(self) -> bool:
        """Whether the next batch needs `take`: it is the first, of the input or since a stop."""
        return self._at_beginning or self._resumed

    def take(self) -> tuple | None:
        """The next (features, labels), or None after the last batch.

        Where an earlier run stopped at the very end, the input starts anew.

        Raises:
          ValueError: If there is no batch at all.
          tf.errors.OpError: If the input fails.
        """
        element = next(self.iterator, None)
        if element is None and self._resumed:
            self.restart()
            element = next(self.iterator, None)
        if element is None and self._at_beginning:
            raise ValueError(
                "`input_fn` must give at least one batch to train on, received none. Look whether "
                "its files are there, and whether a batch is larger than the dataset."
            )
        self._at_beginning = self._resumed = False
        return None if element is None else split(element)

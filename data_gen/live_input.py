"""Batches of captchas that are drawn as they are needed, through tf.data.

The one module of data_gen that loads TensorFlow.
"""

import functools
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from data_gen.example import make_example
from data_gen.live import LiveData
from data_gen.render import warm_up
from records.cores import num_cores

_ENDLESS = 2**62  # Examples: more than are drawn in a billion years.
_AHEAD = 4  # Batches drawn before they are asked for.


def live_input_fn(
    data: LiveData,
    split: str,
    batch_size: int,
    num_examples: int | None = None,
    *,
    thin_batches: int = 0,
    thin_factor: int = 1,
) -> Callable[[], tf.data.Dataset]:
    """Makes an `input_fn` for an Estimator.

    Args:
      data: What to draw.
      split: train or test: two streams that never meet.
      batch_size: Examples in a batch.
      num_examples: From the first on; None never ends.
      thin_batches: Of so many batches, the first ones, only each `thin_factor`-th example is drawn,
        beginning with the first of the batch. The others are never drawn.
      thin_factor: Divides `batch_size`.

    Returns:
      A function without arguments that returns a tf.data.Dataset of (features, labels) as
      `records.input_fn` gives them, in the order of the examples' indices. The place in it is one
      number, the next index: an iterator that is restored from a checkpoint goes on with the very
      captchas that would have come, and with another batch size too.
    """
    warm_up(data.style, "fast")
    last = _ENDLESS if num_examples is None else num_examples
    numbers_at = _numbers_in_passes(data) if split == "train" and data.only else list

    def draw(first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        is_thin = first // batch_size < thin_batches
        places = range(first, min(first + batch_size, last), thin_factor if is_thin else 1)
        examples = [
            make_example(data.style, data.seed, split, number) for number in numbers_at(places)
        ]
        return (
            np.stack([example.image for example in examples]),
            np.stack([example.digits for example in examples]),
        )

    def batch_from(first: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        image, label = tf.numpy_function(draw, [first], (tf.uint8, tf.int64))
        size = batch_size if num_examples is None and thin_batches == 0 else None
        return (
            {"image": tf.ensure_shape(image, [size, *data.image_shape])},
            tf.ensure_shape(label, [size, data.num_positions]),
        )

    def input_fn() -> tf.data.Dataset:
        batches = tf.data.Dataset.range(0, last, batch_size).map(
            # The kernels let go of Python's lock while they draw.
            batch_from,
            num_parallel_calls=num_cores(),
            deterministic=True,
        )
        options = tf.data.Options()
        options.experimental_symbolic_checkpoint = True  # The place is the next index.
        # What is drawn depends on the index alone, so there is no state in it to be saved.
        options.experimental_external_state_policy = tf.data.experimental.ExternalStatePolicy.IGNORE
        # Nothing here is left to be tuned, and its thread can hold up the end of a program by a
        # minute (BUILD_NOTES.md, "A minute at the end").
        options.autotune.enabled = False
        return batches.prefetch(_AHEAD).with_options(options)

    return input_fn


def _numbers_in_passes(data: LiveData) -> Callable[[range], Sequence[int]]:
    """Which captcha of `data.only` stands at each place: pass after pass, each in its own order.

    A function of the place, as the numbers of a whole stream are, so that a run can go on anywhere.
    """
    numbers = np.array(data.only, np.int64)

    @functools.lru_cache(maxsize=2)  # A batch may have the end of a pass and the next one's start.
    def order(number_of_pass: int) -> np.ndarray:
        return np.random.default_rng((data.seed, number_of_pass)).permutation(numbers)

    def numbers_at(places: range) -> list[int]:
        return [int(order(place // len(numbers))[place % len(numbers)]) for place in places]

    return numbers_at

"""Random numbers that belong to the rows of a step's batch, in whatever parts it is computed.

A batch may be spread over replicas and over parts computed one after the other. Row r of step s
gets the same shift and the same dropout in all of them, so that a run on four workers trains on
what a run on one does.
"""

import contextlib
import contextvars
from collections.abc import Iterator

import tensorflow as tf

_PHILOX = 1
_BLOCK = 4  # Philox makes four 32-bit numbers at a time; its counter counts those blocks.

_current: contextvars.ContextVar[tuple[tf.Tensor, tf.Tensor] | None] = contextvars.ContextVar(
    "step and rows", default=None
)


def row_uniform(seed: tf.Tensor, rows: tf.Tensor, num: int) -> tf.Tensor:
    """Draws `num` numbers for each row; no more than for these rows, wherever they stand.

    Args:
      seed: int `[2]`; equal seeds give equal numbers.
      rows: int64 `[N]`, consecutive, from 0; N at least 1.
      num: How many for a row.

    Returns:
      float32 `[N, num]`, uniform in [0, 1). For rows from 0, and a `num` that is a multiple of 4,
      what `tf.random.stateless_uniform` gives.
    """
    blocks = -(-num // _BLOCK)
    key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
    # The counter's first word is 0. Not every device adds unsigned numbers.
    counter = tf.bitcast(counter, tf.int64) + tf.stack([rows[0] * blocks, tf.constant(0, tf.int64)])
    uniform = tf.raw_ops.StatelessRandomUniformV2(
        shape=[tf.shape(rows)[0], blocks * _BLOCK],
        key=key,
        counter=tf.bitcast(counter, tf.uint64),
        alg=_PHILOX,
    )
    return uniform[:, :num]


@contextlib.contextmanager
def drawing_for(step: tf.Tensor, rows: tf.Tensor) -> Iterator[None]:
    """Tells the layers called within which step it is (int64 scalar), and which rows they get."""
    token = _current.set((step, rows))
    try:
        yield
    finally:
        _current.reset(token)


def layer_uniform(seed: int, shape: tf.TensorShape, num_rows: tf.Tensor) -> tf.Tensor:
    """What a layer draws: a function of (seed, step, row) within `drawing_for`.

    Elsewhere, in a network called by hand, another draw each time, from TensorFlow's generator.

    Args:
      seed: The layer's own.
      shape: Of its input, `[None, ...]`; static but for the rows.
      num_rows: How many it has now, int scalar.

    Returns:
      float32 `[num_rows, ...]`, uniform in [0, 1).
    """
    whole = tf.concat([[num_rows], shape[1:]], axis=0)
    current = _current.get()
    if current is None:
        return tf.random.uniform(whole)
    step, rows = current
    seeds = tf.stack([tf.constant(seed, tf.int64), tf.cast(step, tf.int64)])
    return tf.reshape(row_uniform(seeds, rows, shape[1:].num_elements()), whole)

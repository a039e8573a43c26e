"""The serialised records of some shards, for as many epochs as wanted, shuffled if wanted.

The shuffle is made for checkpoints. tf.data's own keeps its buffer of records in the state of the
iterator: with 8,192 captchas a checkpoint is tens of MB, symbolic or not. Here a whole window of
records is read and then permuted by a stateless generator, so that with symbolic checkpoints
the state is a few counters (some kB) and a restored iterator reads its window again and goes on
with the very same records. BUILD_NOTES.md, "Input", has the measurement.
"""

from collections.abc import Sequence

import tensorflow as tf

from records.schema import Field

# 8,300 captchas of 9 kB. At most three windows are in memory: one read, one waiting, one emptied.
_WINDOW_BYTES = 75_000_000

# Shards read in turns, so that a window holds records of several even if each shard is sorted.
_SHARDS_AT_ONCE = 8

_FOR_EVER = tf.int64.max  # Epochs.


def record_stream(
    shards: Sequence[str],
    *,
    num_records: int | None,
    epoch: int | None,
    window: int,
    seed: int | None,
) -> tf.data.Dataset:
    """Reads `shards` one `epoch` after the other.

    Args:
      shards: TFRecord files.
      num_records: How many records they hold together, asserted in each epoch: TensorFlow takes a
        shard that was cut between two records for a whole one. None if that is not known.
      epoch: How often to read all; None for ever.
      window: Records to permute at a time; see `shuffle_window`.
      seed: Each epoch of each seed has its own order of shards and records, the same in every
        run. None reads the shards one after the other, as they are.

    Returns:
      A dataset of string scalars. While it is read, damage within a record is a
      tf.errors.DataLossError, another number of records a tf.errors.FailedPreconditionError.
    """

    def counted(records: tf.data.Dataset) -> tf.data.Dataset:
        if num_records is None:
            return records
        return records.apply(tf.data.experimental.assert_cardinality(num_records))

    if seed is None:
        return counted(tf.data.TFRecordDataset(shards)).repeat(epoch)
    run_seed = tf.constant([seed, 0], tf.int64)
    return tf.data.Dataset.range(_FOR_EVER if epoch is None else epoch).flat_map(
        lambda index: counted(_shuffled(shards, window, tf.random.fold_in(run_seed, index)))
    )


def shuffle_window(fields: Sequence[Field]) -> int:
    """Says how many records are permuted at a time, so that large images need no more memory."""
    return max(1, _WINDOW_BYTES // sum(field.num_bytes for field in fields))


def _shuffled(shards: Sequence[str], window: int, epoch_seed: tf.Tensor) -> tf.data.Dataset:
    """One epoch. Seeds are int64 `[2]`; -1 is the shards' and 0, 1, ... are the windows'."""
    windows = (
        tf.data.Dataset.from_tensor_slices(_permuted(shards, tf.random.fold_in(epoch_seed, -1)))
        .interleave(tf.data.TFRecordDataset, cycle_length=_SHARDS_AT_ONCE)
        .batch(window)
        .enumerate()
        .map(lambda index, records: _permuted(records, tf.random.fold_in(epoch_seed, index)))
        .prefetch(1)  # Read the next one while this one is trained on.
    )
    return windows.flat_map(tf.data.Dataset.from_tensor_slices)


def _permuted(values: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    # The algorithm is named because the default one may differ between devices.
    return tf.random.experimental.stateless_shuffle(values, seed, alg="philox")

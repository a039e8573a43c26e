"""The serialised records of some shards, as they stand there, for as many epochs as wanted."""

from collections.abc import Sequence

import tensorflow as tf


def record_stream(
    shards: Sequence[str], *, num_records: int | None, epoch: int | None
) -> tf.data.Dataset:
    """Reads `shards` one after the other, one `epoch` after the other.

    Args:
      shards: TFRecord files.
      num_records: How many records they hold together, asserted in each epoch: TensorFlow takes a
        shard that was cut between two records for a whole one. None if that is not known.
      epoch: How often to read all; None for ever.

    Returns:
      A dataset of string scalars. While it is read, damage within a record is a
      tf.errors.DataLossError, another number of records a tf.errors.FailedPreconditionError.
    """
    records = tf.data.TFRecordDataset(shards)
    if num_records is not None:
        records = records.apply(tf.data.experimental.assert_cardinality(num_records))
    return records.repeat(epoch)

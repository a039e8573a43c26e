"""Shuffled batches, whose place in a checkpoint is a few counters.

tf.data's own shuffle keeps its buffer of records in the state of the iterator: with 8,192 captchas
a checkpoint is tens of MB, symbolic or not. Here a whole window of records is read, parsed, and
then permuted by a stateless generator, so that with symbolic checkpoints the state is some kB and
a restored iterator reads its window again and goes on with the very same batches.

What is done record by record costs some microseconds for each step, as much as reading it: so
shards are read in chunks, and chunks, windows and batches are what goes from step to step. A
window ends amid a batch, and the rows that are left wait for the next one. BUILD_NOTES.md,
"Input", has the measurements.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from records.cores import num_cores
from records.schema import Field

# 8,300 captchas of 9 kB. Four of that size are in memory at most: one read, one permuted, one
# waiting, one emptied.
_WINDOW_BYTES = 75_000_000

# Shards read in turns, so that a window holds records of several even if each shard is sorted.
_SHARDS_AT_ONCE = 8

# Records parsed at once. What is done chunk by chunk costs some milliseconds for each with symbolic
# checkpoints, so 128 of them cost 1.5 times as much a record as 512 (BUILD_NOTES.md, "Input").
_CHUNK = 512

_FOR_EVER = tf.int64.max  # Epochs.

# Tensors, or a structure of them, whose first dimension counts examples: what `parse` returns.
Rows = Any


def shuffle_window(fields: Sequence[Field]) -> int:
    """Says how many records are permuted at a time, so that large images need no more memory."""
    return max(1, _WINDOW_BYTES // sum(field.num_bytes for field in fields))


def shuffled_batches(
    shards: Sequence[str],
    parse: Callable[[tf.Tensor], Rows],
    *,
    num_records: int | None,
    epoch: int | None,
    batch_size: int,
    drop_remainder: bool,
    window: int,
    seed: int,
) -> tf.data.Dataset:
    """Reads `shards` one `epoch` after the other, each in an order of its own.

    Args:
      shards: TFRecord files.
      parse: Makes rows of serialised records, string `[N]`.
      num_records: How many records the shards hold together, asserted in each epoch: TensorFlow
        takes a shard that was cut between two records for a whole one. None if not known.
      epoch: How often to read all; None for ever.
      batch_size: Rows in a batch, which may reach from one epoch into the next.
      drop_remainder: Leave out a last batch that is smaller.
      window: Records to permute at a time; see `shuffle_window`.
      seed: Each epoch of each seed has its own order of shards and records, the same in every run.

    Returns:
      A dataset of what `parse` returns. While it is read, damage within a record is a
      tf.errors.DataLossError, another number of records a tf.errors.InvalidArgumentError.
    """
    run_seed = tf.constant([seed, 0], tf.int64)
    num_epochs = _FOR_EVER if epoch is None else epoch
    chunk = min(_CHUNK, max(1, window // _SHARDS_AT_ONCE))
    num_lanes = min(_SHARDS_AT_ONCE, len(shards))

    def windows_of_epoch(index: tf.Tensor) -> tf.data.Dataset:
        epoch_seed = tf.random.fold_in(run_seed, index)  # -1 is the shards', 0, 1, ... windows'.
        order = _permuted(tf.constant(shards), tf.random.fold_in(epoch_seed, -1))
        windows = _windows(order, num_lanes, parse, chunk, max(1, window // chunk))

        def with_seed(number: tf.Tensor, rows_and_valid: tuple[Rows, tf.Tensor]) -> Any:
            is_end = (index == num_epochs - 1) & (tf.size(rows_and_valid[1]) == 0)
            return tf.random.fold_in(epoch_seed, number), *rows_and_valid, is_end

        return _counted(windows, num_records).enumerate().map(with_seed)

    def cut(num_before, seed: tf.Tensor, rows: Rows, valid: tf.Tensor, is_end: tf.Tensor) -> Any:
        return *_cut(rows, _permuted(valid, seed), num_before, batch_size), is_end

    pieces = (
        tf.data.Dataset.range(num_epochs)
        .flat_map(windows_of_epoch)
        .scan(tf.constant(0, tf.int64), _with_number_before)
        .map(cut)
        .prefetch(1)  # Read the next one while this one is trained on.
        .flat_map(_pieces)
    )
    return _whole_batches(pieces, batch_size, drop_remainder)


def _windows(
    shards: tf.Tensor, num_lanes: int, parse: Callable, chunk: int, num_chunks: int
) -> tf.data.Dataset:
    """Rows of up to `num_chunks` chunks, and which of them are valid, int64 `[n]`."""

    def parse_chunk(records: tf.Tensor) -> tuple[Rows, tf.Tensor]:
        # At the end of a shard, filled up with its first record: chunks of one size make a window.
        num_valid = tf.size(records)
        filled = tf.cond(
            num_valid == chunk,
            lambda: records,
            lambda: tf.concat([records, tf.repeat(records[:1], chunk - num_valid)], axis=0),
        )
        return parse(tf.ensure_shape(filled, [chunk])), tf.range(chunk) < num_valid

    def join(chunks: Rows, valid: tf.Tensor) -> tuple[Rows, tf.Tensor]:
        rows = tf.nest.map_structure(lambda x: tf.reshape(x, [-1, *x.shape[2:]]), chunks)
        return rows, tf.reshape(tf.where(tf.reshape(valid, [-1])), [-1])

    return (
        _chunks(shards, num_lanes, chunk)
        .map(parse_chunk, num_parallel_calls=num_cores())
        .batch(num_chunks)
        .map(join)
    )


def _chunks(shards: tf.Tensor, num_lanes: int, chunk: int) -> tf.data.Dataset:
    """Records, string `[up to chunk]`, of `num_lanes` shards in turns.

    Lane l reads shards l, l + num_lanes, ... one after the other, and gives empty chunks when it is
    through, until all are. (`interleave` cannot be restored at some places where shards have
    unequal numbers of chunks: "Unexpected end of sequence", TensorFlow 2.21.)
    """
    none = tf.data.Dataset.from_tensors(tf.zeros([0], tf.string)).repeat()
    lanes = tuple(
        tf.data.Dataset.from_tensor_slices(shards[lane::num_lanes])
        .flat_map(lambda shard: tf.data.TFRecordDataset(shard).batch(chunk))
        .concatenate(none)
        for lane in range(num_lanes)
    )

    def in_turns(*chunks: tf.Tensor) -> tf.data.Dataset:
        # Not a stack of them, which would copy every record.
        return tf.data.Dataset.range(num_lanes).map(
            lambda lane: tf.switch_case(
                tf.cast(lane, tf.int32), [lambda chunk=chunk: chunk for chunk in chunks]
            )
        )

    return (
        tf.data.Dataset.zip(lanes)
        .take_while(lambda *chunks: tf.add_n([tf.size(chunk) for chunk in chunks]) > 0)
        .flat_map(in_turns)
        .filter(lambda chunk: tf.size(chunk) > 0)
    )


def _counted(windows: tf.data.Dataset, num_records: int | None) -> tf.data.Dataset:
    """Adds a window without rows; raises there unless `num_records` valid rows came before."""
    end = tf.data.Dataset.from_tensors(_no_rows(windows.element_spec))
    windows = windows.concatenate(end)
    if num_records is None:
        return windows

    def count(num_so_far: tf.Tensor, window: tuple[Rows, tf.Tensor]) -> Any:
        num = tf.size(window[1], tf.int64)
        num_now = num_so_far + num
        is_right = tf.where(num > 0, num_now <= num_records, num_now == num_records)
        message = f"the shards must hold {num_records} records, as provenance.json says, received"
        with tf.control_dependencies([tf.debugging.Assert(is_right, [message, num_now])]):
            return num_now, tf.nest.map_structure(tf.identity, window)

    return windows.scan(tf.constant(0, tf.int64), count)


def _with_number_before(num_before: tf.Tensor, window: tuple) -> tuple[tf.Tensor, tuple]:
    """Puts the number of valid rows in all windows before it in front of a window."""
    *_, valid, _ = window
    return num_before + tf.size(valid, tf.int64), (num_before, *window)


def _cut(rows: Rows, order: tf.Tensor, num_before: tf.Tensor, batch_size: int) -> tuple:
    """Cuts `rows`, taken in `order`, where batches end, if there were `num_before` before them.

    Returns:
      The rest of a batch that was begun, whole batches `[m, batch_size, ...]`, and the beginning
      of one more.
    """
    num_rows = tf.size(order, tf.int64)
    begin = tf.minimum(-num_before % batch_size, num_rows)
    num_batches = (num_rows - begin) // batch_size
    end = begin + num_batches * batch_size

    def batches(x: tf.Tensor) -> tf.Tensor:
        return tf.reshape(
            tf.gather(x, order[begin:end]),
            tf.concat([[num_batches, batch_size], tf.shape(x, tf.int64)[1:]], axis=0),
        )

    return (
        tf.nest.map_structure(lambda x: tf.gather(x, order[:begin]), rows),
        tf.nest.map_structure(
            lambda x: tf.ensure_shape(batches(x), [None, batch_size, *x.shape[1:]]), rows
        ),
        tf.nest.map_structure(lambda x: tf.gather(x, order[end:]), rows),
    )


def _pieces(first: Rows, batches: Rows, last: Rows, is_end: tf.Tensor) -> tf.data.Dataset:
    """What `_cut` returned, one after the other; False says that more follows."""
    num_batches = tf.shape(tf.nest.flatten(batches)[0])[:1]
    return (
        tf.data.Dataset.from_tensors((first, False))
        .concatenate(tf.data.Dataset.from_tensor_slices((batches, tf.zeros(num_batches, tf.bool))))
        .concatenate(tf.data.Dataset.from_tensors((last, is_end)))
    )


def _whole_batches(
    pieces: tf.data.Dataset, batch_size: int, drop_remainder: bool
) -> tf.data.Dataset:
    """Joins pieces that are smaller than a batch. None may be of two batches.

    What waits to be joined is part of the state, but never of a checkpoint: that is as it was
    when the last batch had been joined, and nothing was left.
    """
    nothing = _no_rows(pieces.element_spec[0])

    def join(waiting: Rows, piece_and_end: tuple[Rows, tf.Tensor]) -> Any:
        piece, is_end = piece_and_end
        joined = tf.cond(
            _num_rows(waiting) == 0,
            lambda: piece,  # Not copied.
            lambda: tf.nest.map_structure(
                lambda old, new: tf.concat([old, new], axis=0), waiting, piece
            ),
        )
        num_rows = _num_rows(joined)
        is_whole = num_rows == batch_size
        if not drop_remainder:
            is_whole |= is_end & (num_rows > 0)
        waiting = tf.cond(
            is_whole, lambda: tf.nest.map_structure(lambda x: x[:0], joined), lambda: joined
        )
        return waiting, (joined, is_whole)

    def only_rows(rows: Rows, _: tf.Tensor) -> Rows:
        size = batch_size if drop_remainder else None
        return tf.nest.map_structure(lambda x: tf.ensure_shape(x, [size, *x.shape[1:]]), rows)

    # The end comes from the last window: a `concatenate` here, around those in `_pieces`, loses its
    # place when an iterator that was restored is saved and restored once more (TensorFlow 2.21).
    return pieces.scan(nothing, join).filter(lambda rows, is_whole: is_whole).map(only_rows)


def _permuted(values: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    # The algorithm is named because the default one may differ between devices.
    return tf.random.experimental.stateless_shuffle(values, seed, alg="philox")


def _num_rows(rows: Rows) -> tf.Tensor:
    return tf.shape(tf.nest.flatten(rows)[0])[0]


def _no_rows(spec: Any) -> Rows:
    return tf.nest.map_structure(lambda x: tf.zeros([0, *x.shape[1:]], x.dtype), spec)

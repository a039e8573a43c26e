"""`input_fn_maker`: from the shards of a split to batches of (features, labels), through tf.data.

The records may be ours or the book's: data_info.csv says what is in them. Of the package, only
this file and those that it is made of, record_stream.py, shuffle.py and batch_parser.py, load
TensorFlow.
"""

import itertools
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from records.batch_parser import batch_parser
from records.cores import num_cores
from records.description import load_description
from records.layout import PROVENANCE, SHARD_PATTERN, SPLITS
from records.record_stream import record_stream
from records.schema import Field, read_data_info
from records.shuffle import shuffle_window, shuffled_batches

# What a damaged dataset raises while it is read, from `next(iterator)`. TensorFlow's messages do
# not say which shard it was: `python records verify DIR` does.
READING_ERRORS = (
    tf.errors.DataLossError,  # A record is cut, or a checksum is wrong.
    tf.errors.FailedPreconditionError,  # More or fewer records than provenance.json says.
    tf.errors.InvalidArgumentError,  # The same, if shuffled; a record is not as in data_info.csv.
    tf.errors.NotFoundError,  # A shard has gone.
)

_AHEAD = 4  # Batches read before they are asked for.


def input_fn_maker(
    path: str | os.PathLike | Sequence[str | os.PathLike],
    data_info_path: str | os.PathLike,
    shuffle: bool = False,
    batch_size: int = 1,
    epoch: int | None = 1,
    padding: Mapping[str, Sequence[int]] | None = None,
    *,
    seed: int = 0,
    drop_remainder: bool = False,
) -> Callable[[], tf.data.Dataset]:
    """Makes an `input_fn` for an Estimator. The arguments are checked here, not when it is called.

    Args:
      path: The folder of a split, or a list of shards, which are read in the order given.
      data_info_path: The data_info.csv that describes the records.
      shuffle: Mix shards and records, in another order each epoch.
      batch_size: Examples in a batch. A batch may reach from one epoch into the next, so only the
        very last one can be smaller.
      epoch: How often to read everything; None or -1 for ever.
      padding: For a feature the shape to fill it up to with zeros at the bottom and on the right,
        for example `{"image": [32, 104, 3]}`. `[]`, and a feature left out, mean as it is.
      seed: The same seed gives the same batches in the same order in every run. In [0, 2**63).
      drop_remainder: Leave out a last batch that is smaller.

    Returns:
      A function without arguments that returns a tf.data.Dataset of (features, labels): features
      {"image": uint8 `[N, H, W, 3]`} and, if the records have it, "map" uint8 `[N, H, W]`; labels
      int64 `[N, L]`, with blanks if they vary in length (records/labels.py). An iterator over it
      can be part of a tf.train.Checkpoint, takes some kB there, and when restored goes on with the
      very batches that would have come. Reading damaged shards raises one of `READING_ERRORS`.

    Raises:
      ValueError: If an argument is out of range, or data_info.csv or provenance.json is not as we
        write it.
      OSError: If nothing matches `path`, or a file is missing or cannot be read.
    """
    _check_at_least_1("batch_size", batch_size, "Pass for example 64.")
    if epoch not in (None, -1):
        _check_at_least_1("epoch", epoch, "Pass None or -1 to read for ever.")
    if not 0 <= seed < 2**63:
        raise ValueError(f"`seed` must be in [0, 2**63), received {seed}. Pass for example 0.")
    shards = _find_shards(path)
    num_records = _promised_records(shards, whole_split=isinstance(path, str | os.PathLike))
    fields = _read_fields(data_info_path)
    parse = batch_parser(fields, padding or {})

    # No function here has Python control flow over tensors. AutoGraph takes seconds to find none.
    @tf.autograph.experimental.do_not_convert
    def input_fn() -> tf.data.Dataset:
        files = [str(shard) for shard in shards]
        num_epochs = None if epoch == -1 else epoch
        if shuffle:
            batches = shuffled_batches(
                files,
                parse,
                num_records=num_records,
                epoch=num_epochs,
                batch_size=batch_size,
                drop_remainder=drop_remainder,
                window=shuffle_window(fields),
                seed=seed,
            )
        else:
            batches = (
                record_stream(files, num_records=num_records, epoch=num_epochs)
                .batch(batch_size, drop_remainder)
                .map(parse, num_parallel_calls=num_cores())
            )
        options = tf.data.Options()
        options.experimental_symbolic_checkpoint = True  # See shuffle.py.
        # Its thread can hold up the end of a program by a minute (BUILD_NOTES.md, "A minute at the
        # end").
        options.autotune.enabled = False
        return batches.prefetch(_AHEAD).with_options(options)

    return input_fn


def _check_at_least_1(name: str, value: int, advice: str) -> None:
    if not isinstance(value, int) or value < 1:
        raise ValueError(
            f"`{name}` must be a whole number of 1 or more, received {value!r}. {advice}"
        )


def _find_shards(path: str | os.PathLike | Sequence[str | os.PathLike]) -> list[pathlib.Path]:
    """Lists the shards of a folder by name, or those given in their order; absolute paths."""
    is_folder = isinstance(path, str | os.PathLike)
    patterns = [pathlib.Path(path, SHARD_PATTERN)] if is_folder else list(map(pathlib.Path, path))
    shards = []
    for pattern in patterns:
        folder = pattern.absolute().parent
        matches = sorted(file for file in folder.glob(pattern.name) if file.is_file())
        if not matches:
            raise FileNotFoundError(
                "`path` must be the folder of a split or a list of shards, received one where no "
                f"file matches '{pattern}'. Write a dataset: python data_gen --out captcha_data"
            )
        shards += matches
    if not shards:
        raise ValueError("`path` must be a list of 1 or more shards, received []. Name them.")
    return shards


def _promised_records(shards: Sequence[pathlib.Path], *, whole_split: bool) -> int | None:
    """Counts the records that provenance.json promises; None if there is none, as in the book.

    `whole_split` says that `shards` are meant to be all of a split: then what counts is what
    provenance.json lists in their folder, and a shard that is missing or one too many shows.
    """
    promised = {}
    for dataset_dir in {shard.parent.parent for shard in shards}:
        if (dataset_dir / PROVENANCE).is_file():
            description = load_description(dataset_dir)
            for shard in itertools.chain(*map(description.shards, SPLITS)):
                promised[dataset_dir / shard.file] = shard.examples
    if whole_split:
        shards = [shard for shard in promised if shard.parent == shards[0].parent]
    if not shards or not promised.keys() >= set(shards):
        return None
    return sum(promised[shard] for shard in shards)


def _read_fields(data_info_path: str | os.PathLike) -> tuple[Field, ...]:
    try:
        return read_data_info(data_info_path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            "`data_info_path` must be the data_info.csv of the dataset, received "
            f"'{data_info_path}', which does not exist. python data_gen writes one beside train/."
        ) from error

"""How fast records become batches, beside loops that are not ours, and how large a place is.

python benchmarks/input_speed.py --data_dir=captcha_data      # two minutes

Each round reads the training split some times with every loop, in turns, so that a machine that is
slow for a while is slow for all: compare the ratios, which are of one round each. A ratio of 1 is
as many images a second as the other loop. Clocks run from the first batch on, as training goes on
for long after it; how long that one takes is told apart.
"""

import pathlib
import sys
import tempfile
import time

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import numpy as np
from absl import flags

import command_line
import tensorflow_start

_DATA = flags.DEFINE_string("data_dir", "captcha_data", "Dataset, as data_gen wrote it: raw.")
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Passes with each loop.")

_BATCH_SIZE = 64
_EPOCHS = 4  # In a pass.
_BUFFER = 8192  # Of tf.data's own shuffle, about as many records as ours permutes at a time.


def main(_: list[str]) -> None:
    """Measures, keeps the figures."""
    tensorflow_start.import_quietly()
    from benchmarks import ledger

    loops = {
        "input_fn_in_order": lambda: _ours(shuffle=False, epoch=_EPOCHS),
        "input_fn_shuffled": lambda: _ours(shuffle=True, epoch=_EPOCHS),
        "plain": _plain,  # TFRecordDataset, batch, parse_example and decode_raw.
        "plain_in_parallel": lambda: _plain(parallel=True),
        f"plain_shuffle_{_BUFFER}": lambda: _plain(shuffle=True),
        f"plain_in_parallel_shuffle_{_BUFFER}": lambda: _plain(parallel=True, shuffle=True),
        "a_record_at_a_time": _record_by_record,
        "a_record_at_a_time_in_parallel": lambda: _record_by_record(parallel=True),
        "tfds": _tfds,
    }
    clocks, num_images = _rounds(loops)

    def median(name: str, clock: str) -> float:
        return float(np.median(clocks[name][clock]))

    ledger.record(
        "input_speed",
        f"Reading raw records in batches of {_BATCH_SIZE}",
        {
            "check_all_hashes_seconds": _check_seconds(),
            **{f"{name}_images_per_second": num_images / median(name, "seconds") for name in loops},
            **{
                f"{name}_cpu_microseconds_an_image": 1e6 * median(name, "cpu_seconds") / num_images
                for name in loops
            },
            **{
                f"{name}_first_batch_seconds": median(name, "first_batch_seconds")
                for name in ("input_fn_in_order", "input_fn_shuffled", "plain")
            },
            **{
                f"input_fn_shuffled_to_{name}": _ratio(clocks[name], clocks["input_fn_shuffled"])
                for name in loops
                if name != "input_fn_shuffled"
            },
            "iterator_checkpoint_kb": _checkpoint_kb(_ours()),
            f"iterator_checkpoint_kb_of_tf_data_shuffle_{_BUFFER}": _checkpoint_kb(
                _shuffled_records(symbolic=False)
            ),
            f"iterator_checkpoint_kb_of_tf_data_shuffle_{_BUFFER}_symbolic": _checkpoint_kb(
                _shuffled_records(symbolic=True)
            ),
        },
    )


def _rounds(loops: dict) -> tuple[dict[str, dict[str, list[float]]], int]:
    """What the clocks of each loop showed in each round; and the images in one pass."""
    clocks = {name: {"seconds": [], "cpu_seconds": [], "first_batch_seconds": []} for name in loops}
    counts = set()
    for round_number in range(_ROUNDS.value + 1):
        for name, make in loops.items():
            started = time.monotonic()
            iterator = iter(make())
            count = len(next(iterator))
            first_batch = time.monotonic() - started
            cpu, wall = time.process_time(), time.monotonic()
            count += sum(len(images) for images in iterator)
            if round_number:  # The first pass reads from the disk.
                clocks[name]["seconds"].append(time.monotonic() - wall)
                clocks[name]["cpu_seconds"].append(time.process_time() - cpu)
                clocks[name]["first_batch_seconds"].append(first_batch)
            counts.add(count)
    (num_images,) = counts  # Of everyone the same.
    return clocks, num_images


def _ratio(theirs: dict[str, list[float]], ours: dict[str, list[float]]) -> str:
    ratios = np.divide(theirs["seconds"], ours["seconds"])
    return f"{np.median(ratios):.2f} (from {ratios.min():.2f} to {ratios.max():.2f})"


def _ours(shuffle: bool = True, epoch: int | None = None):
    from records.input_fn import input_fn_maker

    folder = pathlib.Path(_DATA.value)
    batches = input_fn_maker(
        folder / "train", folder / "data_info.csv", shuffle, _BATCH_SIZE, epoch
    )()
    return batches.map(lambda features, label: features["image"])


def _files() -> list[str]:
    return sorted(str(path) for path in (pathlib.Path(_DATA.value) / "train").iterdir())


def _features(records, parse_example):
    """What a user of TensorFlow alone would write, for one record or for many."""
    import tensorflow as tf

    fields = _fields()
    spec = {
        "image_raw": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature(fields["label"].shape, tf.int64),
    }
    found = parse_example(records, spec)
    pixels = tf.io.decode_raw(found["image_raw"], tf.uint8)
    shape = (-1, *fields["image"].shape) if pixels.shape.rank == 2 else fields["image"].shape
    return tf.reshape(pixels, shape), found["label"]


def _fields() -> dict:
    from records.schema import read_data_info

    fields = read_data_info(pathlib.Path(_DATA.value) / "data_info.csv")
    return {field.feature: field for field in fields}


def _plain(parallel: bool = False, shuffle: bool = False):
    import tensorflow as tf

    records = tf.data.TFRecordDataset(_files())
    if shuffle:
        records = records.shuffle(_BUFFER, seed=0)
    records = records.repeat(_EPOCHS)
    parsed = records.batch(_BATCH_SIZE).map(
        lambda batch: _features(batch, tf.io.parse_example),
        num_parallel_calls=tf.data.AUTOTUNE if parallel else None,
    )
    return _images(parsed.prefetch(tf.data.AUTOTUNE) if parallel else parsed)


def _record_by_record(parallel: bool = False):
    import tensorflow as tf

    parsed = (
        tf.data.TFRecordDataset(_files())
        .repeat(_EPOCHS)
        .map(
            lambda record: _features(record, tf.io.parse_single_example),
            num_parallel_calls=tf.data.AUTOTUNE if parallel else None,
        )
        .batch(_BATCH_SIZE)
    )
    return _images(parsed.prefetch(tf.data.AUTOTUNE) if parallel else parsed)


def _tfds():
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(_DATA.value)
    examples = builder.as_dataset(split="train").repeat(_EPOCHS)
    return examples.batch(_BATCH_SIZE).map(lambda example: example["image_raw"])


def _images(batches):
    return batches.map(lambda images, label: images)


def _check_seconds() -> float:
    """To compare all shards with their SHA-256, as train.py does first; the shortest of rounds."""
    from records.description import check_hashes, load_description

    rounds = []
    for _ in range(_ROUNDS.value):
        started = time.monotonic()
        check_hashes(load_description(_DATA.value))
        rounds.append(time.monotonic() - started)
    return min(rounds)


def _shuffled_records(symbolic: bool):
    """Records through tf.data's own shuffle."""
    import tensorflow as tf

    options = tf.data.Options()
    options.experimental_symbolic_checkpoint = symbolic
    records = tf.data.TFRecordDataset(_files()).shuffle(_BUFFER, seed=0).repeat()
    return records.batch(_BATCH_SIZE).with_options(options)


def _checkpoint_kb(dataset) -> float:
    """Size of a checkpoint of an iterator that has given ten batches."""
    import tensorflow as tf

    iterator = iter(dataset)
    for _ in range(10):
        next(iterator)
    with tempfile.TemporaryDirectory() as folder:
        tf.train.Checkpoint(iterator=iterator).write(f"{folder}/ckpt")
        return sum(path.stat().st_size for path in pathlib.Path(folder).iterdir()) / 1000


if __name__ == "__main__":
    command_line.run(main)

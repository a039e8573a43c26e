"""How fast records become batches, and how large a place in the input is in a checkpoint.

python benchmarks/input_speed.py --data_dir=captcha_data      # half a minute
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

_DATA = flags.DEFINE_string("data_dir", "captcha_data", "Dataset, as data_gen wrote it.")

_BATCH_SIZE = 64
_ROUNDS = 3
_BUFFER = 8192  # Of tf.data's own shuffle, about as many records as ours permutes at a time.


def main(_: list[str]) -> None:
    """Measures, keeps the figures."""
    tensorflow_start.import_quietly()
    from benchmarks import ledger

    check_seconds = _check_seconds()
    in_order, in_order_cpu = _rate(shuffle=False)
    shuffled, shuffled_cpu = _rate(shuffle=True)
    ledger.record(
        "input_speed",
        f"Reading raw records in batches of {_BATCH_SIZE}",
        {
            "check_all_hashes_seconds": check_seconds,
            "in_order_images_per_second": in_order,
            "in_order_cpu_microseconds_an_image": in_order_cpu,
            "shuffled_images_per_second": shuffled,
            "shuffled_cpu_microseconds_an_image": shuffled_cpu,
            "iterator_checkpoint_kb": _checkpoint_kb(_ours()),
            f"iterator_checkpoint_kb_of_tf_data_shuffle_{_BUFFER}": _checkpoint_kb(_plain(False)),
            f"iterator_checkpoint_kb_of_tf_data_shuffle_{_BUFFER}_symbolic": _checkpoint_kb(
                _plain(True)
            ),
        },
    )


def _check_seconds() -> float:
    """To compare all shards with their SHA-256, as train.py does first; the shortest of rounds."""
    from records.description import check_hashes, load_description

    rounds = []
    for _ in range(_ROUNDS):
        started = time.monotonic()
        check_hashes(load_description(_DATA.value))
        rounds.append(time.monotonic() - started)
    return min(rounds)


def _rate(shuffle: bool) -> tuple[float, float]:
    """Images a second, and CPU microseconds an image: medians of passes over the training split."""
    passes = []
    for round_number in range(_ROUNDS + 1):
        dataset = _ours(shuffle=shuffle, epoch=1)
        cpu, wall, images = time.process_time(), time.monotonic(), 0
        for features, _labels in dataset:
            images += len(features["image"])
        if round_number:  # The first pass traces, and reads from the disk.
            wall, cpu = time.monotonic() - wall, time.process_time() - cpu
            passes.append((images / wall, 1e6 * cpu / images))
    return tuple(np.median(passes, axis=0))


def _ours(shuffle: bool = True, epoch: int | None = None):
    from records.input_fn import input_fn_maker

    folder = pathlib.Path(_DATA.value)
    return input_fn_maker(folder / "train", folder / "data_info.csv", shuffle, _BATCH_SIZE, epoch)()


def _plain(symbolic: bool):
    """Records through tf.data's own shuffle."""
    import tensorflow as tf

    files = sorted(str(path) for path in (pathlib.Path(_DATA.value) / "train").iterdir())
    options = tf.data.Options()
    options.experimental_symbolic_checkpoint = symbolic
    records = tf.data.TFRecordDataset(files).shuffle(_BUFFER, seed=0).repeat()
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

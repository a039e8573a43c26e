"""The data of a run: its description, its two input functions, and what is wrong with it."""

import pathlib
from collections.abc import Callable

import tensorflow as tf

from data_gen.live import parse_live
from data_gen.live_input import live_input_fn
from records.description import check_hashes, check_sizes, load_description
from records.input_fn import input_fn_maker
from records.verify import verify_dataset
from training.config import TrainConfig

_EVAL_BATCH_SIZE = 250


def load_data(config: TrainConfig):
    """What says of the data how large, long and many they are.

    Raises:
      ValueError: If the dataset is missing or damaged.
    """
    if config.is_live:
        return parse_live(config.data_dir)
    dataset = load_description(config.data_dir)
    check_sizes(dataset)
    if config.verify_hashes:
        check_hashes(dataset)
    return dataset


def input_fns(config: TrainConfig):
    """The input functions of training, which never ends, and of the test set.

    With C candidates training gives images `[N, C, H, W, 3]` and labels `[N, C, L]`; of live data
    before `candidates_from_step`, where only the first candidate is looked at, it alone is drawn
    and C is 1.
    """
    train_input_fn, test_input_fn = _input_fns(config)
    if config.candidates == 1:
        return train_input_fn, test_input_fn

    return in_groups(train_input_fn, config.batch_size), test_input_fn


def in_groups(input_fn: Callable[[], tf.data.Dataset], num_groups: int):
    """The same examples, each batch `[N * C, ...]` as `[N, C, ...]`, N groups of C candidates."""

    def grouped(tensor: tf.Tensor) -> tf.Tensor:
        return tf.reshape(tensor, [num_groups, -1, *tensor.shape[1:]])

    @tf.autograph.experimental.do_not_convert
    def grouped_input_fn() -> tf.data.Dataset:
        return input_fn().map(
            lambda features, labels: ({"image": grouped(features["image"])}, grouped(labels))
        )

    return grouped_input_fn


def _input_fns(config: TrainConfig):
    drawn_at_once = config.batch_size * config.candidates
    if config.is_live:
        data = parse_live(config.data_dir)
        return (
            live_input_fn(
                data,
                "train",
                drawn_at_once,
                thin_batches=config.candidates_from_step if config.candidates > 1 else 0,
                thin_factor=config.candidates,
            ),
            live_input_fn(data, "test", _EVAL_BATCH_SIZE, data.num_test),
        )
    data_dir = pathlib.Path(config.data_dir)
    train_input_fn = input_fn_maker(
        data_dir / "train",
        data_dir / "data_info.csv",
        shuffle=True,
        batch_size=drawn_at_once,
        epoch=None,
        seed=config.seed,
        drop_remainder=True,
    )
    test_input_fn = input_fn_maker(
        data_dir / "test", data_dir / "data_info.csv", batch_size=_EVAL_BATCH_SIZE
    )
    return train_input_fn, test_input_fn


def raise_if_of_the_data(config: TrainConfig, error: Exception) -> None:
    """Says what is wrong with the data, which TensorFlow's own error does not; it names no record.

    Raises:
      ValueError: If the dataset is damaged, or is another one than training began with.
    """
    if config.is_live:
        return  # Nothing is read.
    for problem in verify_dataset(config.data_dir):
        raise ValueError(
            f"{config.data_dir}: {problem} All of them: python records verify {config.data_dir}"
        ) from error
    if isinstance(error, tf.errors.InvalidArgumentError):
        return  # The data is whole, so it is not about the data: a mistake of ours.
    raise ValueError(
        f"`data_dir` must be the dataset that {config.model_dir} was trained on so far, as it "
        f"goes on from its place in it, received {config.data_dir!r} that has no such place "
        f"({error.message}). Train into another --model_dir."
    ) from error

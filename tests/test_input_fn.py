import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

import records
from records import shuffle as shuffling
from records.example_proto import decode_example
from records.input_fn import READING_ERRORS, input_fn_maker
from records.labels import text_of
from records.schema import captcha_fields, write_data_info
from records.tfrecord import frame, read_records
from tests import mixed_dataset
from tests.tiny_dataset import tiny_fields, tiny_values, write_tiny_dataset

NUM_RECORDS = 40  # In `numbered`: 4 shards of 10.


def bytes_feature(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def int64_feature(values) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def write_with_tensorflow(path: pathlib.Path, features: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for feature in features:
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())


def numbers_of(batches) -> list[int]:
    """Which examples of `numbered` came, in their order."""
    return [int(number) for _, labels in batches for number in labels[:, 0]]


@pytest.fixture(scope="module")
def numbered(tmp_path_factory) -> pathlib.Path:
    """40 records in 4 shards without a provenance.json; the label's first digit counts them."""
    folder = tmp_path_factory.mktemp("numbered")
    (folder / "data_info.csv").write_text(write_data_info(tiny_fields()))
    for shard in (2, 0, 3, 1):  # As a file system may list them: in any order.
        write_with_tensorflow(
            folder / f"all/captcha-all.tfrecord-{shard:05d}-of-00004",
            [
                {
                    "image_raw": bytes_feature(bytes([number] * 72)),
                    "label": int64_feature([number, 0]),
                }
                for number in range(10 * shard, 10 * shard + 10)
            ],
        )
    (folder / "all/README.txt").write_text("not a shard")
    return folder


def numbered_input_fn(folder: pathlib.Path, **options):
    return input_fn_maker(folder / "all", folder / "data_info.csv", **options)


def test_records_of_the_book_are_read_as_the_book_reads_them(tmp_path, monkeypatch):
    # Article 004: convert_to_record and its call of input_fn_maker, with the typing errors mended.
    def convert_to_record(name, image, label, map):
        image_raw, map_raw, label_raw = image.tobytes(), map.tobytes(), label.tobytes()
        feature = {
            "image_raw": bytes_feature(image_raw),
            "map_raw": bytes_feature(map_raw),
            "label_raw": bytes_feature(label_raw),
        }
        write_with_tensorflow(pathlib.Path("captcha_data/test", name + ".tfrecord"), [feature])

    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (3, 30, 100, 3), np.uint8)
    labels = np.array([[3, 8, 8, 7], [0, 0, 4, 2], [9, 9, 9, 9]])
    maps = generator.integers(0, 5, (3, 30, 100), np.uint8)
    for index in range(3):
        convert_to_record(f"captcha_{index}", images[index], labels[index], maps[index])
    pathlib.Path("captcha_tfrecord").mkdir()
    pathlib.Path("captcha_tfrecord/data_info.csv").write_text(
        "name,feature,dtype,shape,storage\n"
        'image_raw,image,uint8,"[30,100,3]",raw\n'
        'map_raw,map,uint8,"[30,100]",raw\n'
        "label_raw,label,int64,4,raw\n"
    )
    padding_info = {"image": [30, 100, 3], "label": []}
    test_input_fn = records.input_fn_maker(
        "captcha_data/test/",
        "captcha_tfrecord/data_info.csv",
        batch_size=512,
        padding=padding_info,
    )
    ((features, read_labels),) = test_input_fn()
    np.testing.assert_array_equal(features["image"], images)
    np.testing.assert_array_equal(features["map"], maps)
    np.testing.assert_array_equal(read_labels, labels)
    assert (features["image"].dtype, features["map"].dtype) == (tf.uint8, tf.uint8)
    assert read_labels.dtype == tf.int64


@pytest.mark.parametrize("with_map", [False, True], ids=["no_map", "map"])
@pytest.mark.parametrize("encoding", ["raw", "png", "jpeg"])
def test_each_storage_gives_the_pixels_that_pillow_gives(tmp_path, encoding, with_map):
    folder = write_tiny_dataset(tmp_path / "data", encoding=encoding, with_map=with_map)
    ((features, labels),) = input_fn_maker(
        folder / "train", folder / "data_info.csv", batch_size=8
    )()
    (shard,) = (folder / "train").iterdir()
    wanted = [
        decode_example(tiny_fields(encoding, with_map), record) for record in read_records(shard)
    ]
    assert sorted(features) == (["image", "map"] if with_map else ["image"])
    for feature in features:
        np.testing.assert_array_equal(features[feature], [values[feature] for values in wanted])
    np.testing.assert_array_equal(labels, [tiny_values("train", i)["label"] for i in range(5)])


@pytest.mark.parametrize("encoding", ["raw", "png", "jpeg"])
def test_the_shapes_are_known_before_anything_is_read(tmp_path, encoding):
    folder = write_tiny_dataset(tmp_path / "data", encoding=encoding, with_map=True)
    dataset = input_fn_maker(
        folder / "train", folder / "data_info.csv", batch_size=2, drop_remainder=True
    )()
    features, labels = dataset.element_spec
    assert features["image"] == tf.TensorSpec([2, 4, 6, 3], tf.uint8)
    assert features["map"] == tf.TensorSpec([2, 4, 6], tf.uint8)
    assert labels == tf.TensorSpec([2, 2], tf.int64)


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        ({}, [1] * 40),
        ({"batch_size": 16}, [16, 16, 8]),
        ({"batch_size": 16, "drop_remainder": True}, [16, 16]),
        ({"batch_size": 16, "epoch": 2}, [16, 16, 16, 16, 16]),
        ({"batch_size": 64}, [40]),
    ],
    ids=["default", "short_last_batch", "drop_remainder", "across_epochs", "one_batch"],
)
@pytest.mark.parametrize("shuffle", [False, True], ids=["in_order", "shuffled"])
def test_batches_have_the_size_asked_for(numbered, shuffle, options, sizes):
    dataset = numbered_input_fn(numbered, shuffle=shuffle, **options)()
    assert [len(labels) for _, labels in dataset] == sizes


def test_without_shuffle_records_come_by_shard_name_in_every_epoch(numbered):
    dataset = numbered_input_fn(numbered, batch_size=7, epoch=2)()
    assert numbers_of(dataset) == [*range(NUM_RECORDS), *range(NUM_RECORDS)]
    features, labels = next(iter(dataset))
    np.testing.assert_array_equal(features["image"][:, 0, 0, 0], labels[:, 0])


def test_a_list_of_shards_is_read_in_its_own_order(numbered):
    shards = [numbered / f"all/captcha-all.tfrecord-{shard:05d}-of-00004" for shard in (3, 1)]
    dataset = input_fn_maker(shards, numbered / "data_info.csv", batch_size=10)()
    assert numbers_of(dataset) == [*range(30, 40), *range(10, 20)]


@pytest.mark.parametrize("shuffle", [False, True])
def test_nothing_is_tuned_while_it_reads(numbered, shuffle):
    """The thread that would, can hold up the end of a program by a minute."""
    dataset = numbered_input_fn(numbered, shuffle=shuffle)()
    assert dataset.options().autotune.enabled is False


@pytest.mark.parametrize("epoch", [None, -1])
@pytest.mark.parametrize("shuffle", [False, True], ids=["in_order", "shuffled"])
def test_epoch_none_or_minus_one_reads_for_ever(numbered, epoch, shuffle):
    dataset = numbered_input_fn(numbered, epoch=epoch, shuffle=shuffle, batch_size=10)()
    assert len(numbers_of(dataset.take(44))) == 440


@pytest.mark.parametrize("window_bytes", [shuffling._WINDOW_BYTES, 7 * 88], ids=["one", "six"])
def test_each_shuffled_epoch_has_every_record_once_in_another_order(
    numbered, monkeypatch, window_bytes
):
    monkeypatch.setattr(shuffling, "_WINDOW_BYTES", window_bytes)
    numbers = numbers_of(numbered_input_fn(numbered, shuffle=True, batch_size=8, epoch=3)())
    epochs = [tuple(numbers[start : start + NUM_RECORDS]) for start in (0, 40, 80)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(NUM_RECORDS))] * 3
    assert len({*epochs, tuple(range(NUM_RECORDS))}) == 4


def test_the_shards_are_opened_in_another_order_each_epoch(numbered, monkeypatch):
    monkeypatch.setattr(shuffling, "_WINDOW_BYTES", 88)  # One record: nothing else is mixed.
    numbers = numbers_of(numbered_input_fn(numbered, shuffle=True, batch_size=8, epoch=4)())
    orders = [
        tuple(number // 10 for number in numbers[start : start + 4]) for start in range(0, 160, 40)
    ]
    assert [sorted(order) for order in orders] == [[0, 1, 2, 3]] * 4
    assert len(set(orders)) > 2


def test_a_window_mixes_shards_that_are_sorted(numbered, monkeypatch):
    monkeypatch.setattr(shuffling, "_WINDOW_BYTES", 12 * 88)  # 12 records.
    numbers = numbers_of(numbered_input_fn(numbered, shuffle=True, batch_size=8)())
    assert len({number // 10 for number in numbers[:12]}) == 4


def test_a_seed_repeats_its_order_and_another_seed_has_another(numbered):
    def order(seed):
        options = {"shuffle": True, "batch_size": 8, "epoch": 2}
        return numbers_of(numbered_input_fn(numbered, seed=seed, **options)())

    assert order(5) == order(5)
    assert len({tuple(order(seed)) for seed in (0, 1, 2**63 - 1)}) == 3


@pytest.mark.parametrize(
    ("height_px", "width_px", "records_in_window"),
    [(30, 100, 75_000_000 // 9032), (224, 224, 75_000_000 // 150_560), (6000, 8000, 1)],
    ids=["captcha", "larger", "larger_than_the_window"],
)
def test_the_shuffle_takes_the_same_memory_for_images_of_any_size(
    height_px, width_px, records_in_window
):
    fields = captcha_fields(height_px=height_px, width_px=width_px, num_positions=4)
    assert shuffling.shuffle_window(fields) == records_in_window


@pytest.mark.parametrize("num_batches", [0, 1, 4, 5, 6, 17])
@pytest.mark.parametrize("shuffle", [False, True], ids=["in_order", "shuffled"])
def test_a_restored_iterator_goes_on_with_the_same_batches(
    numbered, tmp_path, monkeypatch, shuffle, num_batches
):
    monkeypatch.setattr(shuffling, "_WINDOW_BYTES", 15 * 88)  # Windows of 15, 15 and 10.
    input_fn = numbered_input_fn(numbered, shuffle=shuffle, epoch=None, batch_size=8)
    iterator = iter(input_fn())
    for _ in range(num_batches):
        next(iterator)
    path = tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "ckpt"))
    wanted = numbers_of(next(iterator) for _ in range(12))  # More than two epochs.
    restored = iter(input_fn())
    tf.train.Checkpoint(iterator=restored).read(path).assert_consumed()
    assert numbers_of(next(restored) for _ in range(12)) == wanted


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sizes", "epoch"),
    [([20, 20], None), ([20, 17], None), ([3, 20, 9, 1, 14], None), ([3, 20, 9, 1], 2), ([37], 2)],
    ids=["equal", "unequal", "many", "ends", "one"],
)
def test_an_iterator_restored_again_and_again_gives_the_same_batches(
    tmp_path, monkeypatch, sizes, epoch
):
    """Each batch from an iterator that was restored: tf.data loses some places at the second time.

    And shards of unequal sizes, of which its `interleave` cannot be restored at all at some places.
    """
    monkeypatch.setattr(shuffling, "_CHUNK", 2)
    shards = []
    for size in sizes:
        shards.append(str(tmp_path / f"{len(shards)}.tfrecord"))
        with tf.io.TFRecordWriter(shards[-1]) as writer:
            for _ in range(size):
                writer.write(str(len(shards)).encode())
    options = tf.data.Options()
    options.experimental_symbolic_checkpoint = True
    dataset = shuffling.shuffled_batches(
        shards,
        tf.strings.to_number,
        num_records=sum(sizes),
        epoch=epoch,
        batch_size=8,
        drop_remainder=False,
        window=18,
        seed=0,
    ).with_options(options)
    wanted = [batch.numpy().tolist() for batch in dataset.take(12)]
    path = str(tmp_path / "ckpt")
    iterator, batches = iter(dataset), []
    while len(batches) < len(wanted):
        tf.train.Checkpoint(iterator=iterator).write(path)
        iterator = iter(dataset)
        tf.train.Checkpoint(iterator=iterator).read(path).assert_consumed()
        batches.append(next(iterator).numpy().tolist())
    assert batches == wanted


def test_a_checkpoint_holds_counters_and_not_the_shuffled_records(tmp_path):
    fields = captcha_fields(height_px=30, width_px=100, num_positions=4)
    (tmp_path / "data_info.csv").write_text(write_data_info(fields))
    feature = {"image_raw": bytes_feature(bytes(9000)), "label": int64_feature([0, 4, 2, 7])}
    write_with_tensorflow(tmp_path / "train/some.tfrecord", [feature] * 400)  # 3.6 MB.
    iterator = iter(
        input_fn_maker(
            tmp_path / "train", tmp_path / "data_info.csv", shuffle=True, batch_size=64, epoch=None
        )()
    )
    for _ in range(3):
        next(iterator)
    tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "ckpt"))
    assert sum(path.stat().st_size for path in tmp_path.glob("ckpt*")) < 50_000


@pytest.fixture(scope="module")
def mixed(tmp_path_factory) -> pathlib.Path:
    return mixed_dataset.write_mixed_dataset(tmp_path_factory.mktemp("mixed") / "data")


def test_labels_that_vary_in_length_come_with_blanks_and_nothing_else_tells(mixed):
    input_fn = input_fn_maker(mixed / "test", mixed / "data_info.csv", batch_size=64)
    ((features, labels),) = input_fn()
    assert features.keys() == {"image"}  # A length beside it would be a part of the answer.
    texts = [text_of(label, mixed_dataset.ALPHABET) for label in labels.numpy()]
    assert texts == [mixed_dataset.mixed_text("test", index) for index in range(64)]
    assert labels.shape == (64, 6)
    assert labels.dtype == tf.int64


def test_a_length_is_no_feature_to_be_padded(mixed):
    with pytest.raises(ValueError, match="records have, image, label, received 'length'"):
        input_fn_maker(mixed / "test", mixed / "data_info.csv", padding={"length": []})


def read_all(folder: pathlib.Path, **options) -> None:
    for _ in input_fn_maker(folder / "train", folder / "data_info.csv", batch_size=2, **options)():
        pass


def first_shard(folder: pathlib.Path) -> pathlib.Path:
    return min((folder / "train").iterdir())


def cut_between_records(folder):
    shard = first_shard(folder)
    kept = list(read_records(shard))[:-1]
    shard.write_bytes(b"".join(map(frame, kept)))


def cut_within_a_record(folder):
    shard = first_shard(folder)
    shard.write_bytes(shard.read_bytes()[:-5])


def cut_to_nothing(folder):
    first_shard(folder).write_bytes(b"")


def flip_a_bit(folder):
    shard = first_shard(folder)
    damaged = bytearray(shard.read_bytes())
    damaged[40] ^= 1
    shard.write_bytes(damaged)


def remove_a_shard(folder):
    first_shard(folder).unlink()


def add_a_shard(folder):
    shutil.copy(first_shard(folder), folder / "train/one-more.tfrecord")


def replace_records(folder, **feature):
    shard = first_shard(folder)
    write_with_tensorflow(shard, [feature] * len(list(read_records(shard))))


def store_short_images(folder):
    replace_records(folder, image_raw=bytes_feature(bytes(36)), label=int64_feature([1, 2]))


def store_long_labels(folder):
    replace_records(folder, image_raw=bytes_feature(bytes(72)), label=int64_feature([1, 2, 3]))


def store_no_labels(folder):
    replace_records(folder, image_raw=bytes_feature(bytes(72)))


# In order TensorFlow counts, shuffled we do.
WRONG_COUNT = (tf.errors.FailedPreconditionError, tf.errors.InvalidArgumentError)


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (cut_between_records, WRONG_COUNT),
        (cut_within_a_record, tf.errors.DataLossError),
        (cut_to_nothing, WRONG_COUNT),
        (flip_a_bit, tf.errors.DataLossError),
        (remove_a_shard, WRONG_COUNT),
        (add_a_shard, WRONG_COUNT),
        (store_short_images, tf.errors.InvalidArgumentError),
        (store_no_labels, tf.errors.InvalidArgumentError),
        (store_long_labels, tf.errors.InvalidArgumentError),
    ],
)
@pytest.mark.parametrize("shuffle", [False, True], ids=["in_order", "shuffled"])
def test_damage_does_not_pass_silently(tmp_path, damage, error, shuffle):
    folder = write_tiny_dataset(tmp_path / "data", num_shards=2)
    read_all(folder, shuffle=shuffle)
    damage(folder)
    with pytest.raises(error) as raised:
        read_all(folder, shuffle=shuffle)
    assert isinstance(raised.value, READING_ERRORS)


def test_a_shard_that_goes_away_is_a_reading_error(tmp_path):
    folder = write_tiny_dataset(tmp_path / "data")
    input_fn = input_fn_maker(folder / "train", folder / "data_info.csv")
    shutil.rmtree(folder / "train")
    with pytest.raises(READING_ERRORS, match="No such file"):
        next(iter(input_fn()))


@pytest.mark.parametrize(
    "content",
    [b"no picture", tf.io.encode_png(np.zeros((4, 7, 3), np.uint8)).numpy()],
    ids=["no_picture", "wider_by_one_pixel"],
)
def test_an_image_that_does_not_decode_or_fit_is_a_reading_error(tmp_path, content):
    folder = write_tiny_dataset(tmp_path / "data", encoding="png")
    replace_records(folder, image_raw=bytes_feature(content), label=int64_feature([1, 2]))
    with pytest.raises(tf.errors.InvalidArgumentError):
        read_all(folder)


def test_some_shards_of_a_dataset_are_held_to_their_own_count(tmp_path):
    folder = write_tiny_dataset(tmp_path / "data", num_shards=2)  # Of 3 and 2 records.
    (_, second) = sorted((folder / "train").iterdir())
    dataset = input_fn_maker([second], folder / "data_info.csv")()
    assert numbers_of(dataset) == [3, 4]
    second.write_bytes(frame(next(read_records(second))))
    with pytest.raises(tf.errors.FailedPreconditionError, match="expected to contain 2 elements"):
        numbers_of(dataset)


@pytest.mark.parametrize(
    ("padding", "image_shape", "map_shape"),
    [
        (None, (4, 6, 3), (4, 6)),
        ([], (4, 6, 3), (4, 6)),
        ({"image": [], "label": []}, (4, 6, 3), (4, 6)),
        ({"image": [4, 6, 3], "label": [2]}, (4, 6, 3), (4, 6)),
        ({"image": [6, 9, 3]}, (6, 9, 3), (4, 6)),
        ({"map": (5, 6)}, (4, 6, 3), (5, 6)),
    ],
    ids=["none", "empty", "empty_shapes", "own_shapes", "larger_image", "larger_map"],
)
def test_padding_adds_zeros_at_the_bottom_and_on_the_right(
    tmp_path, padding, image_shape, map_shape
):
    folder = write_tiny_dataset(tmp_path / "data", with_map=True)
    input_fn = input_fn_maker(
        folder / "train", folder / "data_info.csv", batch_size=5, padding=padding
    )
    ((features, labels),) = input_fn()
    assert labels.shape == (5, 2)
    for feature, shape in (("image", image_shape), ("map", map_shape)):
        wanted = np.zeros(shape, np.uint8)
        wanted[:4, :6] = tiny_values("train", 4)[feature]
        np.testing.assert_array_equal(features[feature][4], wanted)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, r"`batch_size` must be a whole number of 1 or more, received 0"),
        ({"batch_size": 2.0}, r"`batch_size` must be a whole number of 1 or more, received 2\.0"),
        ({"epoch": 0}, r"`epoch` must be .* 1 or more, received 0\. Pass None or -1"),
        ({"epoch": -2}, r"`epoch` must be .* 1 or more, received -2"),
        ({"seed": -1}, r"`seed` must be in \[0, 2\*\*63\), received -1"),
        ({"seed": 2**63}, r"`seed` must be in \[0, 2\*\*63\), received 9223372036854775808"),
        ({"padding": {"picture": [4, 6, 3]}}, r"image, label, received 'picture'\. Leave it out"),
        ({"padding": {"image": [4, 5, 3]}}, r"no smaller .* received \[4, 5, 3\]\. Pass \[\]"),
        ({"padding": {"image": [4, 6]}}, r"the rank of \[4, 6, 3\] .* received \[4, 6\]"),
        ({"padding": {"label": [3]}}, r"`padding` of 'label' must be \[\] .* received \[3\]"),
    ],
    ids=[
        "batch_size_0",
        "batch_size_float",
        "epoch_0",
        "epoch_-2",
        "seed_-1",
        "seed_2**63",
        "padding_of_no_feature",
        "padding_smaller",
        "padding_of_other_rank",
        "padding_of_label",
    ],
)
def test_input_fn_maker_rejects(numbered, options, message):
    with pytest.raises(ValueError, match=message):
        numbered_input_fn(numbered, **options)


@pytest.mark.parametrize(
    ("path", "data_info", "error", "message"),
    [
        (
            "nowhere",
            "data_info.csv",
            OSError,
            r"matches '.*nowhere/\*\.tfrecord\*'\. Write .* data_gen",
        ),
        (
            "empty",
            "data_info.csv",
            OSError,
            r"matches '.*empty/\*\.tfrecord\*'\. Write .* data_gen",
        ),
        (["all/gone.tfrecord"], "data_info.csv", OSError, r"matches '.*all/gone\.tfrecord'"),
        ([], "data_info.csv", ValueError, r"a list of 1 or more shards, received \[\]"),
        (
            "all",
            "gone.csv",
            OSError,
            r"`data_info_path` must .* '.*gone\.csv', which does not exist",
        ),
    ],
    ids=["no_folder", "empty_folder", "no_such_shard", "no_shards", "no_data_info"],
)
def test_what_is_not_there_is_named_with_the_command_that_writes_it(
    numbered, tmp_path, path, data_info, error, message
):
    shutil.copytree(numbered, tmp_path / "data")
    (tmp_path / "data/empty").mkdir()
    where = tmp_path / "data"
    paths = [where / one for one in path] if isinstance(path, list) else where / path
    with pytest.raises(error, match=message) as raised:
        input_fn_maker(paths, where / data_info)
    assert "\n" not in str(raised.value)


def test_a_provenance_that_cannot_be_read_is_refused_before_reading(tmp_path):
    folder = write_tiny_dataset(tmp_path / "data")
    (folder / "provenance.json").write_text("{")
    with pytest.raises(ValueError, match=r"provenance\.json: .* must be JSON"):
        input_fn_maker(folder / "train", folder / "data_info.csv")

"""What is wrong in the printed code of article 004, shown. BUILD_NOTES.md has the list.

The printed expressions stand here as they were printed, in today's names where TensorFlow 1's are
gone, so that what fails is the defect and not the version.
"""

import math
import operator

import keras
import numpy as np
import pytest
import tensorflow as tf

from model.logit_order import targets_in_logit_order
from model.networks import NetworkConfig, build_network

LABELS = np.array([[3, 8, 8, 7], [0, 4, 2, 1]])


def perfect_heads(labels, margin):
    """Four heads [N, 10] that are right, as logits."""
    return [
        tf.constant(margin * np.eye(10)[labels[:, position]], tf.float32) for position in range(4)
    ]


def cross_entropy(logits, targets):
    return float(
        tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)
        )
    )


def test_the_example_is_built_from_a_feature_where_features_are_needed():
    image_raw = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"pixels"]))
    with pytest.raises(ValueError, match="feature"):
        tf.train.Example(feature=tf.train.Feature(feature={"image_raw": image_raw}))


@pytest.mark.parametrize("name", ["train_Feature", "train.floatList"])
def test_the_float_feature_names_what_does_not_exist(name):
    owner, _, attribute = name.rpartition(".")
    assert not hasattr(getattr(tf, owner) if owner else tf, attribute)


def test_arrays_have_no_tostring_any_more():
    assert not hasattr(np.zeros(1), "tostring")


def test_the_label_is_written_under_a_key_that_no_reader_asks_for():
    label = tf.train.Feature(bytes_list=tf.train.BytesList(value=[LABELS[0].tobytes()]))
    printed = tf.train.Features(feature={"1abel_raw": label})  # It starts with the digit one.
    record = tf.train.Example(features=printed).SerializeToString()
    with pytest.raises(tf.errors.InvalidArgumentError, match="label_raw"):
        tf.io.parse_single_example(record, {"label_raw": tf.io.FixedLenFeature([], tf.string)})


def test_one_writer_an_example_makes_one_file_an_example(tmp_path):
    for name in ("0", "1", "2"):  # As convert_to_record(name, ...) does for each picture.
        with tf.io.TFRecordWriter(str(tmp_path / f"{name}.tfrecord")) as writer:
            writer.write(b"record")
    assert len(list(tmp_path.iterdir())) == 3


def test_a_padding_with_a_blank_in_front_is_refused():
    with pytest.raises(ValueError, match="padding"):
        keras.layers.Conv2D(128, 3, padding=" same")


def test_two_layers_are_called_pool1():
    inputs = keras.Input((30, 100, 3))
    x = keras.layers.MaxPooling2D(2, name="pool1")(inputs)
    x = keras.layers.MaxPooling2D(2, name="pool1")(x)
    with pytest.raises(ValueError, match="unique"):
        keras.Model(inputs, x)


def test_five_valid_pools_leave_nothing_of_a_height_of_30_and_ours_leave_one_row():
    height = 30
    for _ in range(5):
        height //= 2
    assert height == 0
    with pytest.raises(ValueError, match="zero or negative"):
        keras.Sequential(
            [keras.Input((30, 100, 3)), *(keras.layers.MaxPooling2D(2) for _ in range(5))]
        )
    net = build_network(
        NetworkConfig(name="book", image_shape=(30, 100, 3), num_positions=4, num_classes=10)
    )
    assert net.get_layer("pool5").output.shape[1:3] == (1, 4)


def test_a_sigmoid_before_the_softmax_holds_the_loss_above_1_46():
    """Heads that are right beyond doubt: probability e / (e + 9) = 0.23 at most."""
    heads = perfect_heads(LABELS, margin=1000.0)
    targets = targets_in_logit_order(tf.constant(LABELS))
    with_sigmoid = cross_entropy(
        tf.concat([tf.sigmoid(2 * head - 1000) for head in heads], 0), targets
    )
    assert with_sigmoid == pytest.approx(math.log(math.e + 9) - 1, rel=1e-3)  # 1.461
    assert cross_entropy(tf.concat(heads, 0), targets) == pytest.approx(0, abs=1e-6)


def test_labels_flattened_without_transposing_belong_to_other_logits():
    """With heads that are right, the printed order gives a loss as of a wrong network."""
    logits = tf.concat(perfect_heads(LABELS, margin=10.0), 0)
    printed = tf.reshape(tf.constant(LABELS), [-1])
    assert cross_entropy(logits, printed) > 5
    assert cross_entropy(logits, targets_in_logit_order(tf.constant(LABELS))) < 0.001


def test_a_batch_of_unknown_size_times_four_is_no_number():
    """The printed reshape takes shape[0] * 4 of a batch whose last one is shorter."""
    dataset = tf.data.Dataset.from_tensor_slices(LABELS).batch(128)
    (size, _) = dataset.element_spec.shape
    with pytest.raises(TypeError):
        size * 4


def test_raw_pixels_enter_the_printed_network_a_hundred_times_too_large():
    images = np.random.default_rng(0).integers(0, 256, (4, 30, 100, 3)).astype(np.uint8)
    net = build_network(NetworkConfig(image_shape=(30, 100, 3), num_positions=4, num_classes=10))
    standardised = net.get_layer("standardise")(images).numpy()
    assert images.astype(float).std() > 50
    assert standardised.std() == pytest.approx(1, abs=1e-3)


def test_the_printed_net_is_never_told_that_it_trains():
    """`net(features['image'])` leaves training=False: dropout 0.5 is printed and never happens."""
    dropout = keras.layers.Dropout(0.5)
    ones = tf.ones([1, 1000])
    np.testing.assert_array_equal(dropout(ones), ones)
    assert (dropout(ones, training=True).numpy() == 0).any()


def test_the_printed_padding_of_the_label_has_the_wrong_rank():
    dataset = tf.data.Dataset.from_tensor_slices(LABELS)
    with pytest.raises(ValueError, match="shape"):
        dataset.padded_batch(2, padded_shapes=[])


def test_accuracy_of_characters_read_as_of_captchas_flatters():
    """Three of four digits right everywhere: 75 % printed, and not one captcha can be read."""
    predicted = LABELS.copy()
    predicted[:, 3] = 9
    assert (predicted == LABELS).mean() == 0.75
    assert (predicted == LABELS).all(axis=1).mean() == 0


@pytest.mark.parametrize(
    "name",
    [
        "estimator",
        "layers",
        "python_io",
        "enable_eager_execution",
        "losses.sparse_softmax_cross_entropy",
    ],
)
def test_what_the_book_calls_is_gone_from_tensorflow_2(name):
    with pytest.raises(AttributeError):
        operator.attrgetter(name)(tf)

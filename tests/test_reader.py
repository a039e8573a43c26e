import shutil

import exported_network
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from export.reader import Reader
from export.readings import Reading
from records.image_decoding import ImageError

HEIGHT, WIDTH, _ = exported_network.IMAGE_SHAPE


@pytest.fixture(scope="module")
def net():
    return exported_network.build_net()


@pytest.fixture(scope="module")
def versions(net, tmp_path_factory):
    """A folder of versions, of which 10 is the newest."""
    folder = tmp_path_factory.mktemp("exports") / "captcha"
    exported_network.save(net, folder / "10")
    return folder


@pytest.fixture(scope="module")
def reader(versions):
    return Reader(versions)


def probabilities_of(net, images):
    logits = net(images).numpy().reshape(3, len(images), 4)
    shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    return shares.transpose(1, 0, 2)


def save_pictures(folder, images, suffix=".png"):
    paths = [folder / f"{index}{suffix}" for index in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    return paths


def test_pixels_are_read_as_the_network_in_process_reads_them(net, reader):
    images = exported_network.pictures(5)
    readings = reader.read_images(images)
    expected = probabilities_of(net, images)
    np.testing.assert_allclose(readings.probabilities, expected, atol=1e-6)
    np.testing.assert_array_equal(readings.digits, expected.argmax(axis=-1))
    np.testing.assert_allclose(readings.confidences, expected.max(axis=-1).prod(axis=-1), rtol=1e-5)
    assert readings.texts == [
        "".join(exported_network.ALPHABET[digit] for digit in digits) for digits in readings.digits
    ]


def test_iterating_gives_a_reading_a_picture(reader):
    readings = reader.read_images(exported_network.pictures(3))
    singles = list(readings)
    assert len(readings) == len(singles) == 3
    assert [single.text for single in singles] == readings.texts
    assert singles[2].confidence == pytest.approx(readings.confidences[2])
    np.testing.assert_array_equal(singles[1].probabilities, readings.probabilities[1])
    np.testing.assert_array_equal(singles[1].digits, readings.digits[1])


def test_the_reader_says_which_size_and_version_it_has(versions, reader):
    assert reader.image_shape == exported_network.IMAGE_SHAPE
    assert reader.path == versions / "10"


def test_the_highest_complete_version_is_read(versions, tmp_path):
    folder = tmp_path / "captcha"
    shutil.copytree(versions / "10", folder / "9")
    shutil.copytree(versions / "10", folder / "10")
    (folder / "11").mkdir()  # Not complete: an export that was killed.
    shutil.copytree(versions / "10", folder / "temp-12")
    assert Reader(folder).path == folder / "10"
    assert Reader(folder / "9").path == folder / "9"


def test_files_come_back_in_their_order_whatever_their_size_and_state(net, reader, tmp_path):
    images = exported_network.pictures(4)
    paths = save_pictures(tmp_path, images)
    (tmp_path / "broken.png").write_bytes(b"")
    Image.new("RGB", (40, 30), (9, 99, 199)).save(tmp_path / "large.jpg", quality=100)
    mixed = [paths[0], tmp_path / "broken.png", paths[1], tmp_path / "large.jpg", *paths[2:]]
    # Two batches of 4: the second one has no broken file and no other size.
    results = list(reader.read_files(mixed, batch_size=4))
    assert [path for path, _ in results] == mixed
    broken = results.pop(1)[1]
    assert isinstance(broken, ImageError)
    assert broken.reason == "empty, 0 bytes"
    shown = np.stack([images[0], images[1], *images[2:]])
    large = np.full([1, HEIGHT, WIDTH, 3], (9, 99, 199), np.uint8)
    expected = probabilities_of(net, np.concatenate([shown[:2], large, shown[2:]]))
    for index, (_, reading) in enumerate(results):
        # A JPEG in one colour may be a level off.
        tolerance = 5e-3 if index == 2 else 1e-6
        np.testing.assert_allclose(reading.probabilities, expected[index], atol=tolerance)


def test_files_and_their_bytes_read_alike(reader, tmp_path):
    paths = save_pictures(tmp_path, exported_network.pictures(3))
    from_files = [reading.probabilities for _, reading in reader.read_files(paths)]
    from_bytes = reader.read_bytes([path.read_bytes() for path in paths])
    np.testing.assert_array_equal(np.stack(from_files), from_bytes.probabilities)


def test_files_are_read_a_batch_at_a_time(reader, tmp_path):
    taken = []

    def paths():
        for path in save_pictures(tmp_path, exported_network.pictures(5)):
            taken.append(path)
            yield path

    results = reader.read_files(paths(), batch_size=2)
    assert not taken
    assert isinstance(next(results)[1], Reading)
    assert len(taken) == 2


def test_nothing_in_gives_nothing_out(reader):
    assert list(reader.read_files([])) == []
    assert len(reader.read_bytes([])) == 0
    assert reader.read_images(np.zeros([0, *exported_network.IMAGE_SHAPE], np.uint8)).texts == []


@pytest.mark.parametrize(
    "images",
    [
        np.zeros([2, 5, WIDTH, 3], np.uint8),
        np.zeros([2, HEIGHT, WIDTH, 3], np.float32),
        np.zeros([HEIGHT, WIDTH, 3], np.uint8),
    ],
    ids=["another_height", "floats", "no_batch"],
)
def test_pixels_of_another_shape_or_type_are_refused(reader, images):
    with pytest.raises(ValueError, match=r"`images` must be uint8 \[N, 6, 9, 3\], received"):
        reader.read_images(images)


def test_bytes_that_are_no_picture_are_refused_in_one_line(reader):
    with pytest.raises(ValueError, match="Unknown image file format") as caught:
        reader.read_bytes([b"no picture"])
    assert "\n" not in str(caught.value)
    assert "function_node" not in str(caught.value)


def test_a_missing_folder_is_refused_with_the_command_that_writes_it(tmp_path):
    with pytest.raises(ValueError, match=r"none' which is no folder.*python export --model_dir=M"):
        Reader(tmp_path / "none")


def test_a_folder_without_versions_is_refused(tmp_path):
    (tmp_path / "1").mkdir()
    with pytest.raises(ValueError, match="which holds neither"):
        Reader(tmp_path)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("saved_model.pb", lambda content: content[: len(content) // 2]),
        ("variables/variables.data-00000-of-00001", lambda content: content[:9]),
        ("variables/variables.index", lambda content: b""),
    ],
    ids=["graph_cut", "variables_cut", "index_empty"],
)
def test_a_damaged_saved_model_is_refused_in_one_line(versions, tmp_path, name, damage):
    shutil.copytree(versions / "10", tmp_path / "1")
    path = tmp_path / "1" / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"cannot be loaded \(.+\)\. Export it again") as caught:
        Reader(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_saved_model_with_other_signatures_is_refused(tmp_path):
    module = tf.Module()
    double = tf.function(lambda x: x * 2, input_signature=[tf.TensorSpec([None], name="x")])
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": double})
    with pytest.raises(ValueError, match="without serving_bytes"):
        Reader(tmp_path)

import io

import exported_network
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from export.signatures import captcha_signatures


@pytest.fixture(scope="module")
def net():
    return exported_network.build_net()


@pytest.fixture(scope="module")
def signatures(net):
    return exported_network.signatures(net)


def as_numpy(outputs):
    return {name: value.numpy() for name, value in outputs.items()}


def by_hand(net, images):
    """What the signatures promise, written with loops."""
    logits = net(images).numpy()
    texts, digits, probabilities, confidences = [], [], [], []
    for n in range(len(images)):
        rows = logits[[position * len(images) + n for position in range(3)]].astype(np.float64)
        shares = np.exp(rows) / np.exp(rows).sum(axis=1, keepdims=True)
        digits.append([int(np.argmax(row)) for row in shares])
        texts.append("".join(exported_network.ALPHABET[digit] for digit in digits[-1]))
        probabilities.append(shares)
        confidences.append(np.prod([max(row) for row in shares]))
    return {
        "text": np.array([text.encode() for text in texts], object),
        "digits": np.array(digits),
        "probabilities": np.array(probabilities, np.float32),
        "confidence": np.array(confidences, np.float32),
    }


def test_pixels_give_text_digits_probabilities_and_confidence(net, signatures):
    images = exported_network.pictures(7)
    outputs = as_numpy(signatures["serving_default"](image=tf.constant(images)))
    expected = by_hand(net, images)
    assert outputs.keys() == expected.keys()
    np.testing.assert_array_equal(outputs["text"], expected["text"])
    np.testing.assert_array_equal(outputs["digits"], expected["digits"])
    np.testing.assert_allclose(outputs["probabilities"], expected["probabilities"], atol=1e-6)
    np.testing.assert_allclose(outputs["confidence"], expected["confidence"], rtol=1e-5)
    assert len(set(outputs["text"])) > 1  # The texts could tell an exchanged row.
    assert {name: value.dtype for name, value in outputs.items()} == {
        "text": np.dtype(object),
        "digits": np.int64,
        "probabilities": np.float32,
        "confidence": np.float32,
    }


def test_files_give_what_their_pixels_give(signatures):
    images = exported_network.pictures(5)
    contents = []
    for image in images:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        contents.append(buffer.getvalue())
    from_bytes = as_numpy(signatures["serving_bytes"](image_bytes=tf.constant(contents)))
    from_pixels = as_numpy(signatures["serving_default"](image=tf.constant(images)))
    for name, value in from_pixels.items():
        np.testing.assert_array_equal(from_bytes[name], value)


@pytest.mark.parametrize(
    ("name", "empty"),
    [
        ("serving_default", tf.zeros([0, *exported_network.IMAGE_SHAPE], tf.uint8)),
        ("serving_bytes", tf.zeros([0], tf.string)),
    ],
    ids=["pixels", "bytes"],
)
def test_no_pictures_give_no_rows(signatures, name, empty):
    outputs = as_numpy(signatures[name](empty))
    assert {name: value.shape for name, value in outputs.items()} == {
        "text": (0,),
        "digits": (0, 3),
        "probabilities": (0, 3, 4),
        "confidence": (0,),
    }


def test_one_picture_reads_the_same_alone_and_in_company(signatures):
    images = tf.constant(exported_network.pictures(4))
    together = as_numpy(signatures["serving_default"](images))
    for n in range(4):
        alone = as_numpy(signatures["serving_default"](images[n : n + 1]))
        assert alone["text"][0] == together["text"][n]
        np.testing.assert_allclose(alone["probabilities"][0], together["probabilities"][n], 1e-5)


def test_dropout_is_off():
    def net(image, training):
        assert training is False
        return tf.zeros([3 * tf.shape(image)[0], 4])

    signatures = captcha_signatures(
        net, image_shape=exported_network.IMAGE_SHAPE, alphabet="012é", num_positions=3
    )
    outputs = signatures["serving_default"](tf.constant(exported_network.pictures(1)))
    np.testing.assert_allclose(outputs["confidence"].numpy(), [0.25**3])


@pytest.mark.parametrize(
    ("digits", "text"),
    [
        ([0, 1, 2, 4, 4, 4], "012"),
        ([3, 3, 3, 3, 4, 4], "éééé"),
        ([2, 1, 0, 1, 2, 4], "21012"),
        ([3, 2, 1, 0, 0, 0], "é21000"),
        ([4, 0, 4, 1, 4, 2], "012"),
        ([4, 4, 4, 4, 4, 4], ""),
    ],
    ids=["3", "4", "5", "6", "anywhere", "nothing_but_blanks"],
)
def test_a_text_leaves_blanks_out(digits, text):
    rows = np.log(0.6 * np.eye(5)[digits] + 0.08)  # [6, 5]: 0.68 for its class, 0.08 else.

    def net(image, training):
        del training
        return tf.repeat(tf.constant(rows, tf.float32), tf.shape(image)[0], axis=0)

    signatures = captcha_signatures(
        net, image_shape=exported_network.IMAGE_SHAPE, alphabet="012é", num_positions=6
    )
    outputs = as_numpy(signatures["serving_default"](tf.constant(exported_network.pictures(2))))
    assert [found.decode() for found in outputs["text"]] == [text] * 2
    np.testing.assert_array_equal(outputs["digits"], [digits] * 2)
    assert outputs["probabilities"].shape == (2, 6, 5)
    np.testing.assert_allclose(outputs["confidence"], [0.68**6] * 2, rtol=1e-5)  # Blanks count.


def test_the_tensors_have_the_names_of_the_interface(signatures):
    inputs = {
        name: [spec.name for spec in function.input_signature]
        for name, function in signatures.items()
    }
    assert inputs == {"serving_default": ["image"], "serving_bytes": ["image_bytes"]}

"""The collector gathers what the report needs and forgets all pictures but the worst."""

import dataclasses
import types

import numpy as np
import pytest
import tensorflow as tf

from model.captcha_estimator import captcha_estimator, network_config
from model.description import ModelDescription
from model.estimator import history
from model.params import ModelParams
from records.description import load_description
from records.input_fn import input_fn_maker
from records.labelled_images import read_labelled_images
from report.collected import MOST_MISTAKES
from report.collector import Collector
from report.page import write_report
from report.statistics import characters_right

DESCRIPTION = ModelDescription(
    net="small", image_shape=(30, 100, 3), alphabet="0123456789", num_positions=4
)
K = 4
RUN = types.SimpleNamespace(chance={"loss": 1.386}, global_step=700)


def batch(labels, digits, top=0.9, shade=0):
    """What an Estimator hands to `after_run`: `top` is the largest probability everywhere."""
    labels, digits = np.array(labels), np.array(digits)
    top = np.broadcast_to(np.asarray(top, np.float32), labels.shape)
    probabilities = np.repeat((1 - top)[:, :, None] / (K - 1), K, axis=2)
    np.put_along_axis(probabilities, digits[:, :, None], top[:, :, None], axis=2)
    images = np.full((len(labels), 3, 5, 3), shade, np.uint8)
    images[:, 0, 0, 0] = np.arange(len(labels))
    return {
        "features": {"image": tf.constant(images)},
        "labels": tf.constant(labels, tf.int64),
        "predictions": {
            "digits": tf.constant(digits, tf.int64),
            "probabilities": tf.constant(probabilities, tf.float32),
        },
        "loss": tf.constant(0.5),
    }


def collect(*batches, collector=None):
    collector = collector or Collector()
    collector.begin(RUN)
    collector.after_create(RUN)
    for values in batches:
        collector.before_run(RUN)
        collector.after_run(RUN, values)
    collector.end(RUN)
    return collector.collected


def test_batches_are_put_together_in_order():
    found = collect(batch([[0, 1], [2, 3]], [[0, 1], [2, 2]]), batch([[3, 3]], [[3, 3]]))
    assert found.labels.tolist() == [[0, 1], [2, 3], [3, 3]]
    assert found.digits.tolist() == [[0, 1], [2, 2], [3, 3]]
    assert found.right.tolist() == [True, False, True]
    assert found.num_classes == K
    assert found.chance == {"loss": 1.386}
    assert found.global_step == 700


def test_confidence_is_the_product_of_the_positions_largest_probabilities():
    found = collect(batch([[0, 1], [2, 3]], [[0, 1], [2, 3]], top=[[0.5, 0.8], [1.0, 1.0]]))
    np.testing.assert_allclose(found.confidences, [0.4, 1.0], rtol=1e-6)


def test_a_mistake_keeps_picture_and_place():
    (mistake,) = collect(
        batch([[0, 1]] * 3, [[0, 1]] * 3, shade=1),
        batch([[0, 1], [2, 3]], [[0, 1], [2, 1]], top=0.5, shade=7),
    ).mistakes
    assert mistake.index == 4
    assert mistake.image.shape == (3, 5, 3)
    assert mistake.image.dtype == np.uint8
    assert mistake.image[0, 0].tolist() == [1, 7, 7]
    assert (mistake.labels.tolist(), mistake.digits.tolist()) == ([2, 3], [2, 1])
    assert mistake.confidence == pytest.approx(0.25)


def test_the_most_confident_mistakes_are_kept_the_worst_first():
    rng = np.random.default_rng(0)
    tops = rng.uniform(0.3, 1, size=(12, 25, 2)).astype(np.float32)
    found = collect(*(batch([[0, 1]] * 25, [[1, 1]] * 25, top=top) for top in tops))
    confidences = tops.astype(np.float64).prod(axis=2).ravel()
    worst = np.argsort(-confidences, kind="stable")[:MOST_MISTAKES]
    assert [mistake.index for mistake in found.mistakes] == worst.tolist()


def test_of_equally_confident_mistakes_the_earlier_are_kept():
    found = collect(*(batch([[0, 1]] * 40, [[1, 1]] * 40) for _ in range(3)))
    assert [mistake.index for mistake in found.mistakes] == list(range(MOST_MISTAKES))


def test_each_evaluation_begins_anew():
    collector = Collector()
    collect(batch([[0, 1]], [[1, 1]]), collector=collector)
    found = collect(batch([[2, 3]], [[2, 3]]), collector=collector)
    assert found.labels.tolist() == [[2, 3]]
    assert found.mistakes == ()


def test_memory_holds_no_batch():
    """Three kinds of small arrays a batch, and 50 pictures, however many batches there are."""
    collector = Collector()
    collector.begin(RUN)
    for _ in range(20):
        collector.after_run(RUN, batch([[0, 1]] * 60, [[1, 1]] * 60))
    collector.end(RUN)
    found = collector.collected
    assert found.labels.dtype == found.digits.dtype == np.int8
    assert found.labels.nbytes + found.digits.nbytes + found.confidences.nbytes == 1200 * (4 + 8)
    pictures = [mistake.image for mistake in found.mistakes]
    assert len(pictures) == MOST_MISTAKES
    assert all(picture.base is None for picture in pictures)  # No view of a batch.


@pytest.mark.parametrize(
    ("num_classes", "dtype"), [(10, np.int8), (128, np.int8), (129, np.int16), (5000, np.int16)]
)
def test_classes_are_kept_in_the_smallest_integers_that_hold_them(num_classes, dtype):
    digits = np.array([[num_classes - 1]])
    probabilities = np.full((1, 1, num_classes), 1 / num_classes, np.float32)
    values = {
        "features": {"image": np.zeros((1, 3, 5, 3), np.uint8)},
        "labels": digits,
        "predictions": {"digits": digits, "probabilities": probabilities},
    }
    found = collect(values)
    assert found.labels.dtype == dtype
    assert found.labels[0, 0] == num_classes - 1


@pytest.mark.parametrize(
    ("predictions", "missing"),
    [
        ({}, "digits, probabilities"),
        (None, "digits, probabilities"),
        ({"digits": [[0]]}, "probabilities"),
    ],
)
def test_a_model_without_the_predictions_is_told_which(predictions, missing):
    values = {**batch([[0, 1]], [[0, 1]]), "predictions": predictions}
    with pytest.raises(ValueError, match=f"none called {missing}. Add them"):
        Collector().after_run(RUN, values)


def test_it_is_empty_until_there_was_a_batch():
    collector = Collector()
    assert collector.is_empty
    collector.after_run(RUN, batch([[0, 1]], [[0, 1]]))
    assert not collector.is_empty
    collector.begin(RUN)
    assert collector.is_empty


def test_without_a_batch_there_is_nothing_to_report():
    with pytest.raises(ValueError, match="at least one captcha, received none"):
        collect()


GOOD = collect(batch([[0, 1]], [[0, 1]]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.zeros((0, 2), int)}, r"at least one captcha, .* received labels \[0, 2\]"),
        ({"digits": np.zeros((1, 3), int)}, r"shape of `labels`, \[1, 2\], .* \[1, 3\]"),
        ({"confidences": np.zeros(2)}, r"`confidences` \[1\], received \[1, 2\] and \[2\]"),
        ({"labels": np.array([[0, 4]])}, r"`labels` must be classes in \[0, 4\), received 0 to 4"),
        ({"digits": np.array([[-1, 0]])}, r"`digits` must be classes .* received -1 to 0"),
    ],
)
def test_what_does_not_belong_together_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(GOOD, **changes)


@pytest.mark.slow
def test_an_evaluation_of_the_captcha_network_is_reported_as_it_was_measured(
    small_dataset, tmp_path
):
    collector = Collector()
    data_info = small_dataset / "data_info.csv"
    params = ModelParams(network=network_config(DESCRIPTION), warmup_steps=1, total_steps=2)
    estimator = captcha_estimator(params, tmp_path)
    estimator.train(input_fn_maker(small_dataset / "train", data_info, batch_size=8), max_steps=2)
    # In batches whose last is shorter.
    metrics = estimator.evaluate(
        input_fn_maker(small_dataset / "test", data_info, batch_size=8), hooks=[collector]
    )
    found = collector.collected
    assert len(found.labels) == metrics["n"] == 20
    assert found.right.mean() == pytest.approx(metrics["sequence_accuracy"])
    characters = characters_right(found.labels, found.digits, None).mean()
    assert characters == pytest.approx(metrics["character_accuracy"])
    assert found.global_step == metrics["global_step"] == 2
    assert found.chance["sequence_accuracy"] == pytest.approx(1e-4)
    assert len(found.mistakes) == (~found.right).sum() > 0
    test_set = list(read_labelled_images(load_description(small_dataset), "test"))
    for mistake in found.mistakes:
        np.testing.assert_array_equal(mistake.image, test_set[mistake.index].image)
        assert "".join(map(str, mistake.labels)) == test_set[mistake.index].label
    write_report(
        tmp_path / "report.html",
        found,
        rows=history.rows(tmp_path),
        sections={},
        title="T",
        alphabet=DESCRIPTION.alphabet,
    )
    assert "20 captchas of 4 characters out of 10" in (tmp_path / "report.html").read_text()

import numpy as np
import pytest

from labelling.certainty import find_slips

NUM_CLASSES = 10


def log_softmax(logits):
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def sure_of(classes, margin=12.0):
    """float32 `[1, N, L, K]`: one network that holds `classes` for e ** margin times as likely."""
    classes = np.asarray(classes)
    return log_softmax(margin * np.eye(NUM_CLASSES)[classes]).astype(np.float32)[None]


def drawn(num_pictures, slip_rate, temperature, seed=0):
    """What a network says, labels as it says but for slips, and which labels have one."""
    generator = np.random.default_rng((seed, 1, 2))
    logits = generator.normal(size=(num_pictures, 4, NUM_CLASSES))
    logits += 9 * np.eye(NUM_CLASSES)[generator.integers(NUM_CLASSES, size=(num_pictures, 4))]
    noise = generator.gumbel(size=logits.shape)  # So that the argmax is drawn from the softmax.
    labels = (logits + noise).argmax(axis=-1)
    slips = generator.random(labels.shape) < slip_rate
    labels[slips] = generator.integers(NUM_CLASSES, size=slips.sum())
    return log_softmax(temperature * logits).astype(np.float32)[None], labels, slips


def test_a_label_that_sure_networks_contradict_is_wrong_and_the_others_are_right():
    labels = np.random.default_rng(0).integers(NUM_CLASSES, size=(500, 4))
    read = labels.copy()
    read[7, 2] = (read[7, 2] + 1) % NUM_CLASSES
    found = find_slips(sure_of(read, margin=30.0), labels)
    assert found.certainty[7] > 0.99
    assert np.delete(found.certainty, 7).max() < 0.01
    np.testing.assert_array_equal(found.classes, read)


def test_the_more_a_label_is_contradicted_the_more_certain_it_is():
    labels = np.zeros((500, 4), int)
    log_probabilities = sure_of(labels)
    for row, margin in enumerate((-1.0, 1.0, 3.0, 6.0)):  # Of class 1 over 0, the label.
        log_probabilities[0, row, 0] = log_softmax(
            12.0 * np.eye(10)[0] + (12 + margin) * np.eye(10)[1]
        )
    certainty = find_slips(log_probabilities, labels).certainty
    assert (np.diff(certainty[:4]) > 0).all()
    assert certainty[0] < 0.5


def test_a_second_contradicted_character_adds_to_the_certainty():
    labels = np.zeros((500, 4), int)
    read = labels.copy()
    read[0, 0] = read[1, 0] = read[1, 1] = 1
    certainty = find_slips(sure_of(read, margin=5.0), labels).certainty
    assert certainty[1] > certainty[0]


def test_one_network_of_two_that_holds_the_label_for_right_keeps_it_off_the_list():
    labels = np.zeros((500, 4), int)
    read = labels.copy()
    read[0, 0] = 1
    both = np.concatenate([sure_of(read), sure_of(labels)])
    assert find_slips(both, labels).certainty[0] < 0.5


@pytest.mark.parametrize("slip_rate", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_slips_and_temperature_are_found_without_being_told(slip_rate, temperature):
    log_probabilities, labels, _ = drawn(4000, slip_rate, temperature)
    found = find_slips(log_probabilities, labels)
    assert found.slip_rate == pytest.approx(slip_rate, abs=0.005)
    assert found.temperature == pytest.approx(temperature, rel=0.15)


def test_of_what_is_so_certain_as_many_are_wrong():
    log_probabilities, labels, slips = drawn(20000, 0.02, 3.0)
    certainty = find_slips(log_probabilities, labels).certainty
    # A slip to the very same character is none.
    wrong = slips.any(axis=1)
    for low, high in ((0.1, 0.5), (0.5, 0.9), (0.9, 1.0)):
        chosen = (certainty >= low) & (certainty < high)
        assert chosen.sum() > 20
        assert wrong[chosen].mean() == pytest.approx(certainty[chosen].mean(), abs=0.12)


def test_labels_without_a_slip_and_a_network_without_a_doubt_give_finite_numbers():
    labels = np.zeros((100, 4), int)
    sure = sure_of(labels, margin=1000.0)
    found = find_slips(sure, labels)
    assert np.isfinite(found.certainty).all()
    assert found.certainty.max() < 0.01

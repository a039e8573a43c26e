import numpy as np
import pytest
import tensorflow as tf
from toy_pictures import ALPHABET, toy_picture

from labelling.exported_weights import fresh_weights
from labelling.fold_network import FoldNetwork
from labelling.robust_loss import generalised_cross_entropy
from model.networks import NetworkConfig

CONFIG = NetworkConfig(
    name="small", image_shape=(12, 20, 3), num_positions=2, num_classes=3, dropout=0
)
NUM_STEPS = 200


@pytest.mark.parametrize(
    ("probability", "loss"), [(1.0, 0.0), (0.5, 0.5492), (0.1, 1.1435), (1e-9, 1.4286)]
)
def test_the_loss_by_hand(probability, loss):
    logits = tf.math.log([[probability, 1 - probability + 1e-12]])
    np.testing.assert_allclose(generalised_cross_entropy([0], logits), [loss], atol=1e-4)


@pytest.mark.parametrize("probability", [0.9, 0.5, 0.01])
def test_a_label_pulls_as_in_cross_entropy_times_what_is_thought_of_it(probability):
    logits = tf.Variable(tf.math.log([[probability, 1 - probability]]))
    with tf.GradientTape(persistent=True) as tape:
        robust = generalised_cross_entropy([0], logits)
        plain = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0], logits=logits)
    np.testing.assert_allclose(
        tape.gradient(robust, logits), probability**0.7 * tape.gradient(plain, logits), rtol=1e-4
    )


def test_an_impossible_label_has_no_pull_and_a_finite_loss():
    logits = tf.Variable([[-1e4, 1e4]])
    with tf.GradientTape() as tape:
        loss = generalised_cross_entropy([0], logits)
    assert np.isfinite(loss).all()
    np.testing.assert_array_equal(tape.gradient(loss, logits), [[0, 0]])


@pytest.fixture(scope="module")
def toy():
    """Pixels, wrong labels among the labels, and the right labels; 240 pictures."""
    right = np.random.default_rng(2).integers(3, size=(240, 2))
    texts = ["".join(ALPHABET[index] for index in row) for row in right]
    pixels = np.stack([np.asarray(toy_picture(text, row)) for row, text in enumerate(texts)])
    labels = right.copy()
    labels[:12, 1] = (labels[:12, 1] + 1) % 3
    return pixels, labels, right


@pytest.fixture(scope="module")
def network():
    return FoldNetwork(CONFIG, NUM_STEPS)


def trained(network, toy, members, start_seed=1, seed=(0, 1)):
    pixels, labels, _ = toy
    steps = []
    start = fresh_weights(CONFIG, start_seed)
    network.train(pixels, labels, members, start, seed, lambda: steps.append(1))
    assert len(steps) == NUM_STEPS
    return network.log_probabilities(pixels, np.arange(len(pixels)))


@pytest.mark.slow
def test_wrong_labels_are_not_learnt_not_even_those_that_were_trained_on(network, toy):
    found = trained(network, toy, np.arange(240))
    assert found.shape == (240, 2, 3)
    np.testing.assert_allclose(np.exp(found).sum(axis=-1), 1, rtol=1e-4)
    read = found.argmax(axis=-1)
    assert (read == toy[2]).all(axis=1).mean() > 0.97
    assert (read[:12] == toy[1][:12]).all(axis=1).mean() < 0.2


@pytest.mark.slow
def test_what_was_learnt_before_is_forgotten(network, toy):
    first = trained(network, toy, np.arange(100))
    trained(network, toy, np.arange(100, 240), start_seed=2, seed=(0, 2))
    np.testing.assert_array_equal(trained(network, toy, np.arange(100)), first)


@pytest.mark.slow
def test_start_and_seed_make_another_network(network, toy):
    first = trained(network, toy, np.arange(240))
    assert (trained(network, toy, np.arange(240), start_seed=2) != first).any()
    assert (trained(network, toy, np.arange(240), seed=(0, 2)) != first).any()


def test_only_members_are_trained_on(toy):
    pixels, labels, _ = toy
    asked = set()

    class Spy(np.ndarray):
        def __getitem__(self, index):
            if self.ndim == 4 and isinstance(index, np.ndarray):
                asked.update(index.tolist())
            return np.asarray(self)[index]

    short = FoldNetwork(CONFIG, 5)
    members = np.array([3, 5, 7, 11])  # Fewer than a batch.
    start = fresh_weights(CONFIG, 0)
    short.train(pixels.view(Spy), labels, members, start, (0, 0), lambda: None)
    assert asked == {3, 5, 7, 11}
    assert short.log_probabilities(pixels, members).shape == (4, 2, 3)

import numpy as np
import pytest

from labelling.out_of_fold import FoldPlan, assign_folds, read_out_of_fold

NUM_PICTURES, NUM_POSITIONS, NUM_CLASSES = 120, 2, 3
LABELS = np.random.default_rng(5).integers(NUM_CLASSES, size=(NUM_PICTURES, NUM_POSITIONS))
PIXELS = np.arange(NUM_PICTURES, dtype=np.uint8).reshape(-1, 1, 1, 1)
TWINS = np.arange(NUM_PICTURES) // 2  # Two and two are the same picture.


class SpyNetwork:
    """Reads what it is told to, and remembers what it was asked for."""

    def __init__(self, read=lambda training, members: LABELS[members]):
        self.trainings = []  # (members, start, seed)
        self.readings = []  # (number of the training, members)
        self._read = read

    def train(self, pixels, labels, members, start, seed, on_step):
        assert pixels is PIXELS
        np.testing.assert_array_equal(labels, LABELS)
        self.trainings.append((members, start, seed))
        on_step()

    def log_probabilities(self, pixels, members):
        training = len(self.trainings) - 1
        self.readings.append((training, members))
        read = self._read(training, members)
        return np.log(0.01 + 0.97 * np.eye(NUM_CLASSES, dtype=np.float32)[read])


def read_all(network, groups=TWINS, on_step=lambda: None, **plan):
    return read_out_of_fold(
        network, PIXELS, LABELS, groups, FoldPlan(**plan), lambda seed: [seed], on_step
    )


def test_no_picture_nor_its_twin_is_read_by_a_network_that_was_told_its_label():
    network = SpyNetwork()
    read_all(network)
    told = [set(TWINS[members]) for members, _, _ in network.trainings]
    asked = {}
    for training, members in network.readings:
        if told[training].isdisjoint(TWINS[members]):
            asked.setdefault(training, []).extend(members)
    assert len(network.trainings) == len(asked) == 8
    for repeat in range(2):
        together = [member for fold in range(4) for member in asked[4 * repeat + fold]]
        assert sorted(together) == list(range(NUM_PICTURES))


def test_what_is_read_stands_in_the_row_of_its_picture():
    found = read_all(SpyNetwork(), num_folds=3, num_repeats=2)
    assert found.shape == (2, NUM_PICTURES, NUM_POSITIONS, NUM_CLASSES)
    for repeat in range(2):
        np.testing.assert_array_equal(found[repeat].argmax(axis=-1), LABELS)


@pytest.mark.parametrize(("num_groups", "num_folds"), [(100, 4), (101, 4), (7, 7)])
def test_folds_have_equal_numbers_of_groups_and_split_none(num_groups, num_folds):
    groups = np.repeat(np.arange(num_groups), 2)
    folds = assign_folds(groups, num_folds, (0, 0, 0))
    np.testing.assert_array_equal(folds[::2], folds[1::2])
    sizes = np.bincount(folds[::2], minlength=num_folds)
    assert sizes.max() - sizes.min() <= 1


def test_folds_depend_on_the_seed_alone():
    groups = np.arange(100)
    np.testing.assert_array_equal(
        assign_folds(groups, 4, (1, 0, 0)), assign_folds(groups, 4, (1, 0, 0))
    )
    assert (assign_folds(groups, 4, (1, 0, 0)) != assign_folds(groups, 4, (1, 0, 1))).any()


def test_each_network_has_a_seed_and_a_start_of_its_own_that_another_audit_does_not_have():
    used = []
    for seed in range(3):
        network = SpyNetwork()
        read_all(network, seed=seed)
        used += [(order, start[0]) for _, start, order in network.trainings]
    assert len({order for order, _ in used}) == len({start for _, start in used}) == 24


def test_the_same_audit_is_the_same():
    first, second = SpyNetwork(), SpyNetwork()
    read_all(first, seed=4)
    read_all(second, seed=4)
    for one, other in zip(first.trainings, second.trainings, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1:] == other[1:]


def without_class_2(training, members):
    """What a network reads that takes every 2 at the second place for a 1."""
    read = LABELS[members].copy()
    read[read[:, 1] == 2, 1] = 1
    return read


@pytest.mark.parametrize(("num_bad", "num_trainings"), [(0, 2), (1, 3), (2, 4), (9, 4)])
def test_a_network_that_gives_a_character_up_is_trained_anew_twice_at_most(num_bad, num_trainings):
    def read(training, members):
        return without_class_2(training, members) if training < num_bad else LABELS[members]

    steps = []
    network = SpyNetwork(read)
    read_all(network, num_folds=2, num_repeats=1, on_step=lambda: steps.append(1))
    if num_bad == 9:  # Never mends: three attempts for each of the two networks.
        num_trainings = 6
    assert len(network.trainings) == num_trainings
    assert len(steps) == 2  # Progress counts first attempts, so that it ends where it said.
    assert len({(start[0], order) for _, start, order in network.trainings}) == num_trainings


def test_a_few_wrong_labels_are_no_reason_to_train_anew():
    def read(training, members):
        found = LABELS[members].copy()
        found[: len(found) // 5] = 0
        return found

    network = SpyNetwork(read)
    read_all(network, num_folds=2, num_repeats=1)
    assert len(network.trainings) == 2

"""Every number of a report, against values done by hand."""

import numpy as np
import pytest

from report.statistics import (
    accept_rate,
    calibration,
    characters_right,
    confusion_counts,
    coverage_curve,
    most_confused,
    positions_right,
)

BLANK = 3  # Of the alphabet "abc".

# labels, digits, blank, share of each captcha, (right, counted) of each position.
READINGS = {
    "all_right": ([[0, 1]], [[0, 1]], None, [1], ([1, 1], [1, 1])),
    "all_wrong": ([[0, 1]], [[1, 0]], None, [0], ([0, 0], [1, 1])),
    "one_of_two": ([[0, 1], [2, 2]], [[0, 1], [2, 0]], None, [1, 0.5], ([2, 1], [2, 2])),
    # "a" read as "ab", "ab" read as "a", and "a" read as "a": an empty end is no merit.
    "one_too_many": ([[0, 3, 3]], [[0, 1, 3]], BLANK, [1 / 2], ([1, 0, 0], [1, 1, 0])),
    "one_missing": ([[0, 1, 3]], [[0, 3, 3]], BLANK, [1 / 2], ([1, 0, 0], [1, 1, 0])),
    "short_and_right": ([[0, 3, 3]], [[0, 3, 3]], BLANK, [1], ([1, 0, 0], [1, 0, 0])),
    "the_same_without_blank": ([[0, 3, 3]], [[0, 3, 3]], None, [1], ([1, 1, 1], [1, 1, 1])),
}


@pytest.mark.parametrize("case", READINGS)
def test_characters_count_where_label_or_reading_has_one(case):
    labels, digits, blank, shares, (right, counted) = READINGS[case]
    labels, digits = np.array(labels), np.array(digits)
    np.testing.assert_allclose(characters_right(labels, digits, blank), shares)
    found_right, found_counted = positions_right(labels, digits, blank)
    assert (found_right.tolist(), found_counted.tolist()) == (right, counted)


@pytest.mark.parametrize("blank", [None, 61])
def test_characters_right_is_the_metric_that_training_prints(blank):
    from model.metrics import character_accuracy

    rng = np.random.default_rng(4)
    labels = rng.integers(62, size=(200, 6))
    labels[:, 0] = 5  # Of each captcha one at least is no blank.
    digits = np.where(rng.random(labels.shape) < 0.7, labels, rng.integers(62, size=labels.shape))
    np.testing.assert_allclose(
        characters_right(labels, digits, blank), character_accuracy(digits, labels, blank), 1e-6
    )


def test_confusions_are_counted_by_truth_and_reading():
    labels, digits = np.array([[0, 1], [1, 1], [2, 0]]), np.array([[0, 2], [1, 2], [0, 0]])
    counts = confusion_counts(labels, digits, 4)
    assert counts.tolist() == [[2, 0, 0, 0], [0, 1, 2, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert most_confused(counts, 10) == [(1, 2, 2), (2, 0, 1)]
    assert most_confused(counts, 1) == [(1, 2, 2)]


def test_confusions_of_62_classes_do_not_overflow_what_labels_are_kept_in():
    labels = np.full((3, 2), 61, np.int8)
    counts = confusion_counts(labels, labels - 1, 62)
    assert counts[61, 60] == counts.sum() == 6
    assert most_confused(counts, 5) == [(61, 60, 6)]


def test_equally_frequent_confusions_stand_in_the_order_of_the_matrix():
    counts = np.array([[9, 1, 1], [1, 9, 2], [0, 1, 9]])
    assert most_confused(counts, 3) == [(1, 2, 2), (0, 1, 1), (0, 2, 1)]


def test_no_confusion_if_all_is_right():
    assert most_confused(np.diag([4, 5]), 3) == []


# confidences, right, bins, counts, right a bin, ECE.
CALIBRATIONS = {
    # |1 - 0.9| for one captcha.
    "one_right": ([0.9], [1], 2, [0, 1], [0, 1], 0.1),
    "one_wrong": ([0.9], [0], 2, [0, 1], [0, 0], 0.9),
    # Lower bin: 1 of 2 right at mean 0.3; upper bin: 2 of 2 at mean 0.8. (2 * 0.2 + 2 * 0.2) / 4.
    "two_bins": ([0.2, 0.4, 0.7, 0.9], [0, 1, 1, 1], 2, [2, 2], [1, 2], 0.2),
    # (|0 - 0.6| + |2 - 1.6|) / 4: too sure below, too modest above, and neither makes up for it.
    "gaps_add_up": ([0.2, 0.4, 0.7, 0.9], [0, 0, 1, 1], 2, [2, 2], [0, 2], 0.25),
    # In a bin too sure and too modest cancel: 1 of 2 right at mean 0.5.
    "cancel_in_a_bin": ([0.4, 0.6], [1, 0], 1, [2], [1], 0.0),
    # An edge belongs to the bin below; 0 to the first.
    "edges": ([0.0, 0.5, 1.0], [0, 0, 1], 2, [2, 1], [0, 1], 1 / 6),
    "sure_and_right": ([1.0] * 5, [1] * 5, 15, [0] * 14 + [5], [0] * 14 + [5], 0.0),
    "sure_and_wrong": ([1.0] * 5, [0] * 5, 15, [0] * 14 + [5], [0] * 15, 1.0),
}


@pytest.mark.parametrize("case", CALIBRATIONS)
def test_ece_is_the_mean_gap_between_accuracy_and_confidence(case):
    confidences, right, num_bins, counts, num_right, ece = CALIBRATIONS[case]
    found = calibration(np.array(confidences), np.array(right, bool), num_bins)
    assert found.counts.tolist() == counts
    assert found.num_right.tolist() == num_right
    assert found.ece == pytest.approx(ece, abs=1e-12)


@pytest.mark.parametrize("index", range(1, 15))
def test_each_edge_of_15_bins_belongs_to_the_bin_below(index):
    confidences = np.array([index / 15])
    assert calibration(confidences, np.array([True])).counts.argmax() == index - 1


def test_an_empty_bin_has_no_mean():
    found = calibration(np.array([0.9]), np.array([True]), 2)
    np.testing.assert_allclose(found.mean_confidence, [np.nan, 0.9])


# confidences, right, (thresholds, accepted, errors).
CURVES = {
    "one": ([0.7], [1], ([0.7], [1], [0])),
    "falling": ([0.2, 0.9, 0.5], [0, 1, 1], ([0.9, 0.5, 0.2], [1, 2, 3], [0, 0, 1])),
    # Whoever accepts one of two equals accepts the other: there is no threshold between them.
    "ties": ([0.9, 0.5, 0.5, 0.1], [1, 0, 1, 1], ([0.9, 0.5, 0.1], [1, 3, 4], [0, 1, 1])),
    "all_equal": ([1.0, 1.0, 1.0], [1, 0, 1], ([1.0], [3], [1])),
}


@pytest.mark.parametrize("case", CURVES)
def test_coverage_takes_captchas_by_falling_confidence(case):
    confidences, right, expected = CURVES[case]
    curve = coverage_curve(np.array(confidences), np.array(right, bool))
    assert (curve.thresholds.tolist(), curve.accepted.tolist(), curve.errors.tolist()) == expected


def descending(pattern):
    """A captcha a letter, the surest first: "r" was read right, "w" wrong."""
    confidences = np.linspace(0.9, 0.1, len(pattern))
    return coverage_curve(confidences, np.array([letter == "r" for letter in pattern]))


# pattern, precision, accepted, errors.
RATES = {
    "all_right": ("rrrr", 0.999, 4, 0),
    "all_wrong": ("wwww", 0.999, 0, 0),
    "one_right": ("r", 0.999, 1, 0),
    "one_wrong": ("w", 0.999, 0, 0),
    "up_to_the_error": ("rrrw", 0.999, 3, 0),
    # 4 of 5 are right at last, though after two it is 1 of 2.
    "precision_may_recover": ("rwrrr", 0.8, 5, 1),
    "the_surest_may_be_wrong": ("wrrr", 0.75, 4, 1),
    "none_reaches_it": ("wrrr", 0.9, 0, 0),
    # 999 of 1000 is 99.9 %, to the last captcha; 0.999 * 1000 in floats may not be 999.
    "exactly_999_of_1000": ("r" * 999 + "w", 0.999, 1000, 1),
    "one_short_of_it": ("r" * 998 + "w", 0.999, 998, 0),
    "exactly_2997_of_3000": ("r" * 2997 + "www", 0.999, 3000, 3),
    "without_an_error": ("rrwr", 1.0, 2, 0),
}


@pytest.mark.parametrize("case", RATES)
def test_accept_rate_is_the_largest_share_of_the_precision(case):
    pattern, precision, accepted, errors = RATES[case]
    found = accept_rate(descending(pattern), precision)
    assert (found.accepted, found.errors, found.n) == (accepted, errors, len(pattern))
    assert found.rate == accepted / len(pattern)
    assert (found.threshold is None) == (accepted == 0)


# The confidence of the last accepted, that of the first refused, and the text between them.
THRESHOLDS = {
    "few_digits_do": (0.93, 0.41, "0.9"),
    "as_many_as_it_takes": (0.98765, 0.98761, "0.98765"),
    "one_is_a_threshold": (1.0, 0.99999994, "1.0"),
    "neighbouring_floats": (float(np.nextafter(0.5, 1)), 0.5, "0.5000000000000001"),
}


@pytest.mark.parametrize("case", THRESHOLDS)
def test_the_threshold_is_the_shortest_number_that_accepts_the_same(case):
    accepted, refused, text = THRESHOLDS[case]
    curve = coverage_curve(np.array([accepted, refused]), np.array([True, False]))
    assert accept_rate(curve, 0.999).threshold == text
    assert refused < float(text) <= accepted


def test_whoever_accepts_all_needs_no_threshold():
    assert accept_rate(descending("rrr"), 0.999).threshold == "0"


def test_a_tie_at_the_threshold_is_refused_as_a_whole():
    confidences = np.array([0.9, 0.8, 0.5, 0.5])
    curve = coverage_curve(confidences, np.array([True, True, True, False]))
    assert accept_rate(curve, 0.999).accepted == 2

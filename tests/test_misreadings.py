"""What several readers misread, counted by hand."""

import numpy as np
import pytest

from benchmarks import misreadings
from benchmarks.fresh_readings import calibrated, confidences, together
from benchmarks.misread_sheet import misread_sheet
from data_gen.style import Style


def readings(texts, sure=0.97):
    """Probabilities [N, 4, 10] of a reader that is that sure of each character."""
    read = np.array([[int(char) for char in text] for text in texts])
    return np.where(np.eye(10)[read] > 0, sure, (1 - sure) / 9)


DIGITS = np.array([[1, 2, 3, 4]] * 4)
FIRST = readings(["1234", "7234", "1254", "1234"])
SECOND = readings(["1234", "7234", "1264", "1284"], sure=0.99)


def test_a_captcha_is_misread_by_all_and_in_the_same_way():
    figures = misreadings.shared_figures(np.stack([FIRST, SECOND]), DIGITS)
    first, same, sure = figures.values()
    assert first.startswith("2 of 4, 50.000%")
    assert same.startswith("1 of 4, 25.000%")
    assert sure == "0"  # 0.97 ** 4 is 0.885.


def test_pairs_are_counted_over_all_readers():
    figures = misreadings.pair_figures(np.stack([FIRST, SECOND]), DIGITS, "0123456789")
    assert figures["most frequent confusions"] == "1 as 7: 2, 3 as 5: 1, 3 as 6: 1, 3 as 8: 1"


def test_a_reader_is_told_by_its_errors():
    figures = misreadings.reader_figures("it", FIRST, DIGITS)
    assert figures["it, misread"].startswith("2 of 4, 50.000%")
    assert figures["it, accepted at 99.9% right"] == "0.00%"  # All are equally sure.


def test_errors_are_laid_to_the_worst_characters_of_a_measure():
    digits = np.tile(DIGITS, (25, 1))  # 400 characters, 20 of which are the worst.
    probabilities = readings(["1234"] * 100)[None].copy()
    measures = {name: np.zeros((100, 4)) for name in misreadings.CAUSES}
    measures["overlapped"][:5] = 0.5
    measures["contrast"] += 100
    probabilities[0, :5, 0] = readings(["7777"])[0, 0]
    figures = misreadings.cause_figures(measures, probabilities, digits)
    shares = figures["characters misread, overlapped (above 2.5%, at most 50%)"]
    assert shares == "25.000%, elsewhere 0.000%; 5% of the characters, 100% of the errors"
    assert figures["characters misread, none of these"].startswith("0.000%, elsewhere 25.000%")


def test_readers_together_are_the_mean_of_their_logs():
    both = together(np.stack([FIRST, FIRST]))
    np.testing.assert_allclose(both, FIRST)
    disagreeing = together(np.stack([readings(["1111"], 0.6), readings(["2222"], 0.9)]))
    assert disagreeing.argmax(axis=-1).tolist() == [[2, 2, 2, 2]]
    np.testing.assert_allclose(disagreeing.sum(axis=-1), 1)


def test_calibration_tones_down_who_is_too_sure():
    """Says 0.97 of each character and is right in 3 of 4."""
    rng = np.random.default_rng(0)
    digits = rng.integers(10, size=(2000, 4))
    shown = np.where(rng.random(digits.shape) < 0.75, digits, (digits + 1) % 10)
    says = readings(["".join(map(str, row)) for row in shown])
    tempered, temperature = calibrated(says, digits)
    assert temperature > 1
    assert tempered.max(axis=-1).mean() == pytest.approx(0.75, abs=0.02)
    assert confidences(tempered).mean() == pytest.approx(0.75**4, abs=0.02)


def test_the_sheet_shows_what_most_readers_misread_first():
    digits = np.array([[0, 0, 0, 0]] * 3)
    read = np.stack([readings(["0000", "0010", "0000"]), readings(["0000", "0020", "0003"])])
    worst = {"faint": np.ones((3, 4), bool), "cut": np.zeros((3, 4), bool)}
    sheet = misread_sheet(Style(), 1, read, digits, worst)
    assert sheet.width <= 1000
    assert misread_sheet(Style(), 1, read[:1, :1], digits[:1], worst) is None

"""What is said of readings, and the program that reads captchas a pixel apart."""

import numpy as np
import pytest

from benchmarks.shifted_readings import reading_figures


def digits_of(*texts: str) -> np.ndarray:
    return np.array([["0O1".index(character) for character in text] for text in texts])


@pytest.mark.parametrize(
    ("alike", "merged"),
    [("", None), ("0O", "75.00% (30.06% to 95.44%)"), ("01", "50.00% (15.00% to 85.00%)")],
)
def test_those_taken_for_one_may_be_read_for_each_other_and_no_others(alike, merged):
    right, read = digits_of("0O", "00", "O1", "11"), digits_of("0O", "O0", "01", "10")
    figures = reading_figures(read, right, "0O1", alike)
    assert figures.pop("whole captchas") == "25.00% (4.56% to 69.94%)"
    assert figures.pop("characters") == "62.50%"
    assert figures.pop("characters misread") == "3 of 8"
    assert sorted(figures.pop("misread most").split(", ")) == ["0 as O 1", "1 as 0 1", "O as 0 1"]
    taken = {} if merged is None else {f"whole captchas with {' and '.join(alike)} taken for one"}
    assert set(figures) == set(taken)
    assert list(figures.values()) == ([] if merged is None else [merged])


def test_a_character_that_is_not_of_the_alphabet_is_one_line(run_program):
    done = run_program("benchmarks/shifted_readings.py", "--alike=O0")
    assert done.returncode != 0
    assert "`alike` must be characters of the alphabet 0123456789, received 'O0'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_program_reads_each_captcha_once_and_five_times(run_program, barely_trained_model):
    done = run_program(
        "benchmarks/shifted_readings.py",
        f"--model_dir={barely_trained_model}",
        "--alike=16",
        "--n=20",
        "--norecord",
    )
    assert done.returncode == 0, done.stderr
    for name in ("one reading", "mean of five"):
        for figure in ("whole captchas", "characters", "whole captchas with 1 and 6 taken for one"):
            assert f"{name}, {figure} " in done.stdout

import pytest

from benchmarks.reading_accuracy import accuracy_figures


def test_whole_captchas_and_characters_are_counted_with_their_intervals():
    labels = ["1234"] * 4
    figures = accuracy_figures({"a": ["1234", "1239", "123", ""], "b": labels}, labels)
    assert figures["a_sequence_accuracy"].startswith("0.2500 (")
    # 4, 3 and 3 of 4 characters stand where they should, and none.
    assert figures["a_character_accuracy"].startswith("0.6250 (")
    assert figures["b_sequence_accuracy"].startswith("1.0000 (0.5101 to 1.0000")


def test_a_text_that_is_too_long_is_not_right():
    assert accuracy_figures({"a": ["12345"]}, ["1234"])["a_character_accuracy"].startswith("0.80")


def test_each_captcha_needs_a_text():
    with pytest.raises(ValueError, match="argument 2 is longer"):
        accuracy_figures({"a": ["1"]}, ["1", "2"])

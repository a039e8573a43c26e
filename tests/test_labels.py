import numpy as np
import pytest

from records.errors import RecordError
from records.labels import classes_of, read_label, text_of, write_label
from records.schema import captcha_fields

FIXED = captcha_fields(height_px=4, width_px=6, num_positions=4)
VARIABLE = captcha_fields(height_px=4, width_px=6, num_positions=4, variable_length=True)


@pytest.mark.parametrize(
    ("text", "classes"),
    [("b", [1, 3, 3, 3]), ("ab", [0, 1, 3, 3]), ("cab", [2, 0, 1, 3]), ("cccc", [2, 2, 2, 2])],
)
def test_a_text_is_filled_up_on_its_right_with_the_class_behind_the_alphabet(text, classes):
    found = classes_of(text, "abc", 4)
    assert found.dtype == np.int64
    assert found.tolist() == classes
    assert text_of(found, "abc") == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must have 1 to 4 characters, received 0: ''"),
        ("abcab", "must have 1 to 4 characters, received 5: 'abcab'"),
        ("abd", r"of the characters abc, received 'abd' \('d' at index 2\)"),
    ],
    ids=["empty", "too_long", "character"],
)
def test_a_text_that_makes_no_label_is_refused(text, message):
    with pytest.raises(RecordError, match=message):
        classes_of(text, "abc", 4)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([3, 3, 3, 3], r"characters and then blanks \(class 3\), received \[3, 3, 3, 3\]"),
        ([0, 3, 1, 3], "characters and then blanks"),
        ([3, 0, 1, 2], "characters and then blanks"),
        ([0, 1, 2, 4], r"in \[0, 3\], received 0 to 4"),
        ([0, -1, 2, 3], r"in \[0, 3\], received -1 to 3"),
    ],
    ids=["no_character", "gap", "blank_first", "too_high", "negative"],
)
def test_classes_that_are_no_label_are_refused(classes, message):
    with pytest.raises(RecordError, match=message):
        text_of(np.array(classes), "abc")


@pytest.mark.parametrize("text", ["a", "ca", "bbb", "abca"])
def test_a_record_of_varying_labels_has_their_length(text):
    values = write_label(VARIABLE, text, "abc")
    assert {feature: array.dtype for feature, array in values.items()} == {
        "label": np.int64,
        "length": np.int64,
    }
    assert values["length"].tolist() == [len(text)]
    assert read_label(VARIABLE, values, "abc") == text


def test_a_record_of_labels_of_one_length_does_not_say_it():
    values = write_label(FIXED, "abca", "abc")
    assert values.keys() == {"label"}
    assert read_label(FIXED, values, "abc") == "abca"
    with pytest.raises(RecordError, match="must have 4 characters, received 3: 'abc'"):
        write_label(FIXED, "abc", "abc")


@pytest.mark.parametrize(
    ("fields", "values", "message"),
    [
        (FIXED, {"label": [0, 1, 2, 3]}, r"must be in \[0, 2\], received 0 to 3"),
        (VARIABLE, {"label": [0, 1, 3, 3], "length": [3]}, "must be that of the label, 2, .* 3"),
        (VARIABLE, {"label": [0, 1, 2, 2], "length": [3]}, "must be that of the label, 4, .* 3"),
        (VARIABLE, {"label": [0, 3, 2, 2], "length": [4]}, "characters and then blanks"),
    ],
    ids=["blank_in_fixed", "length_too_long", "length_too_short", "gap"],
)
def test_a_record_whose_label_contradicts_itself_is_refused(fields, values, message):
    arrays = {feature: np.array(array) for feature, array in values.items()}
    with pytest.raises(RecordError, match=message):
        read_label(fields, arrays, "abc")

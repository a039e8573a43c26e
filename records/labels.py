"""Labels as text and as the numbers of a record: class k is character k of the alphabet.

Where labels vary in length (`records.schema.has_blank`), class K = len(alphabet) is the blank. It
fills a label up on its right to L, the longest; so it never stands before a character, and never
alone: "42" of L = 4 digits is 4 2 10 10.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from records.errors import REMEDY, RecordError
from records.schema import Field, field_of, has_blank


def classes_of(text: str, alphabet: str, num_positions: int) -> np.ndarray:
    """The classes of a text, filled up with the blank.

    Args:
      text: 1 to `num_positions` characters of `alphabet`.
      alphabet: K characters.
      num_positions: L.

    Returns:
      int64 `[L]`, in [0, K].

    Raises:
      RecordError: If the text has another length or another character.
    """
    if not 1 <= len(text) <= num_positions:
        raise RecordError(
            f"a label must have 1 to {num_positions} characters, received {len(text)}: {text!r}. "
            "Correct it, or allow longer ones."
        )
    for index, char in enumerate(text):
        if char not in alphabet:
            raise RecordError(
                f"a label must be of the characters {alphabet}, received {text!r} ({char!r} at "
                f"index {index}). Correct it, or add the character to the alphabet."
            )
    classes = np.full(num_positions, len(alphabet), np.int64)
    classes[: len(text)] = [alphabet.index(char) for char in text]
    return classes


def text_of(classes: np.ndarray, alphabet: str) -> str:
    """The text of classes, without the blanks that fill it up; undoes `classes_of`.

    Args:
      classes: int `[L]`.
      alphabet: K characters.

    Raises:
      RecordError: If a class is not in [0, K], or there is no character, or one after a blank.
    """
    blank = len(alphabet)
    _check_range(classes, blank)
    num_characters = int(np.count_nonzero(classes != blank))
    if num_characters == 0 or (classes[:num_characters] == blank).any():
        raise RecordError(
            f"a label must be characters and then blanks (class {blank}), received "
            f"{classes.tolist()}. {REMEDY}"
        )
    return "".join(alphabet[index] for index in classes[:num_characters])


def write_label(fields: Sequence[Field], text: str, alphabet: str) -> dict[str, np.ndarray]:
    """What a record holds of a label, by feature: "label", and "length" if `fields` has it.

    Raises:
      RecordError: If the text has another character, or no length that `fields` allows.
    """
    num_positions = field_of(fields, "label").num_values
    if has_blank(fields):
        label = classes_of(text, alphabet, num_positions)
        return {"label": label, "length": np.array([len(text)], np.int64)}
    if len(text) != num_positions:
        raise RecordError(
            f"a label must have {num_positions} characters, received {len(text)}: {text!r}. "
            "Correct it, or write a dataset of labels that vary in length."
        )
    return {"label": classes_of(text, alphabet, num_positions)}


def read_label(fields: Sequence[Field], values: Mapping[str, np.ndarray], alphabet: str) -> str:
    """The text of a record's label; undoes `write_label`.

    Args:
      fields: What the record holds.
      values: For the feature of each field its array, as `decode_example` returns them.
      alphabet: The characters.

    Raises:
      RecordError: If it is not what `write_label` writes: also if the length is another one.
    """
    if not has_blank(fields):
        _check_range(values["label"], len(alphabet) - 1)  # So that the blank is refused too.
        return text_of(values["label"], alphabet)
    text = text_of(values["label"], alphabet)
    length = int(values["length"][0])
    if length != len(text):
        raise RecordError(
            f"the length must be that of the label, {len(text)}, received {length}. {REMEDY}"
        )
    return text


def _check_range(classes: np.ndarray, last: int) -> None:
    if classes.min() < 0 or classes.max() > last:
        raise RecordError(
            f"the label must be in [0, {last}], received {classes.min()} to {classes.max()}. "
            f"{REMEDY}"
        )

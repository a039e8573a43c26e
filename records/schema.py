"""What a record holds: the one table that drives writer, readers, data_info.csv and TFDS's files.

A record is a serialised tf.train.Example with these fields:

  name       feature  dtype  shape      storage          content
  image_raw  image    uint8  [H, W, 3]  raw, png, jpeg   RGB, 0 is black
  label      label    int64  [L]        int64_list, raw  indices into the alphabet, left to right
  length     length   int64  [1]        int64_list       how many characters the label has, 1 to L
  map_raw    map      uint8  [H, W]     raw              0 background, k the ink of character k

`name` is the key in the record, `feature` the key a network sees. Stored `raw`, a field is its
bytes in C order, little endian; `png` and `jpeg` are whole encoded files; `int64_list` is the
record's own list of integers. We write labels as `int64_list` under `label`; the book's own records
have them `raw` under `label_raw`.

Image and label are always there, the map if it was asked for, and the length exactly if labels vary
in length. Then L is the longest, and a shorter label is filled up on its right with the blank: one
more class behind the alphabet's K, so with the index K (records/labels.py).
"""

import csv
import dataclasses
import io
import math
import os
import pathlib
import re
from collections.abc import Sequence
from typing import NamedTuple

COLUMNS = ("name", "feature", "dtype", "shape", "storage")
ENCODINGS = ("raw", "png", "jpeg")  # Of images.


class FieldRule(NamedTuple):
    """What a field of one feature may look like."""

    name: str  # As we write it; a record of other people's may call it otherwise.
    dtype: str
    dimensions: tuple[str, ...]  # A letter stands for any size, a digit for itself.
    storages: tuple[str, ...]
    required: bool


FIELDS = {
    "image": FieldRule("image_raw", "uint8", ("H", "W", "3"), ENCODINGS, required=True),
    "label": FieldRule("label", "int64", ("L",), ("int64_list", "raw"), required=True),
    "length": FieldRule("length", "int64", ("1",), ("int64_list",), required=False),
    "map": FieldRule("map_raw", "uint8", ("H", "W"), ("raw",), required=False),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """One row of the table above.

    Raises:
      ValueError: If a value is not one that the table allows.
    """

    name: str
    feature: str
    dtype: str
    shape: tuple[int, ...]
    storage: str

    def __post_init__(self):
        if not re.fullmatch(r"[\w./-]+", self.name):
            raise ValueError(
                "`name` of a field must be letters, digits and any of _ . / -, received "
                f"{self.name!r}. Write the key that the records have, for example image_raw."
            )
        if self.feature not in FIELDS:
            self._refuse("feature", f"one of {', '.join(FIELDS)}")
        rule = FIELDS[self.feature]
        if self.dtype != rule.dtype:
            self._refuse("dtype", f"{rule.dtype} for the feature {self.feature}")
        if not _fits(self.shape, rule.dimensions):
            self._refuse("shape", f"{'x'.join(rule.dimensions)} with sizes of 1 or more")
        if self.storage not in rule.storages:
            self._refuse(
                "storage", f"one of {', '.join(rule.storages)} for the feature {self.feature}"
            )

    @property
    def num_values(self) -> int:
        """How many numbers the field holds."""
        return math.prod(self.shape)

    @property
    def num_bytes(self) -> int:
        """How many bytes the field's values take in memory, and on disk if stored `raw`."""
        return self.num_values * (8 if self.dtype == "int64" else 1)

    def _refuse(self, attribute: str, rule: str) -> None:
        raise ValueError(
            f"`{attribute}` of field {self.name!r} must be {rule}, received "
            f"{getattr(self, attribute)!r}. Write it as records/schema.py has it."
        )


def captcha_fields(
    *,
    height_px: int,
    width_px: int,
    num_positions: int,
    encoding: str = "raw",
    with_map: bool = False,
    variable_length: bool = False,
) -> tuple[Field, ...]:
    """Makes the fields of the records that we write.

    Args:
      height_px: Height of each image.
      width_px: Width of each image.
      num_positions: Characters of each label, or of the longest.
      encoding: How images are stored, one of `ENCODINGS`. jpeg changes pixels, the others do not.
      with_map: Whether a record also has the map of its characters.
      variable_length: Whether labels vary in length; a record then also has its label's length.

    Raises:
      ValueError: If a size is below 1 or `encoding` is unknown.
    """
    sizes = {"H": height_px, "W": width_px, "L": num_positions, "1": 1, "3": 3}
    optional = {"length": variable_length, "map": with_map}
    return tuple(
        Field(
            name=rule.name,
            feature=feature,
            dtype=rule.dtype,
            shape=tuple(sizes[dimension] for dimension in rule.dimensions),
            storage=encoding if feature == "image" else rule.storages[0],
        )
        for feature, rule in FIELDS.items()
        if rule.required or optional[feature]
    )


def field_of(fields: Sequence[Field], feature: str) -> Field:
    """Finds the field of a feature that is known to be there: image and label always are."""
    return next(field for field in fields if field.feature == feature)


def has_blank(fields: Sequence[Field]) -> bool:
    """Whether labels vary in length, so that one more class than the alphabet's fills them up."""
    return any(field.feature == "length" for field in fields)


def check_fields(fields: Sequence[Field]) -> None:
    """Checks that the fields make a record.

    Raises:
      ValueError: If a name or a feature comes twice, image or label is missing, or the map has
        another size than the image.
    """
    for attribute in ("name", "feature"):
        values = [getattr(field, attribute) for field in fields]
        if len(set(values)) < len(values):
            raise ValueError(
                f"`{attribute}` must differ from field to field, received {', '.join(values)}. "
                "Keep one row of each."
            )
    features = [field.feature for field in fields]
    for feature, rule in FIELDS.items():
        if rule.required and feature not in features:
            raise ValueError(
                f"one field must be the feature {feature!r}, received {', '.join(features) or '-'}."
                " Add its row, for example label,label,int64,4,int64_list."
            )
    image_size = field_of(fields, "image").shape[:2]
    if "map" in features and field_of(fields, "map").shape != image_size:
        raise ValueError(
            f"`shape` of the map must be the image's {_write_shape(image_size)}, received "
            f"{_write_shape(field_of(fields, 'map').shape)}. Correct one of the two."
        )


def write_data_info(fields: Sequence[Field]) -> str:
    r"""Writes the text of data_info.csv: a header and a row a field, lines ending in "\n"."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for field in fields:
        row = dataclasses.asdict(field) | {"shape": _write_shape(field.shape)}
        writer.writerow(row[column] for column in COLUMNS)
    return text.getvalue()


def read_data_info(path: str | os.PathLike) -> tuple[Field, ...]:
    """Reads a data_info.csv, ours or one that was written by hand.

    A shape may be written 30x100x3, 30 100 3, [30,100,3] or (30, 100, 3), quoted or not. Spaces
    around a value and empty lines do not matter.

    Raises:
      ValueError: If the header or a row is not as `Field` and `check_fields` want it; the message
        has file and line.
      OSError: If the file is missing or cannot be read.
    """
    path = pathlib.Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")  # Spreadsheets put a byte order mark in front.
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} must be a text file in UTF-8, received bytes that are not: {error}. "
            "Write it again."
        ) from error
    try:
        header, *lines = csv.reader(text.splitlines() or [""])
    except csv.Error as error:
        raise ValueError(f"{path} must be a CSV file, received one with: {error}.") from error
    if tuple(cell.strip() for cell in header) != COLUMNS:
        raise ValueError(
            f"{path}, line 1 must be {','.join(COLUMNS)}, received {','.join(header)!r}. "
            "Write that header."
        )
    fields = []
    for number, row in enumerate(lines, start=2):
        try:
            if any(cell.strip() for cell in row):
                fields.append(_read_row([cell.strip() for cell in row]))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
    try:
        check_fields(fields)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return tuple(fields)


def _read_row(row: list[str]) -> Field:
    if len(row) < len(COLUMNS):
        raise ValueError(
            f"a row must have {len(COLUMNS)} values, {','.join(COLUMNS)}, received "
            f"{','.join(row)!r}. Add what is missing."
        )
    # An unquoted [30,100,3] is three cells, so what stands between dtype and storage is the shape.
    name, feature, dtype, *shape, storage = row
    return Field(
        name=name,
        feature=feature,
        dtype=dtype,
        shape=_read_shape(",".join(shape)),
        storage=storage,
    )


def _read_shape(text: str) -> tuple[int, ...]:
    inner = re.sub(r"^[\[(](.*)[\])]$", r"\1", text)
    sizes = [size for size in re.split(r"[\sx,]+", inner) if size]
    if not sizes or not all(re.fullmatch(r"[0-9]{1,6}", size) for size in sizes):
        raise ValueError(
            f"`shape` must be sizes such as 30x100x3, received {text!r}. Write it that way."
        )
    return tuple(map(int, sizes))


def _write_shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _fits(shape: tuple[int, ...], wanted: tuple[str, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        size >= 1 and (name.isalpha() or size == int(name))
        for size, name in zip(shape, wanted, strict=True)
    )

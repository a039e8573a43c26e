"""provenance.json: what a dataset depends on, what its records hold, and its files.

  {
    ...                       as the program that made the dataset has it: seed, style, versions
    "image":  {"name": "image_raw", "shape": [30, 100, 3], "storage": "raw"},
    "label":  {"name": "label", "alphabet": "0123456789", "length": 4, "storage": "int64_list"},
    "length": {"name": "length", "shape": [1], "storage": "int64_list"},      if labels vary in
              length; "label" then has "blank": 10 too, the class that fills them up
    "map":    {"name": "map_raw", "shape": [30, 100], "storage": "raw"},      if there is one
    "shards": {"train": [{"file": ..., "examples": ..., "bytes": ..., "sha256": ...}], "test": ...}
    "files":  {"data_info.csv": SHA-256, ...}          of each file but the shards and this one
    "seal":   SHA-256 of all above                     see records/seal.py
  }

It is the last file to be written into a dataset, so a folder without it is not one.
"""

import dataclasses
import json
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from records.errors import REMEDY
from records.layout import DATA_INFO, DATASET_INFO, FEATURES, SPLITS, Shard, shard_file
from records.schema import FIELDS, Field, has_blank
from records.seal import SEAL, check_seal, sealed

# The others are the maker's: `origin`.
_WRITERS_KEYS = (*FIELDS, "shards", "files", SEAL)


def write_provenance(
    origin: Mapping[str, Any],
    fields: Sequence[Field],
    alphabet: str,
    shards: Mapping[str, Sequence[Shard]],
    files: Mapping[str, str],
) -> str:
    """Writes the text of provenance.json.

    Args:
      origin: What only the maker of the dataset knows.
      fields: What the records hold.
      alphabet: The characters that labels are indices into.
      shards: Of each split, in order.
      files: The SHA-256 of every other file, by its path relative to the dataset.

    Raises:
      ValueError: If `origin` has one of the keys that are written here.
    """
    taken = sorted(origin.keys() & set(_WRITERS_KEYS))
    if taken:
        raise ValueError(
            f"`provenance` must leave {', '.join(_WRITERS_KEYS)} to the writer, received "
            f"{', '.join(taken)}. Choose other keys."
        )
    listed = {
        split: [dataclasses.asdict(shard) for shard in members] for split, members in shards.items()
    }
    described = describe_fields(fields, alphabet)
    return sealed({**origin, **described, "shards": listed, "files": dict(sorted(files.items()))})


def describe_fields(fields: Sequence[Field], alphabet: str) -> dict[str, Any]:
    """Says what the records hold, as provenance.json has it: an entry for each feature."""
    described: dict[str, Any] = {}
    for field in fields:
        if field.feature == "label":
            size: dict[str, Any] = {"alphabet": alphabet, "length": field.num_values}
            if has_blank(fields):
                size["blank"] = len(alphabet)
        else:
            size = {"shape": list(field.shape)}
        described[field.feature] = {"name": field.name, **size, "storage": field.storage}
    return described


def parse_provenance(text: str) -> dict[str, Any]:
    """Parses the text of a provenance.json, whole and as it was written.

    Raises:
      ValueError: If it is not JSON, does not fit its seal, is spelled otherwise than we spell it,
        or the alphabet, the shards or the files are not as we write them.
    """
    try:
        provenance = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"provenance must be JSON, received what is not: {error}. {REMEDY}"
        ) from error
    if not isinstance(provenance, dict):
        raise ValueError(
            f"provenance must be a JSON object, received {_short(provenance)}. {REMEDY}"
        )
    check_seal(text, provenance)
    label = provenance.get("label")
    check_alphabet(label.get("alphabet") if isinstance(label, dict) else None)
    shards = provenance.get("shards")
    if not isinstance(shards, dict) or sorted(shards) != sorted(SPLITS):
        raise ValueError(
            f"`shards` must list the splits {', '.join(SPLITS)}, received {_short(shards)}. "
            f"{REMEDY}"
        )
    for split, entries in shards.items():
        _check_shards(split, entries)
    _check_files(provenance.get("files"))
    return provenance


def alphabet_of(provenance: Mapping[str, Any]) -> str:
    """The characters that labels are indices into."""
    return provenance["label"]["alphabet"]


def shards_of(provenance: Mapping[str, Any], split: str) -> tuple[Shard, ...]:
    """The shards of a split, in order."""
    return tuple(Shard(**entry) for entry in provenance["shards"][split])


def files_of(provenance: Mapping[str, Any]) -> dict[str, str]:
    """The SHA-256 of each file that is neither a shard nor provenance.json, by its path."""
    return provenance["files"]


def origin_of(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """What the maker of the dataset said of it: seed, style, versions, whatever it was."""
    return {key: value for key, value in provenance.items() if key not in _WRITERS_KEYS}


def check_alphabet(alphabet: Any) -> None:
    """Checks that labels can be written in `alphabet`.

    Raises:
      ValueError: If it is not a string of 2 or more printable characters, each once.
    """
    if (
        not isinstance(alphabet, str)
        or len(alphabet) < 2
        or len(set(alphabet)) < len(alphabet)
        or not alphabet.isprintable()
        or any(char.isspace() for char in alphabet)
    ):
        raise ValueError(
            "`alphabet` must be 2 or more characters that can be seen, each once, received "
            f"{_short(alphabet)}. Write it for example 0123456789."
        )


def _check_files(files: Any) -> None:
    derived = {DATA_INFO, FEATURES, DATASET_INFO}
    if (
        not isinstance(files, dict)
        or not files.keys() >= derived
        or not all(map(_is_within, files))
        or not all(map(_is_sha256, files.values()))
    ):
        raise ValueError(
            f"`files` must have the SHA-256 of {', '.join(sorted(derived))} and of any other file "
            f"of the dataset, received {_short(files)}. {REMEDY}"
        )


def _is_within(file: str) -> bool:
    """Whether a path stays within the folder that it is relative to."""
    path = pathlib.PurePosixPath(file)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _check_shards(split: str, entries: Any) -> None:
    if not isinstance(entries, list) or not entries:
        raise ValueError(
            f"`shards.{split}` must be a list of one or more, received {_short(entries)}. {REMEDY}"
        )
    for index, entry in enumerate(entries):
        file = shard_file(split, index, len(entries))
        if not _is_shard(entry, file):
            raise ValueError(
                f"`shards.{split}[{index}]` must have the file {file}, its examples and bytes (1 "
                f"or more) and its sha256 (64 hexadecimal digits), received {_short(entry)}. "
                f"{REMEDY}"
            )


def _is_shard(entry: Any, file: str) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() == {field.name for field in dataclasses.fields(Shard)}
        and entry["file"] == file
        # Not isinstance: JSON's true is a bool and a bool is an int.
        and all(type(entry[key]) is int and entry[key] >= 1 for key in ("examples", "bytes"))
        and _is_sha256(entry["sha256"])
    )


def _is_sha256(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."

"""provenance.json: what a dataset depends on, what its records hold, and its shards.

  {
    ...                       as the program that made the dataset has it: seed, style, versions
    "image":  {"name": "image_raw", "shape": [30, 100, 3], "storage": "raw"},
    "label":  {"name": "label", "alphabet": "0123456789", "length": 4, "storage": "int64_list"},
    "map":    {"name": "map_raw", "shape": [30, 100], "storage": "raw"},      if there is one
    "shards": {"train": [{"file": ..., "examples": ..., "bytes": ..., "sha256": ...}], "test": ...}
  }

It is the last file to be written into a dataset, so a folder without it is not one.
"""

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from records.layout import SPLITS, Shard, shard_file
from records.schema import FIELDS, Field, has_blank


def write_provenance(
    origin: Mapping[str, Any],
    fields: Sequence[Field],
    alphabet: str,
    shards: Mapping[str, Sequence[Shard]],
) -> str:
    """Writes the text of provenance.json; `origin` is what only the maker of the dataset knows.

    Raises:
      ValueError: If `origin` has one of the keys that are written here.
    """
    ours = describe_fields(fields, alphabet) | {
        "shards": {
            split: [dataclasses.asdict(shard) for shard in members]
            for split, members in shards.items()
        }
    }
    taken = sorted(origin.keys() & {*FIELDS, "shards"})
    if taken:
        raise ValueError(
            f"`provenance` must leave {', '.join(FIELDS)} and shards to the writer, received "
            f"{', '.join(taken)}. Choose other keys."
        )
    return json.dumps({**origin, **ours}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


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
    """Parses the text of a provenance.json and checks what `alphabet_of` and `shards_of` read.

    Raises:
      ValueError: If it is not JSON, or the alphabet or the list of shards is not as we write it.
    """
    try:
        provenance = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"provenance must be JSON, received what is not: {error}. Generate the dataset again."
        ) from error
    if not isinstance(provenance, dict):
        raise ValueError(
            f"provenance must be a JSON object, received {_short(provenance)}. Generate the "
            "dataset again."
        )
    label = provenance.get("label")
    check_alphabet(label.get("alphabet") if isinstance(label, dict) else None)
    shards = provenance.get("shards")
    if not isinstance(shards, dict) or sorted(shards) != sorted(SPLITS):
        raise ValueError(
            f"`shards` must list the splits {', '.join(SPLITS)}, received {_short(shards)}. "
            "Generate the dataset again."
        )
    for split, entries in shards.items():
        _check_shards(split, entries)
    return provenance


def alphabet_of(provenance: Mapping[str, Any]) -> str:
    """The characters that labels are indices into."""
    return provenance["label"]["alphabet"]


def shards_of(provenance: Mapping[str, Any], split: str) -> tuple[Shard, ...]:
    """The shards of a split, in order."""
    return tuple(Shard(**entry) for entry in provenance["shards"][split])


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


def _check_shards(split: str, entries: Any) -> None:
    if not isinstance(entries, list) or not entries:
        raise ValueError(
            f"`shards.{split}` must be a list of one or more, received {_short(entries)}. "
            "Generate the dataset again."
        )
    for index, entry in enumerate(entries):
        file = shard_file(split, index, len(entries))
        if not _is_shard(entry, file):
            raise ValueError(
                f"`shards.{split}[{index}]` must have the file {file}, its examples and bytes (1 "
                f"or more) and its sha256 (64 hexadecimal digits), received {_short(entry)}. "
                "Generate the dataset again."
            )


def _is_shard(entry: Any, file: str) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() == {field.name for field in dataclasses.fields(Shard)}
        and entry["file"] == file
        # Not isinstance: JSON's true is a bool and a bool is an int.
        and all(type(entry[key]) is int and entry[key] >= 1 for key in ("examples", "bytes"))
        and isinstance(entry["sha256"], str)
        and re.fullmatch("[0-9a-f]{64}", entry["sha256"]) is not None
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."

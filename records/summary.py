"""What a dataset says of itself, a line a fact."""

from collections.abc import Iterator, Mapping
from typing import Any

from records.description import DatasetDescription
from records.layout import SPLITS
from records.provenance import origin_of


def summary(description: DatasetDescription) -> str:
    """Lists content, splits and origin: names, values in one column, lines ending in newlines.

    Nothing but data_info.csv and provenance.json is read, so this is no check of the shards.
    """
    facts = dict(_facts(description))
    width = max(map(len, facts))
    return "".join(f"{name:<{width}}  {value}\n" for name, value in facts.items())


def split_summary(description: DatasetDescription, split: str) -> str:
    """Says for example "5000 examples in 4 shards, 45.2 MB"."""
    shards = description.shards(split)
    num_megabytes = sum(shard.bytes for shard in shards) / 1e6
    return (
        f"{description.num_examples(split)} examples in {len(shards)} "
        f"shard{'s' * (len(shards) > 1)}, {num_megabytes:.1f} MB"
    )


def _facts(description: DatasetDescription) -> Iterator[tuple[str, str]]:
    yield "dataset", str(description.dataset_dir)
    for split in SPLITS:
        yield split, split_summary(description, split)
    yield "alphabet", description.alphabet
    if description.has_blank:
        blank, longest = len(description.alphabet), description.num_positions
        yield "blank", f"class {blank}, fills labels up to {longest} positions"
    for field in description.fields:
        size = " x ".join(map(str, field.shape))
        yield field.feature, f"{size} {field.dtype}, stored as {field.storage} in {field.name}"
    yield from _flattened(origin_of(description.provenance))


def _flattened(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield prefix + name, ", ".join(map(_in_short, value)) or "-"
        else:
            yield prefix + name, str(value)


def _in_short(value: Any) -> str:
    """An item of a list; of a table such as {"file": ..., "sha256": ...} its values."""
    return " ".join(map(str, value.values())) if isinstance(value, Mapping) else str(value)

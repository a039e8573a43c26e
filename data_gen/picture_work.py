"""What is done with every picture of an import, on all cores, with its progress shown."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from data_gen.label_source import LabelledFile
from data_gen.parallel import ordered_map
from data_gen.picture_files import Picture, inspect, pixels_at, resized_pictures
from data_gen.rejection import Rejected
from records.dataset_writer import DatasetWriter
from records.example_proto import encode_example
from records.labels import write_label
from records.layout import SPLITS
from records.progress import Progress
from records.schema import Field

_BLOCK = 100  # Files a task.
_WORTH_A_PROCESS = 500  # Files are decoded in less time than it takes to start a worker.


def inspect_all(
    files: list[LabelledFile], num_workers: int
) -> tuple[list[Picture], list[Rejected]]:
    """The pictures among `files`, and why the others are none."""
    pictures: list[Picture] = []
    rejected: list[Rejected] = []
    with Progress(len(files), "files", "check") as progress:
        for found, unusable in _map_blocks(inspect, _blocks(files), len(files), num_workers):
            pictures.extend(found)
            rejected.extend(unusable)
            progress.update(len(found) + len(unusable))
    return pictures, rejected


def with_final_hashes(
    pictures: list[Picture], size: tuple[int, int], resize: str, num_workers: int
) -> list[Picture]:
    """The pictures with hashes of what the dataset will have of them: some will be resized."""
    others = [picture for picture in pictures if picture.size != size]
    if not others:
        return pictures
    final: dict[str, Picture] = {}
    with Progress(len(others), "pictures", "resize") as progress:
        tasks = (_Resize(block, size, resize) for block in _blocks(others))
        for block in _map_blocks(_resize_block, tasks, len(others), num_workers):
            final.update((picture.name, picture) for picture in block)
            progress.update(len(block))
    return [final.get(picture.name, picture) for picture in pictures]


class Encoding(NamedTuple):
    """How pictures become records."""

    fields: tuple[Field, ...]
    alphabet: str
    size: tuple[int, int]
    resize: str


def write_splits(
    writer: DatasetWriter, splits: dict[str, list[Picture]], encoding: Encoding, num_workers: int
) -> None:
    """Writes the records of both splits.

    Raises:
      ValueError: If a picture has changed.
      OSError: If writing fails or a worker dies.
    """
    num_pictures = sum(map(len, splits.values()))
    blocks = itertools.chain.from_iterable(_blocks(splits[name]) for name in SPLITS)
    tasks = (_Encode(block, encoding) for block in blocks)
    # One map for both splits: starting workers takes longer than a small split.
    encoded = _map_blocks(_encode_block, tasks, num_pictures, num_workers)
    with Progress(num_pictures, "pictures", "write") as progress:
        for name in SPLITS:
            with writer.split(name, num_examples=len(splits[name])) as sink:
                for records in itertools.islice(encoded, -(-len(splits[name]) // _BLOCK)):
                    sink.add(records)
                    progress.update(len(records))


class _Resize(NamedTuple):
    pictures: list[Picture]
    size: tuple[int, int]
    resize: str


def _resize_block(task: _Resize) -> list[Picture]:
    return resized_pictures(*task)


class _Encode(NamedTuple):
    pictures: list[Picture]
    encoding: Encoding


def _encode_block(task: _Encode) -> list[bytes]:
    fields, alphabet, size, resize = task.encoding
    return [
        encode_example(
            fields,
            {
                "image": pixels_at(picture, size, resize),
                **write_label(fields, picture.label, alphabet),
            },
        )
        for picture in task.pictures
    ]


def _map_blocks(
    function: Callable[[Any], Any], tasks: Iterable[Any], num_files: int, num_workers: int
) -> Iterator[Any]:
    return ordered_map(function, tasks, min(num_workers, max(1, num_files // _WORTH_A_PROCESS)))


def _blocks(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while block := list(itertools.islice(iterator, _BLOCK)):
        yield block

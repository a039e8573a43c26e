"""Makes a dataset of people's own labelled pictures, and says which were left out and why."""

import collections
import csv
import dataclasses
import itertools
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from absl import logging

from data_gen.label_source import DEFAULT_LABEL_PATTERN, LabelledFile, labelled_files
from data_gen.parallel import num_cores, ordered_map
from data_gen.picture_files import RESIZES, Picture, Problems, inspect, pixels_at
from data_gen.picture_selection import Common, Wanted, select, split
from data_gen.preview import write_preview
from records.dataset_writer import DatasetWriter, check_out_dir
from records.example_proto import encode_example
from records.progress import Progress
from records.schema import Field, captcha_fields

_BLOCK = 100  # Files a task.
_SHOWN_REJECTIONS = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImportConfig:
    """Which pictures to import, and as what.

    Raises:
      ValueError: If a number is out of range or `resize` is unknown.
    """

    source: pathlib.Path
    out_dir: pathlib.Path
    label_pattern: str = DEFAULT_LABEL_PATTERN
    num_test: int | None = None  # None: a tenth of the accepted pictures.
    seed: int = 0  # Of the split.
    width_px: int | None = None  # None, here and below: found from the pictures, see `Wanted`.
    height_px: int | None = None
    num_positions: int | None = None
    alphabet: str | None = None
    resize: str = "error"  # Of pictures of another size: error (reject), stretch or pad (white).
    encoding: str = "raw"
    overwrite: bool = False
    num_workers: int = dataclasses.field(default_factory=num_cores)

    def __post_init__(self):
        if self.resize not in RESIZES:
            raise ValueError(
                f"`resize` must be one of {', '.join(RESIZES)}, received {self.resize!r}. "
                "Choose one."
            )
        for name, value in (
            ("n_test", self.num_test),
            ("width", self.width_px),
            ("height", self.height_px),
            ("length", self.num_positions),
            ("workers", self.num_workers),
        ):
            if value is not None and value < 1:
                raise ValueError(
                    f"`{name}` must be at least 1, received {value}. Raise --{name}, or leave it "
                    "out to have it found."
                )


def import_images(config: ImportConfig) -> None:
    """Writes the pictures of `config.source` as a dataset under `config.out_dir`.

    Pictures that cannot be used are logged and listed in the dataset's rejected.csv, a row of
    `file,reason` each. Identical pictures lie in the same split; labelled differently, all of them
    are rejected.

    Raises:
      ValueError: If `out_dir` exists without `overwrite`, or too few pictures can be used.
      OSError: If writing fails. What was under `out_dir` stays as it was.
    """
    check_out_dir(config.out_dir, overwrite=config.overwrite)  # Before all pictures are decoded.
    files = labelled_files(config.source, config.label_pattern)
    pictures, undecodable = _inspect_all(files, config.num_workers)
    accepted, common, unfit = select(
        pictures,
        Wanted(
            width_px=config.width_px,
            height_px=config.height_px,
            num_positions=config.num_positions,
            alphabet=config.alphabet,
            any_size=config.resize != "error",
        ),
    )
    rejected = {**undecodable, **unfit}
    if len({picture.pixel_hash for picture in accepted}) < 2:
        raise ValueError(_too_few(config, len(accepted), rejected))
    train, test = split(accepted, config.num_test, config.seed)
    fields = captcha_fields(
        height_px=common.size[1],
        width_px=common.size[0],
        num_positions=common.num_positions,
        encoding=config.encoding,
    )
    with DatasetWriter(
        config.out_dir, fields=fields, alphabet=common.alphabet, overwrite=config.overwrite
    ) as writer:
        for name, members in (("train", train), ("test", test)):
            with (
                writer.split(name, num_examples=len(members)) as sink,
                Progress(len(members), "pictures", name) as progress,
            ):
                tasks = (_Task(fields, common, config.resize, block) for block in _blocks(members))
                for records in ordered_map(_encode_block, tasks, config.num_workers):
                    sink.add(records)
                    progress.update(len(records))
        write_preview(
            ((pixels_at(picture, common.size, config.resize), picture.label) for picture in train),
            writer.path / "preview.png",
        )
        _write_rejected(rejected, writer.path / "rejected.csv")
        writer.finish(_provenance(config, rejected))
    _log_report(len(train), len(test), rejected, config.out_dir)


def _inspect_all(files: list[LabelledFile], num_workers: int) -> tuple[list[Picture], Problems]:
    pictures: list[Picture] = []
    problems: Problems = {}
    with Progress(len(files), "files", "check") as progress:
        for found, block_problems in ordered_map(inspect, _blocks(files), num_workers):
            pictures.extend(found)
            problems.update(block_problems)
            progress.update(len(found) + len(block_problems))
    return pictures, problems


def _blocks(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while block := list(itertools.islice(iterator, _BLOCK)):
        yield block


class _Task(NamedTuple):
    fields: tuple[Field, ...]
    common: Common
    resize: str
    pictures: list[Picture]


def _encode_block(task: _Task) -> list[bytes]:
    """Serialised examples. Runs in a worker process."""
    return [
        encode_example(
            task.fields,
            {
                "image": pixels_at(picture, task.common.size, task.resize),
                "label": np.array([task.common.alphabet.index(char) for char in picture.label]),
            },
        )
        for picture in task.pictures
    ]


def _write_rejected(rejected: Problems, path: pathlib.Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "reason"])
        rows.writerows((str(name), reason) for name, reason in sorted(rejected.items()))


def _provenance(config: ImportConfig, rejected: Problems) -> dict[str, Any]:
    return {
        "generator": "data_gen --from_images",
        "source": str(config.source),
        "label_pattern": config.label_pattern,
        "resize": config.resize,
        "seed": config.seed,
        "num_rejected": len(rejected),
    }


def _log_report(num_train: int, num_test: int, rejected: Problems, out_dir: pathlib.Path) -> None:
    for path, reason in sorted(rejected.items())[:_SHOWN_REJECTIONS]:
        logging.warning("rejected | %s | %s", path, reason)
    if len(rejected) > _SHOWN_REJECTIONS:
        logging.warning("rejected | and %d more", len(rejected) - _SHOWN_REJECTIONS)
    logging.info(
        "import | %d train | %d test | %d rejected, each in %s",
        num_train,
        num_test,
        len(rejected),
        out_dir / "rejected.csv",
    )


def _too_few(config: ImportConfig, num_accepted: int, rejected: Problems) -> str:
    reasons = collections.Counter(rejected.values()).most_common(1)
    most = f", {reasons[0][1]} of them because: {reasons[0][0]}" if reasons else ""
    return (
        f"an import must have 2 different pictures at least, received {num_accepted} that can be "
        f"used of {str(config.source)!r}, {len(rejected)} rejected{most}. Correct the files, "
        "--label_pattern, --length, --alphabet or --resize."
    )

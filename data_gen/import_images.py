"""Makes a dataset of people's own labelled pictures, and says which were left out and why."""

import collections
import csv
import dataclasses
import hashlib
import itertools
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from absl import logging
from PIL import Image

from data_gen.label_source import DEFAULT_LABEL_PATTERN, LabelledFile, labelled_files
from data_gen.parallel import num_cores, ordered_map
from records.contact_sheet import contact_sheet
from records.dataset_writer import DatasetWriter
from records.example_proto import encode_example
from records.image_decoding import ImageError, decode_image_file
from records.progress import Progress
from records.schema import Field, captcha_fields

RESIZES = ("error", "stretch", "pad")
_DIGITS = "0123456789"
_BLOCK = 100  # Files a task.
_PREVIEW_EXAMPLES = 40
_SHOWN_REJECTIONS = 20
_SPLIT_ID = 3  # Of this module's one random draw, next to those in `data_gen.example`.


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
    width_px: int | None = None  # None: the most frequent size.
    height_px: int | None = None
    num_positions: int | None = None  # None: the most frequent length of a label.
    alphabet: str | None = None  # None: 0-9 if all labels are digits, else what the labels have.
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


class _Picture(NamedTuple):
    path: pathlib.Path
    label: str
    size: tuple[int, int]  # Width, height in pixels.
    pixel_hash: str  # Of the size and the RGB pixels, so that equal pictures are found.


def import_images(config: ImportConfig) -> None:
    """Writes the pictures of `config.source` as a dataset under `config.out_dir`.

    Pictures that cannot be used are logged and listed in the dataset's rejected.csv, a row of
    `file,reason` each. Identical pictures lie in the same split; with different labels all of them are rejected.

    Raises:
      ValueError: If `out_dir` exists without `overwrite`, or too few pictures can be used.
      OSError: If writing fails. What was under `out_dir` stays as it was.
    """
    files = labelled_files(config.source, config.label_pattern)
    rejected = {file.path: file.problem for file in files if file.problem}
    pictures = []
    candidates = [file for file in files if not file.problem]
    with Progress(len(candidates), "pictures", "check") as progress:
        for found, block in _inspect_all(candidates, config.num_workers):
            pictures.extend(found)
            rejected.update(block)
            progress.update(len(found) + len(block))
    pictures, description = _select(config, pictures, rejected)
    splits = _split(config, pictures)
    with DatasetWriter(
        config.out_dir,
        fields=description.fields,
        alphabet=description.alphabet,
        overwrite=config.overwrite,
    ) as writer:
        for split, members in splits.items():
            with (
                writer.split(split, num_examples=len(members)) as sink,
                Progress(len(members), "pictures", split) as progress,
            ):
                tasks = (_Task(description, config.resize, block) for block in _blocks(members))
                for records in ordered_map(_encode_block, tasks, config.num_workers):
                    sink.add(records)
                    progress.update(len(records))
        _write_preview(splits["train"], description, config, writer.path / "preview.png")
        _write_rejected(config.source, rejected, writer.path / "rejected.csv")
        writer.finish(_provenance(config, rejected))
    _log_report(splits, rejected, config.out_dir)


class _Description(NamedTuple):
    """What the accepted pictures have in common."""

    size: tuple[int, int]
    alphabet: str
    fields: tuple[Field, ...]


def _select(
    config: ImportConfig, pictures: list[_Picture], rejected: dict[pathlib.Path, str]
) -> tuple[list[_Picture], _Description]:
    """The pictures that fit together; adds the others to `rejected`."""
    pictures = _without_conflicts(pictures, rejected)
    if not pictures:
        raise ValueError(_too_few(config, 0, rejected))
    length = config.num_positions or _most_frequent(len(picture.label) for picture in pictures)
    size = _target_size(config, pictures)
    accepted = []
    for picture in pictures:
        outside = [char for char in picture.label if char not in (config.alphabet or picture.label)]
        if len(picture.label) != length:
            rejected[picture.path] = f"label {picture.label!r} is not {length} characters long"
        elif outside:
            rejected[picture.path] = (
                f"label {picture.label!r} has {outside[0]!r}, not in --alphabet"
            )
        elif picture.size != size and config.resize == "error":
            rejected[picture.path] = (
                f"it is {picture.size[0]} x {picture.size[1]} px, not {size[0]} x {size[1]}; "
                "--resize=stretch or pad takes it"
            )
        else:
            accepted.append(picture)
    if len({picture.pixel_hash for picture in accepted}) < 2:
        raise ValueError(_too_few(config, len(accepted), rejected))
    characters = set().union(*(picture.label for picture in accepted))
    alphabet = config.alphabet or (
        _DIGITS if characters <= set(_DIGITS) else "".join(sorted(characters))
    )
    fields = captcha_fields(
        height_px=size[1], width_px=size[0], num_positions=length, encoding=config.encoding
    )
    return accepted, _Description(size, alphabet, fields)


def _without_conflicts(
    pictures: list[_Picture], rejected: dict[pathlib.Path, str]
) -> list[_Picture]:
    first: dict[str, _Picture] = {}
    conflicting: dict[str, str] = {}
    for picture in pictures:
        twin = first.setdefault(picture.pixel_hash, picture)
        if twin.label != picture.label:
            conflicting[picture.pixel_hash] = (
                f"the same picture is labelled {twin.label!r} in {twin.path.name} and "
                f"{picture.label!r} in {picture.path.name}"
            )
    for picture in pictures:
        if picture.pixel_hash in conflicting:
            rejected[picture.path] = conflicting[picture.pixel_hash]
    return [picture for picture in pictures if picture.pixel_hash not in conflicting]


def _target_size(config: ImportConfig, pictures: list[_Picture]) -> tuple[int, int]:
    width, height = _most_frequent(picture.size for picture in pictures)
    return config.width_px or width, config.height_px or height


def _split(config: ImportConfig, pictures: list[_Picture]) -> dict[str, list[_Picture]]:
    """Train and test, drawn by seed; identical pictures stay together."""
    num_test = config.num_test or max(1, len(pictures) // 10)
    counts = collections.Counter(picture.pixel_hash for picture in pictures)
    hashes = sorted(counts)
    order = np.random.default_rng((config.seed, _SPLIT_ID, 0)).permutation(len(hashes))
    test_hashes: set[str] = set()
    num_chosen = 0
    for position in order:
        if num_chosen >= num_test:
            break
        test_hashes.add(hashes[position])
        num_chosen += counts[hashes[position]]
    splits = {
        "train": [picture for picture in pictures if picture.pixel_hash not in test_hashes],
        "test": [picture for picture in pictures if picture.pixel_hash in test_hashes],
    }
    if not splits["train"]:
        raise ValueError(
            f"`n_test` must leave pictures to train on, received {num_test} of {len(pictures)}. "
            "Lower --n_test."
        )
    return splits


def _blocks(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while block := list(itertools.islice(iterator, _BLOCK)):
        yield block


def _inspect_all(
    files: list[LabelledFile], num_workers: int
) -> Iterator[tuple[list[_Picture], dict[pathlib.Path, str]]]:
    yield from ordered_map(_inspect_block, _blocks(files), num_workers)


def _inspect_block(files: list[LabelledFile]) -> tuple[list[_Picture], dict[pathlib.Path, str]]:
    """Pictures that can be decoded, and why the others cannot. Runs in a worker process."""
    pictures, problems = [], {}
    for path, label, _ in files:
        try:
            image = decode_image_file(path)
        except ImageError as error:
            problems[path] = str(error)
            continue
        pixel_hash = hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()
        pictures.append(_Picture(path, label, image.size, pixel_hash))
    return pictures, problems


class _Task(NamedTuple):
    description: _Description
    resize: str
    pictures: list[_Picture]


def _encode_block(task: _Task) -> list[bytes]:
    """Serialised examples. Runs in a worker process."""
    return [
        encode_example(
            task.description.fields,
            {
                "image": _pixels(picture, task.description.size, task.resize),
                "label": np.array([task.description.alphabet.index(c) for c in picture.label]),
            },
        )
        for picture in task.pictures
    ]


def _pixels(picture: _Picture, size: tuple[int, int], resize: str) -> np.ndarray:
    """uint8 `[H, W, 3]` at the dataset's size."""
    image = decode_image_file(picture.path)
    if image.size == size:
        return np.asarray(image)
    if resize == "stretch":
        return np.asarray(image.resize(size, Image.Resampling.BILINEAR))
    scale = min(size[0] / image.width, size[1] / image.height)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    canvas = Image.new("RGB", size, "white")
    corner = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2)
    canvas.paste(image.resize(inner, Image.Resampling.BILINEAR), corner)
    return np.asarray(canvas)


def _write_preview(
    pictures: list[_Picture], description: _Description, config: ImportConfig, path: pathlib.Path
) -> None:
    shown = pictures[:_PREVIEW_EXAMPLES]
    images = [_pixels(picture, description.size, config.resize) for picture in shown]
    contact_sheet(np.stack(images), [picture.label for picture in shown], scale=2).save(path)


def _write_rejected(
    source: pathlib.Path, rejected: dict[pathlib.Path, str], path: pathlib.Path
) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "reason"])
        rows.writerows((str(name), reason) for name, reason in sorted(rejected.items()))


def _provenance(config: ImportConfig, rejected: dict[pathlib.Path, str]) -> dict[str, Any]:
    return {
        "generator": "data_gen --from_images",
        "source": str(config.source),
        "label_pattern": config.label_pattern,
        "resize": config.resize,
        "seed": config.seed,
        "rejected": len(rejected),
    }


def _log_report(
    splits: dict[str, list[_Picture]], rejected: dict[pathlib.Path, str], out_dir: pathlib.Path
) -> None:
    for path, reason in sorted(rejected.items())[:_SHOWN_REJECTIONS]:
        logging.warning("rejected | %s | %s", path, reason)
    if len(rejected) > _SHOWN_REJECTIONS:
        logging.warning("rejected | ... | %d more lines", len(rejected) - _SHOWN_REJECTIONS)
    logging.info(
        "import | %d train, %d test | %d rejected, see %s",
        len(splits["train"]),
        len(splits["test"]),
        len(rejected),
        out_dir / "rejected.csv",
    )


def _most_frequent(values: Iterable[Any]) -> Any:
    """The most frequent value; of several, the smallest, whatever the order of the files."""
    counts = collections.Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))


def _too_few(config: ImportConfig, num_accepted: int, rejected: dict[pathlib.Path, str]) -> str:
    reasons = collections.Counter(rejected.values()).most_common(1)
    most = f" ({reasons[0][1]} times: {reasons[0][0]})" if reasons else ""
    return (
        f"an import must have 2 different pictures at least, received {num_accepted} that can be "
        f"used of {str(config.source)!r}, {len(rejected)} rejected{most}. Correct the files, "
        "--label_pattern, --length, --alphabet or --resize."
    )

"""Writes a dataset of rendered captchas, on all cores, the same bytes for any number of them."""

import dataclasses
import importlib.metadata
import pathlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import PIL.features

from data_gen.example import SPLIT_IDS, make_example
from data_gen.parallel import num_cores, ordered_map
from data_gen.preview import write_preview
from data_gen.style import Style
from records.dataset_writer import DatasetWriter
from records.example_proto import encode_example
from records.progress import Progress
from records.schema import Field, captcha_fields

_BLOCK = 200  # Examples a task: 0.2 s of work, 2 MB of result.

_MAX_EXAMPLES = 10**9
_MAX_WORKERS = 1024


@dataclasses.dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """What to write and where.

    Raises:
      ValueError: If a number is out of range.
    """

    style: Style
    num_train: int
    num_test: int
    out_dir: pathlib.Path
    seed: int = 0
    encoding: str = "raw"  # Of the pictures: raw, png or jpeg.
    with_map: bool = False  # Also write which pixels belong to which character.
    overwrite: bool = False
    num_workers: int = dataclasses.field(default_factory=num_cores)

    def __post_init__(self):
        for name, value, low, high in (
            ("n", self.num_train, 1, _MAX_EXAMPLES),
            ("n_test", self.num_test, 1, _MAX_EXAMPLES),
            ("seed", self.seed, 0, 2**63 - 1),
            ("workers", self.num_workers, 1, _MAX_WORKERS),
        ):
            if not low <= value <= high:
                raise ValueError(
                    f"`{name}` must be in [{low}, {high}], received {value}. "
                    f"Set --{name} in that range."
                )

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of a record."""
        return captcha_fields(
            height_px=self.style.height_px,
            width_px=self.style.width_px,
            num_positions=self.style.num_positions,
            encoding=self.encoding,
            with_map=self.with_map,
        )


def generate(config: GenerateConfig) -> None:
    """Renders the train and test split and writes them as one dataset under `config.out_dir`.

    Example `index` of a split depends on (seed, split, index) alone, so any number of workers
    writes the same files. Memory does not grow with the number of examples.

    Raises:
      ValueError: If `out_dir` exists and `overwrite` is not set.
      OSError: If the disk is full, or a worker dies. What was under `out_dir` stays as it was.
    """
    with DatasetWriter(
        config.out_dir,
        fields=config.fields,
        alphabet=config.style.alphabet,
        overwrite=config.overwrite,
    ) as writer:
        for split, num_examples in (("train", config.num_train), ("test", config.num_test)):
            with (
                writer.split(split, num_examples=num_examples) as sink,
                Progress(num_examples, "captchas", split) as progress,
            ):
                tasks = _tasks(config, split, num_examples)
                for records in ordered_map(_render_block, tasks, config.num_workers):
                    sink.add(records)
                    progress.update(len(records))
        drawn = (
            make_example(config.style, config.seed, "train", index)
            for index in range(config.num_train)
        )
        write_preview(
            ((example.image, example.label) for example in drawn), writer.path / "preview.png"
        )
        writer.finish(_provenance(config))


class _Task(NamedTuple):
    style: Style
    fields: tuple[Field, ...]
    seed: int
    split: str
    indices: range
    with_map: bool


def _tasks(config: GenerateConfig, split: str, num_examples: int) -> Iterator[_Task]:
    for start in range(0, num_examples, _BLOCK):
        indices = range(start, min(start + _BLOCK, num_examples))
        yield _Task(config.style, config.fields, config.seed, split, indices, config.with_map)


def _render_block(task: _Task) -> list[bytes]:
    """Serialised examples, in the order of `task.indices`. Runs in a worker process."""
    records = []
    for index in task.indices:
        example = make_example(task.style, task.seed, task.split, index, task.with_map)
        values = {"image": example.image, "label": example.digits}
        if task.with_map:
            values["map"] = example.character_map
        records.append(encode_example(task.fields, values))
    return records


def _provenance(config: GenerateConfig) -> dict[str, Any]:
    """All that the pictures depend on. No times, no host: equal runs write equal files."""
    return {
        "generator": "data_gen",
        "seed": config.seed,
        "split_ids": SPLIT_IDS,
        "style": {
            **dataclasses.asdict(config.style),
            "font_paths": [pathlib.Path(path).name for path in config.style.fonts],
            "font_sizes_px": list(config.style.font_sizes_px),
        },
        "versions": {
            **{name: importlib.metadata.version(name) for name in ("captcha", "numpy", "pillow")},
            "freetype": PIL.features.version("freetype2"),
        },
    }

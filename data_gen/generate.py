"""Writes a dataset of rendered captchas, on all cores, the same bytes for any number of them."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from data_gen.example import make_example
from data_gen.origin import origin
from data_gen.parallel import ordered_map, report_progress
from data_gen.preview import write_preview
from data_gen.render import RENDERERS, check_can_draw, warm_up
from data_gen.style import Style
from records.cores import num_cores
from records.dataset_writer import DatasetWriter
from records.example_proto import encode_example
from records.layout import SPLITS, Shard
from records.progress import Progress
from records.schema import Field, captcha_fields
from records.shard_writer import PlannedShard, write_shard
from records.tfrecord import frame

_MAX_EXAMPLES = 10**9
_MAX_WORKERS = 1024
_WORTH_A_PROCESS = 500  # Examples are drawn in less time than it takes to start a worker.
_REPORT_EVERY = 100  # Examples.


@dataclasses.dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """What to write and where.

    Raises:
      ValueError: If a number is out of range, or the renderer cannot draw the style.
    """

    style: Style
    num_train: int
    num_test: int
    out_dir: pathlib.Path
    seed: int = 0
    encoding: str = "raw"  # Of the pictures: raw, png or jpeg.
    with_map: bool = False  # Also write which pixels belong to which character.
    renderer: str = RENDERERS[0]
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
        check_can_draw(self.style, self.renderer)

    @property
    def num_examples(self) -> dict[str, int]:
        """Of each split."""
        return dict(zip(SPLITS, (self.num_train, self.num_test), strict=True))

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of a record."""
        return captcha_fields(
            height_px=self.style.height_px,
            width_px=self.style.width_px,
            num_positions=self.style.max_length,
            encoding=self.encoding,
            with_map=self.with_map,
            variable_length=self.style.variable_length,
        )


class ShardTask(NamedTuple):
    """One shard to draw: all that a worker anywhere must know."""

    config: GenerateConfig
    split: str
    planned: PlannedShard


# Writes all of some tasks' shards under `DatasetWriter.url` and says what is in them, in any order.
Draw = Callable[[Sequence[ShardTask], DatasetWriter], Iterable[Shard]]


def generate(config: GenerateConfig, draw: Draw | None = None) -> None:
    """Renders the train and test split and writes them as one dataset under `config.out_dir`.

    Example `index` of a split depends on (seed, split, index) alone, and the cut into shards on
    their number and size, so any number of workers writes the same files, wherever they run. Each
    writes whole shards; memory does not grow with the number of examples.

    Args:
      config: What to write and where.
      draw: Who draws the shards. By default `config.num_workers` processes of this machine.

    Raises:
      ValueError: If `out_dir` exists and `overwrite` is not set.
      OSError: If the disk is full, or a worker dies. What was under `out_dir` stays as it was.
    """
    warm_up(config.style, config.renderer)  # Before workers start: they load what it compiled.
    with DatasetWriter(
        config.out_dir,
        fields=config.fields,
        alphabet=config.style.alphabet,
        overwrite=config.overwrite,
    ) as writer:
        tasks = plan_tasks(config, writer)
        split_of = {task.planned.file: task.split for task in tasks}
        shards = list((draw or _draw_here)(tasks, writer))
        for split in SPLITS:
            writer.add_shards(split, [shard for shard in shards if split_of[shard.file] == split])
        write_first_examples(config, writer.path / "preview.png")
        writer.finish(origin(config))


def plan_tasks(config: GenerateConfig, writer: DatasetWriter) -> list[ShardTask]:
    """The shards of both splits, train first."""
    return [
        ShardTask(config, split, planned)
        for split, num_examples in config.num_examples.items()
        for planned in writer.plan(
            split, num_examples=num_examples, bytes_per_example=_bytes_of_first(config, split)
        )
    ]


def records_of(task: ShardTask) -> Iterator[bytes]:
    """Draws the examples of a shard, one after the other, and serialises them."""
    config = task.config
    fields = config.fields
    for index in task.planned.examples:
        yield _record(config, fields, task.split, index)


def write_first_examples(config: GenerateConfig, path: pathlib.Path) -> None:
    """Writes a contact sheet of the first examples of the training split."""
    drawn = (
        make_example(config.style, config.seed, "train", index, renderer=config.renderer)
        for index in range(config.num_train)
    )
    write_preview(((example.image, example.label) for example in drawn), path)


def _draw_here(tasks: Sequence[ShardTask], writer: DatasetWriter) -> list[Shard]:
    config = tasks[0].config
    total = sum(config.num_examples.values())
    num_workers = 1 if total <= _WORTH_A_PROCESS else min(config.num_workers, len(tasks))
    folder_tasks = [(writer.path, task) for task in tasks]
    with Progress(total, "captchas", "draw") as progress:
        return list(
            ordered_map(_write_locally, folder_tasks, num_workers, on_progress=progress.update)
        )


def _write_locally(folder_and_task: tuple[pathlib.Path, ShardTask]) -> Shard:
    """Runs in a worker process."""
    folder, task = folder_and_task
    file = (folder / task.planned.file).open("xb")
    return write_shard(file, task.planned.file, _reported(records_of(task)))


def _reported(records: Iterator[bytes]) -> Iterator[bytes]:
    num_unreported = 0
    for record in records:
        yield record
        num_unreported += 1
        if num_unreported == _REPORT_EVERY:
            report_progress(num_unreported)
            num_unreported = 0
    report_progress(num_unreported)


def _record(config: GenerateConfig, fields: tuple[Field, ...], split: str, index: int) -> bytes:
    example = make_example(
        config.style,
        config.seed,
        split,
        index,
        with_map=config.with_map,
        renderer=config.renderer,
    )
    values = {"image": example.image, "label": example.digits}
    if config.style.variable_length:
        values["length"] = np.array([len(example.label)])
    if config.with_map:
        values["map"] = example.character_map
    return encode_example(fields, values)


def _bytes_of_first(config: GenerateConfig, split: str) -> int:
    return len(frame(_record(config, config.fields, split, 0)))

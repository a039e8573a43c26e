"""Hard example mining in a stream that never ends: what a trained network is not sure of, is kept.

Late in a training nearly all captchas are read rightly and with certainty, and teach nothing.
`--candidates` looks for the others while it trains, and trains on each once; here they are looked
for before, with the fastest form of the network, and training can go over them several times. They
are chosen without their labels, as candidates are, so that what is learnt of a picture stays what
the picture says.

Shrivastava et al., https://arxiv.org/abs/1604.03540, who choose by loss.
"""

import dataclasses
import functools
import pathlib

import numpy as np

import tensorflow_start
from data_gen.example import make_example
from data_gen.hard_list import HardList, load_hard_list, save_hard_list, style_fields
from data_gen.live import LiveData, parse_live
from data_gen.parallel import ordered_map, report_progress
from data_gen.render import warm_up
from export.open_reader import open_reader
from export.picture_reader import PictureReader
from records.cores import num_cores
from records.progress import Progress

_BATCH = 256
_BLOCK = 16 * _BATCH  # Captchas that a worker looks at before it asks for more.
_SAVE_EVERY = 128 * _BLOCK  # Captchas: a minute or so.


@dataclasses.dataclass(frozen=True, kw_only=True)
class MiningConfig:
    """What to look for, and where.

    Raises:
      ValueError: If a number is out of range or the data is not live.
    """

    saved_model: str
    data_dir: str
    n: int
    out: str
    max_confidence: float = 0.95
    every: int = 100
    num_workers: int = dataclasses.field(default_factory=num_cores)

    def __post_init__(self):
        for name, value, low in (
            ("n", self.n, 1),
            ("every", self.every, 0),
            ("workers", self.num_workers, 1),
        ):
            if value < low:
                raise ValueError(
                    f"`{name}` must be at least {low}, received {value}. Raise --{name}."
                )
        if not 0 < self.max_confidence <= 1:
            raise ValueError(
                f"`max_confidence` must be in (0, 1], received {self.max_confidence}. Try 0.95."
            )
        if not self.data_dir.startswith("live:") or "only=" in self.data_dir:
            raise ValueError(
                f"`data_dir` must be a whole live stream, received {self.data_dir!r}. Write "
                "live:default?seed=1; of a dataset's few captchas --candidates chooses."
            )


def mine(config: MiningConfig) -> HardList:
    """Reads captchas 0 to `n` - 1 and lists those of less confidence, and each `every`-th one.

    The list is written now and then, and when it is stopped; with an equal config it goes on where
    the file ends. It depends on neither the number of workers nor where it was stopped.

    Raises:
      ValueError: If `saved_model` cannot be used or reads other captchas, or `out` is a file that
        was made otherwise.
    """
    data = parse_live(config.data_dir)
    hard = _begun(config, data)
    first = saved = hard.end
    if first >= config.n:
        return hard
    numbers = [np.array(hard.numbers, np.int64)]

    def listed(end: int) -> HardList:
        return dataclasses.replace(hard, end=end, numbers=tuple(np.concatenate(numbers).tolist()))

    tasks = [
        _Task(
            data,
            hard.chosen_by["saved_model"],
            config.max_confidence,
            begin,
            min(begin + _BLOCK, config.n),
        )
        for begin in range(first, config.n, _BLOCK)
    ]
    end = first
    try:
        with Progress(config.n - first, "captchas", "mining") as progress:
            unsure = ordered_map(_unsure, tasks, config.num_workers, on_progress=progress.update)
            for task, block in zip(tasks, unsure, strict=True):
                numbers.append(_with_each(block, task, config.every))
                end = task.end
                if end - saved >= _SAVE_EVERY:
                    save_hard_list(listed(end), config.out)
                    saved = end
    finally:
        if end > saved:
            save_hard_list(listed(end), config.out)
    return listed(end)


@dataclasses.dataclass(frozen=True)
class _Task:
    """A block of captchas to look at."""

    data: LiveData
    saved_model: str
    max_confidence: float
    begin: int
    end: int


def _unsure(task: _Task) -> np.ndarray:
    """The numbers of those that are read with less confidence; int64 `[M]`, rising."""
    warm_up(task.data.style, "fast")
    reader = _reader(task.saved_model)
    found = []
    for begin in range(task.begin, task.end, _BATCH):
        numbers = np.arange(begin, min(begin + _BATCH, task.end))
        images = [
            make_example(task.data.style, task.data.seed, "train", int(number)).image
            for number in numbers
        ]
        readings = reader.read_images(np.stack(images))
        found.append(numbers[readings.confidences < task.max_confidence])
        report_progress(len(numbers))
    return np.concatenate(found)


def _with_each(unsure: np.ndarray, task: _Task, every: int) -> np.ndarray:
    """Those and each `every`-th number of the block."""
    if not every:
        return unsure
    return np.union1d(unsure, np.arange(-(-task.begin // every) * every, task.end, every))


@functools.lru_cache(maxsize=1)
def _reader(saved_model: str) -> PictureReader:
    """Once a process, of which there is one a core."""
    return open_reader(saved_model, tensorflow_start.import_without_keras, num_threads=1)


def _begun(config: MiningConfig, data: LiveData) -> HardList:
    """The list so far, or an empty one.

    Raises:
      ValueError: If what reads does not read this data, or the list was made otherwise.
    """
    reader = open_reader(config.saved_model, tensorflow_start.import_without_keras)
    readings = reader.read_images(np.zeros((1, *reader.image_shape), np.uint8))
    reads = (reader.image_shape, *readings.probabilities.shape[1:])
    drawn = (data.image_shape, data.num_positions, len(data.alphabet) + data.has_blank)
    if reads != drawn:
        raise ValueError(
            f"`data_dir` must be what {config.saved_model} reads (shape, positions, classes) "
            f"{reads}, received {config.data_dir!r} with {drawn}. Give the other one."
        )
    chosen_by = {
        "saved_model": str(reader.path),
        "max_confidence": config.max_confidence,
        "every": config.every,
    }
    fresh = HardList(
        style=style_fields(data.style), seed=data.seed, chosen_by=chosen_by, end=0, numbers=()
    )
    if not pathlib.Path(config.out).exists():
        return fresh
    begun = load_hard_list(config.out)
    if dataclasses.replace(begun, end=0, numbers=()) != fresh:
        raise ValueError(
            f"`out` must be a new file, or one to go on with, made with equal flags, received "
            f"{config.out}, of seed {begun.seed} by {begun.chosen_by}. Name another --out."
        )
    return begun

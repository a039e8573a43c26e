"""Hard example mining in a stream that never ends: what a trained network is not sure of, is kept.

Late in a training nearly all captchas are read rightly and with certainty, and teach nothing. To
look at one costs a fifth of training on it. `--candidates` looks while it trains and trains on each
chosen one once; here they are looked for before, so that training can go over them several times,
at the pace of training alone. They are chosen without their labels, as candidates are, so that what
is learnt of a picture stays what the picture says.

Shrivastava et al., https://arxiv.org/abs/1604.03540, who choose by loss.
"""

import dataclasses
import pathlib

import numpy as np

from data_gen.hard_list import HardList, load_hard_list, save_hard_list, style_fields
from data_gen.live import LiveData, parse_live
from data_gen.live_input import live_input_fn
from model.captcha_estimator import load_estimator
from model.precision import dtype_policy
from records.progress import Progress

_BATCH = 1024
_SAVE_EVERY = 512 * _BATCH  # Captchas: a minute or so.


@dataclasses.dataclass(frozen=True, kw_only=True)
class MiningConfig:
    """What to look for, and where.

    Raises:
      ValueError: If a number is out of range or the data is not live.
    """

    model_dir: str
    data_dir: str
    n: int
    out: str
    max_confidence: float = 0.95
    every: int = 100

    def __post_init__(self):
        if self.n < 1:
            raise ValueError(f"`n` must be at least 1, received {self.n}. Try --n=1000000.")
        if not 0 < self.max_confidence <= 1:
            raise ValueError(
                f"`max_confidence` must be in (0, 1], received {self.max_confidence}. Try 0.95."
            )
        if self.every < 0:
            raise ValueError(
                f"`every` must be 0 or more, received {self.every}. Use 0 for none but those that "
                "are not sure."
            )
        if not self.data_dir.startswith("live:") or "only=" in self.data_dir:
            raise ValueError(
                f"`data_dir` must be a whole live stream, received {self.data_dir!r}. Write "
                "live:default?seed=1; of a dataset's few captchas --candidates chooses."
            )


def mine(config: MiningConfig) -> HardList:
    """Reads captchas 0 to `n` - 1 and lists those of less confidence, and each `every`-th one.

    The list is written now and then, and when it is stopped; with an equal config it goes on where
    the file ends.

    Raises:
      ValueError: If nothing was trained in `model_dir`, or for other captchas, or `out` is a file
        that was made otherwise.
    """
    data = parse_live(config.data_dir)
    estimator, description = load_estimator(config.model_dir, dtype_policy("auto"))
    reads = (description.image_shape, description.alphabet, description.num_positions)
    drawn = (data.image_shape, data.alphabet, data.num_positions)
    if reads != drawn:
        raise ValueError(
            f"`data_dir` must be what {config.model_dir} reads (shape, alphabet, length) {reads}, "
            f"received {config.data_dir!r} with {drawn}. Give the other one."
        )
    hard = _begun(config, data)
    if hard.end >= config.n:
        return hard
    saved, numbers, end = hard.end, [np.array(hard.numbers, np.int64)], hard.end

    def listed() -> HardList:
        return dataclasses.replace(hard, end=end, numbers=tuple(np.concatenate(numbers).tolist()))

    input_fn = live_input_fn(data, "train", _BATCH, config.n, first=hard.end)
    try:
        with Progress(config.n - hard.end, "captchas", "mining") as progress:
            for batch in estimator.predict(
                input_fn, ["probabilities"], yield_single_examples=False
            ):
                probabilities = batch["probabilities"]
                numbers.append(end + _chosen(probabilities, end, config))
                end += len(probabilities)
                progress.update(len(probabilities))
                if end - saved >= _SAVE_EVERY:
                    save_hard_list(listed(), config.out)
                    saved = end
    finally:
        save_hard_list(listed(), config.out)
    return listed()


def _chosen(probabilities: np.ndarray, first: int, config: MiningConfig) -> np.ndarray:
    """Which of a batch `[N, L, K]`, whose first is captcha number `first`; int64 `[M]`."""
    confidence = probabilities.max(axis=-1).prod(axis=-1)
    chosen = confidence < config.max_confidence
    if config.every:
        chosen |= (first + np.arange(len(chosen))) % config.every == 0
    return np.flatnonzero(chosen)


def _begun(config: MiningConfig, data: LiveData) -> HardList:
    """The list so far, or an empty one."""
    chosen_by = {name: getattr(config, name) for name in ("model_dir", "max_confidence", "every")}
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

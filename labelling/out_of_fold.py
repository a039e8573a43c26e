"""What networks say of pictures whose labels they were not trained on."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tqdm
from absl import logging

from labelling.fold_network import FoldNetwork

# Seeds are (seed, stream, repeat, fold, attempt).
_FOLDS_STREAM, _ORDER_STREAM, _START_STREAM = 0, 1, 2

# A network that reads less than this of what is labelled with some character at some place has
# given that character up: see `_gives_up`.
_LEAST_READ = 0.5
_FEWEST_LABELS = 10  # Of a character at a place, to tell.
_MOST_CHECKED = 5000  # Pictures; more would take longer and tell no more.
_MOST_ATTEMPTS = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoldPlan:
    """How many networks see what."""

    num_folds: int = 4  # Each network is trained on all but one.
    num_repeats: int = 2  # With other folds: a picture is read by so many networks.
    seed: int = 0

    @property
    def num_networks(self) -> int:
        """All that are trained, if each learns at its first attempt."""
        return self.num_folds * self.num_repeats


def read_out_of_fold(
    network: FoldNetwork,
    pixels: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    plan: FoldPlan,
    start: Callable[[int], Sequence[np.ndarray]],
    on_step: Callable[[], None],
) -> np.ndarray:
    """Trains `plan.num_networks` one after the other; each reads the fold that it did not see.

    Args:
      network: Trains and reads.
      pixels: uint8 `[N, H, W, 3]`; may be a file.
      labels: int64 `[N, L]`, class indices.
      groups: int `[N]`; pictures of one group lie in the same fold, as identical ones must.
      plan: The folds.
      start: A seed to the weights that a network starts from.
      on_step: Called after each step of training, of the first attempts only.

    Returns:
      float32 `[R, N, L, K]`, log-probabilities, R being `plan.num_repeats`.
    """
    everyone = np.arange(len(labels))
    repeats = []
    for repeat in range(plan.num_repeats):
        folds = assign_folds(groups, plan.num_folds, (plan.seed, _FOLDS_STREAM, repeat, 0, 0))
        parts = {}
        for fold in range(plan.num_folds):
            unseen, seen = everyone[folds == fold], everyone[folds != fold]
            seeds = _Seeds(plan.seed, repeat, fold)
            _train(network, pixels, labels, seen, start, seeds, on_step)
            parts[fold] = unseen, network.log_probabilities(pixels, unseen)
            read = (parts[fold][1].argmax(axis=-1) == labels[unseen]).all(axis=1).mean()
            _log(
                "audit | network %d of %d | trained on %d, reads %d others: %.1f %% as labelled",
                repeat * plan.num_folds + fold + 1,
                plan.num_networks,
                len(seen),
                len(unseen),
                100 * read,
            )
        order = np.concatenate([unseen for unseen, _ in parts.values()])
        found = np.concatenate([probabilities for _, probabilities in parts.values()])
        repeats.append(found[np.argsort(order)])
    return np.stack(repeats)


def assign_folds(groups: np.ndarray, num_folds: int, seed: tuple[int, ...]) -> np.ndarray:
    """The fold of each example, int `[N]` in [0, num_folds); whole groups, in equal numbers."""
    _, group_of = np.unique(groups, return_inverse=True)
    num_groups = int(group_of.max()) + 1
    order = np.random.default_rng(seed).permutation(num_groups)
    return order[group_of] % num_folds


class _Seeds(NamedTuple):
    """Of one network."""

    seed: int
    repeat: int
    fold: int

    def of(self, stream: int, attempt: int) -> tuple[int, ...]:
        return (self.seed, stream, self.repeat, self.fold, attempt)


def _train(
    network: FoldNetwork,
    pixels: np.ndarray,
    labels: np.ndarray,
    seen: np.ndarray,
    start: Callable[[int], Sequence[np.ndarray]],
    seeds: _Seeds,
    on_step: Callable[[], None],
) -> None:
    """Trains, and again from another start if the network has given a character up."""
    for attempt in range(_MOST_ATTEMPTS):
        generator = np.random.default_rng(seeds.of(_START_STREAM, attempt))
        network.train(
            pixels,
            labels,
            seen,
            start(int(generator.integers(2**31))),
            seeds.of(_ORDER_STREAM, attempt),
            on_step if attempt == 0 else _nothing,
        )
        checked = seen[:: -(-len(seen) // _MOST_CHECKED)]
        read = network.log_probabilities(pixels, checked).argmax(axis=-1)
        if not _gives_up(read, labels[checked]):
            return
        _log("audit | a network has given up on a character and is trained anew")


def _gives_up(read: np.ndarray, labels: np.ndarray) -> bool:
    """Whether a network fails at nearly all that is labelled alike, in what it was trained on.

    The loss lets labels be that contradict all the others. Begun from fresh weights, once in a
    while it takes a whole character at one place for wrongly labelled, and reads another one there.
    """
    for place in range(labels.shape[1]):
        for character in np.unique(labels[:, place]):
            alike = labels[:, place] == character
            hits = read[alike, place] == character
            if len(hits) >= _FEWEST_LABELS and hits.mean() < _LEAST_READ:
                return True
    return False


def _nothing() -> None:
    pass


def _log(line: str, *values) -> None:
    """Logs a line, above the bar if there is one."""
    with tqdm.tqdm.external_write_mode():
        logging.info(line, *values)

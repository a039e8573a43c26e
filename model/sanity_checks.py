"""Why a network cannot even learn a few examples by heart: the usual causes, each a check.

A check looks at the data, or at an attempt to learn it, and returns what it sees in one line with
what to do, or None. The tables are in the order in which causes are to be believed: what is wrong
with the data explains a bad attempt, and dead units explain a gradient that reaches no layer.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from model.dead_units import MOST_DEAD

# Of the loss of guessing. A sigmoid before the softmax holds the loss above 0.45 of that, though
# all characters may be right.
_LOW_LOSS = 0.4
_FEW_STEPS = 80
_MOST_NAMES = 4  # In one line.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Examples:
    """What is to be learnt by heart."""

    images: np.ndarray  # [N, H, W, C].
    labels: np.ndarray  # int [N, L], class indices.
    num_classes: int

    @property
    def chance(self) -> float:
        """The loss of guessing, ln K."""
        return math.log(self.num_classes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attempt:
    """What an attempt to learn N examples by heart showed."""

    examples: Examples
    learning_rate: float
    losses: np.ndarray  # float [steps], each before the update of its step.
    digits: np.ndarray  # int [N, L], as trained in the last step.
    inferred_digits: np.ndarray  # The same as an evaluation would have it.
    first_logits: np.ndarray  # [L * N, K], before the first step and after the last one.
    last_logits: np.ndarray
    gradient_norms: Mapping[str, float]  # Of the first step, by variable; 0 where there is none.
    first_dead: Mapping[str, float]  # Shares of dead units by layer, before and after.
    last_dead: Mapping[str, float]

    @property
    def chance(self) -> float:
        """The loss of guessing, ln K."""
        return self.examples.chance

    @property
    def position_accuracy(self) -> np.ndarray:
        """Float `[L]`: the share of right characters at each position."""
        return np.mean(self.digits == self.examples.labels, axis=0)


def is_learnt(examples: Examples, loss: float, digits: np.ndarray) -> bool:
    """Whether all `digits` are right, and the loss is as low as it has to be then."""
    return loss < _LOW_LOSS * examples.chance and bool((digits == examples.labels).all())


def needs_more_steps(losses: Sequence[float]) -> bool:
    """Whether so few steps are no verdict: our networks need 15 to 60, and more if it falls."""
    return len(losses) < _FEW_STEPS or still_falls(losses)


def still_falls(losses: Sequence[float]) -> bool:
    """Whether the mean of the last quarter is 2 % or more below that of the quarter before."""
    quarter = len(losses) // 4
    if quarter == 0:
        return False
    before, last = losses[-2 * quarter : -quarter], losses[-quarter:]
    return bool(np.mean(last) < 0.98 * np.mean(before))


def _labels_out_of_range(examples: Examples) -> str | None:
    wrong = (examples.labels < 0) | (examples.labels >= examples.num_classes)
    if not wrong.any():
        return None
    return (
        f"labels must be classes in [0, {examples.num_classes}), received "
        f"{examples.labels[wrong][0]}: the alphabet of --data_dir is not that of its records"
    )


def _pictures_constant(examples: Examples) -> str | None:
    flat = examples.images.reshape(len(examples.images), -1)
    num_constant = int(np.sum(flat.min(axis=1) == flat.max(axis=1)))
    if num_constant < len(flat) / 2:
        return None
    return (
        f"{num_constant} of {len(flat)} pictures have one colour only: look at what --data_dir "
        "holds, python records show"
    )


def _pictures_equal(examples: Examples) -> str | None:
    if len(examples.images) == 1 or (examples.images != examples.images[:1]).any():
        return None
    return f"all {len(examples.images)} pictures are equal: look at what --data_dir holds"


def _equal_pictures_differ_in_label(examples: Examples) -> str | None:
    labels_of: dict[bytes, set] = {}
    for image, label in zip(examples.images, examples.labels, strict=True):
        labels_of.setdefault(image.tobytes(), set()).add(tuple(label.tolist()))
    several = [sorted(labels) for labels in labels_of.values() if len(labels) > 1]
    if not several:
        return None
    return (
        f"{len(several)} pictures have several labels each, one {several[0][0]} and "
        f"{several[0][1]}: pictures and labels of --data_dir were joined wrongly"
    )


def _one_class_only(examples: Examples) -> str | None:
    if len(examples.labels) == 1 or (examples.labels != examples.labels[:1]).any():
        return None
    return (
        f"all {len(examples.labels)} labels are {examples.labels[0].tolist()}, so there is nothing "
        "to tell apart: look at what --data_dir holds"
    )


def _starts_far_from_chance(attempt: Attempt) -> str | None:
    # Fresh networks of ours start within 5 % of ln K, and with heads as Keras has them at up to 2.5
    # times that; raw pixels in place of standardised ones give 15 times and more.
    first = float(attempt.losses[0])
    if not math.isfinite(first) or first <= 5 * attempt.chance:
        return None
    return (
        f"the loss starts at {first:.3g}, far from {attempt.chance:.3f} which guessing gives: "
        "initial weights are too large, or pixels that are not standardised are"
    )


def _not_finite(attempt: Attempt) -> str | None:
    finite = np.isfinite(attempt.losses)
    if finite.all():
        return None
    step = int(np.argmin(finite))
    if step == 0:
        return (
            f"the loss is {attempt.losses[0]} before the first step: initial weights or pictures "
            "are not finite"
        )
    return (
        f"the loss is {attempt.losses[step]} after {step} steps, from {attempt.losses[0]:.3f}: the "
        f"learning rate, {attempt.learning_rate:g}, is too high; lower --learning_rate"
    )


def _no_gradient(attempt: Attempt) -> str | None:
    without = [name for name, norm in attempt.gradient_norms.items() if norm == 0]
    if not without:
        return None
    return (
        f"in the first step no gradient reaches {_listed(without)}: initial weights are zero, or "
        "something between these layers and the loss lets none through"
    )


def _logits_through_an_activation(attempt: Attempt) -> str | None:
    logits = np.concatenate([attempt.first_logits, attempt.last_logits])
    low, high = float(logits.min()), float(logits.max())
    if low == high or low < -1:
        return None
    if low >= 0:
        # A sigmoid comes near 0 and is not: a ReLU gives exact zeros.
        what = "a sigmoid or a softmax" if low > 0 and high <= 1 else "a ReLU"
    elif high <= 1 and max(-low, high) > 0.9:
        what = "a tanh"
    else:
        return None
    return (
        f"all logits lie in [{low:.3g}, {high:.3g}]: {what} stands before the loss, which wants "
        "them raw; take the activation away from the last layer"
    )


def _dead_units(attempt: Attempt) -> str | None:
    dead = {name: share for name, share in attempt.last_dead.items() if share > MOST_DEAD}
    if not dead:
        return None
    listed = _listed([f"{name} ({share:.0%})" for name, share in dead.items()])
    if any(attempt.first_dead[name] > MOST_DEAD for name in dead):
        return f"units are dead from the beginning, in {listed}: initial weights are at fault"
    return (
        f"units have died, in {listed}: the learning rate, {attempt.learning_rate:g}, is too high; "
        "lower --learning_rate"
    )


def _learning_rate_too_high(attempt: Attempt) -> str | None:
    first, last = attempt.losses[0], np.mean(attempt.losses[-10:])
    highest = np.max(attempt.losses)
    rises = len(attempt.losses) > 10 and (last > 1.05 * first or highest > 2 * first)
    # Adam moves each weight by about the rate a step, so that this one outdoes any weight.
    is_high = attempt.learning_rate > 0.005 and not still_falls(attempt.losses)
    if not (rises or is_high):
        return None
    return (
        f"the loss goes from {first:.3f} over {highest:.3f} to {last:.3f}: the learning rate, "
        f"{attempt.learning_rate:g}, is too high; lower --learning_rate"
    )


def _labels_in_another_order(attempt: Attempt) -> str | None:
    loss, right = attempt.losses[-1], float(np.mean(attempt.position_accuracy))
    if loss > 0.3 * attempt.chance or right > 0.6:
        return None
    return (
        f"the loss falls to {loss:.3f}, and only {right:.0%} of characters are right: the loss "
        "takes labels in another order than the logits (model/logit_order.py)"
    )


def _position_at_chance(attempt: Attempt) -> str | None:
    accuracy = attempt.position_accuracy
    at_chance = [
        position
        for position, right in enumerate(accuracy)
        if right < _at_most_by_chance(attempt.examples.labels[:, position])
    ]
    if not at_chance or np.max(accuracy) < 0.8:
        return None
    listed = _listed([f"{position} ({accuracy[position]:.0%})" for position in at_chance])
    return (
        f"characters at position {listed} stay at chance while others are learnt: their labels are "
        "out of order, or belong to other logits"
    )


def _inference_differs(attempt: Attempt) -> str | None:
    if not (attempt.digits == attempt.examples.labels).all():
        return None
    right = float(np.mean(attempt.inferred_digits == attempt.examples.labels))
    return (
        f"all characters are right while it trains, and {right:.0%} in an evaluation: a layer does "
        "something else there, as dropout and batch normalisation do"
    )


def _learning_rate_too_low(attempt: Attempt) -> str | None:
    # Below 1e-5 a loss can fall so slowly that it seems to stand.
    if attempt.learning_rate >= (1e-4 if still_falls(attempt.losses) else 1e-5):
        return None
    return (
        f"the loss falls slowly, from {attempt.losses[0]:.3f} to {attempt.losses[-1]:.3f} in "
        f"{len(attempt.losses)} steps: the learning rate, {attempt.learning_rate:g}, is too low; "
        "raise --learning_rate"
    )


def _too_little_time(attempt: Attempt) -> str | None:
    if not needs_more_steps(attempt.losses):
        return None
    return (
        f"the loss went from {attempt.losses[0]:.3f} to {attempt.losses[-1]:.3f} in "
        f"{len(attempt.losses)} steps, and the time was over: no mistake was seen; a smaller "
        "network, --net=small, takes less of it"
    )


DATA_CHECKS: Mapping[str, Callable[[Examples], str | None]] = {
    "labels_out_of_range": _labels_out_of_range,
    "pictures_constant": _pictures_constant,
    "pictures_equal": _pictures_equal,
    "equal_pictures_differ_in_label": _equal_pictures_differ_in_label,
    "one_class_only": _one_class_only,
}

ATTEMPT_CHECKS: Mapping[str, Callable[[Attempt], str | None]] = {
    "starts_far_from_chance": _starts_far_from_chance,
    "not_finite": _not_finite,
    "dead_units": _dead_units,
    "no_gradient": _no_gradient,
    "logits_through_an_activation": _logits_through_an_activation,
    "learning_rate_too_high": _learning_rate_too_high,
    "labels_in_another_order": _labels_in_another_order,
    "position_at_chance": _position_at_chance,
    "inference_differs": _inference_differs,
    "learning_rate_too_low": _learning_rate_too_low,
    "too_little_time": _too_little_time,
}


def _at_most_by_chance(labels: np.ndarray) -> float:
    """What guessing the commonest of `labels` gets right, and three deviations more."""
    share = np.max(np.bincount(labels)) / len(labels)
    return share + 3 * math.sqrt(share * (1 - share) / len(labels))


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")

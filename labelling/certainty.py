"""How certain it is that a label is wrong, from what networks say that never saw it.

Each character of a label is taken to be either what the picture shows, and then the network's
probabilities tell how likely it is, or a slip, and then it may be anything. Two numbers are fitted
to all labels together, by maximum likelihood: how often labels slip, and by how much the network's
trust in itself must be toned down (a temperature) for its disagreements with the labels to be as
rare as it says. Nothing is known of which labels are wrong. With both, Bayes' rule gives how
certain it is that a label has a slip in it.
"""

from typing import NamedTuple

import numpy as np

_TEMPERATURES = np.geomspace(1, 50, 40)
_ROUNDS = 100  # Of expectation and maximisation; the rate of slips is still after some 20.
_FIRST_SLIP_RATE = 0.01
# A network that is never wrong, and labels that never are, would make either impossible.
_LEAST_SLIP_RATE = 1e-6


class Findings(NamedTuple):
    """What N labels are found to be."""

    classes: np.ndarray  # int64 [N, L], what the networks read.
    certainty: np.ndarray  # float64 [N], in [0, 1], that the label is wrong.
    slip_rate: float  # Of characters.
    temperature: float


def find_slips(log_probabilities: np.ndarray, labels: np.ndarray) -> Findings:
    """Compares labels with what was read.

    Args:
      log_probabilities: float32 `[R, N, L, K]`, of R networks for each picture; their
        probabilities are averaged, so that one that holds a label for likely counts for it.
      labels: int64 `[N, L]`, class indices.
    """
    mean = np.logaddexp.reduce(log_probabilities.astype(np.float64), axis=0)
    mean -= np.log(len(log_probabilities))  # [N, L, K]
    fits = [_fit(mean, labels, temperature) for temperature in _TEMPERATURES]
    best = max(fits, key=lambda fit: fit.log_likelihood)
    return Findings(
        classes=mean.argmax(axis=-1),
        certainty=1 - np.prod(1 - best.slips, axis=1),
        slip_rate=best.slip_rate,
        temperature=best.temperature,
    )


class _Fit(NamedTuple):
    temperature: float
    slip_rate: float
    slips: np.ndarray  # float64 [N, L], the probability of each character to be one.
    log_likelihood: float


def _fit(mean: np.ndarray, labels: np.ndarray, temperature: float) -> _Fit:
    """The most likely rate of slips at this temperature, by expectation and maximisation."""
    num_classes = mean.shape[-1]
    scaled = mean / temperature
    scaled -= np.logaddexp.reduce(scaled, axis=-1, keepdims=True)
    shown = np.exp(np.take_along_axis(scaled, labels[..., None], axis=-1)[..., 0])  # [N, L]
    rate = _FIRST_SLIP_RATE
    for _ in range(_ROUNDS):
        likelihood = (1 - rate) * shown + rate / num_classes
        slips = rate / num_classes / likelihood
        rate = max(slips.mean(), _LEAST_SLIP_RATE)
    return _Fit(temperature, float(rate), slips, float(np.log(likelihood).sum()))

"""What a network reads in pictures, whatever file it was loaded from."""

import dataclasses
from collections.abc import Iterator

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """What the network reads in one picture: L positions, K classes, see `export.signatures`."""

    text: str  # Of L characters; of fewer where the network found blanks.
    digits: np.ndarray  # int64 [L], class indices.
    probabilities: np.ndarray  # float32 [L, K]
    confidence: float  # In [0, 1], that the whole text is right.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Readings:
    """What the network reads in N pictures; iterating gives each `Reading`."""

    texts: list[str]
    digits: np.ndarray  # int64 [N, L]
    probabilities: np.ndarray  # float32 [N, L, K]
    confidences: np.ndarray  # float32 [N]

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[Reading]:
        for text, digits, probabilities, confidence in zip(
            self.texts, self.digits, self.probabilities, self.confidences, strict=True
        ):
            yield Reading(
                text=text,
                digits=digits,
                probabilities=probabilities,
                confidence=float(confidence),
            )

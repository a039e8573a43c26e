"""What an audit is asked to do."""

import dataclasses
import os
import pathlib

from labelling.sheet import MOST_SHOWN

STARTS = ("auto", "model", "fresh")  # See labelling/safe_start.py.


@dataclasses.dataclass(frozen=True, kw_only=True)
class AuditConfig:
    """What to audit with what.

    Raises:
      ValueError: If a value is out of range.
    """

    dataset_dir: str
    saved_model: str
    out: str | None = None  # The folder to write; None: DATASET_audit.
    start: str = "auto"  # Weights of the networks: the exported ones, fresh ones, or as is safe.
    min_certainty: float = 0.5  # Of a suspect: wrong is likelier than right.
    num_shown: int = 200  # On the contact sheet.
    seed: int = 0
    num_folds: int = 4
    num_repeats: int = 2

    def __post_init__(self):
        if self.start not in STARTS:
            raise ValueError(
                f"`--start` must be one of {', '.join(STARTS)}, received {self.start!r}. "
                "Choose one."
            )
        if not 0 < self.min_certainty < 1:
            raise ValueError(
                f"`--min_certainty` must be in (0, 1), received {self.min_certainty}. With 0.5, "
                "what is listed is more likely wrong than right."
            )
        if not 1 <= self.num_shown <= MOST_SHOWN:
            raise ValueError(
                f"`--n` must be in [1, {MOST_SHOWN}], received {self.num_shown}. It is how many "
                "suspects the contact sheet has; the list has all."
            )
        if not 0 <= self.seed < 2**31:
            raise ValueError(
                f"`--seed` must be in [0, 2**31), received {self.seed}. Choose another."
            )

    @property
    def out_dir(self) -> pathlib.Path:
        """The folder to write."""
        name = pathlib.Path(os.path.abspath(self.dataset_dir)).name
        return pathlib.Path(self.out or f"{name}_audit")

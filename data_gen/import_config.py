"""Which pictures of people's own make a dataset, and how."""

import dataclasses
import pathlib

from data_gen.label_source import DEFAULT_LABEL_PATTERN, LABEL_CASES
from data_gen.picture_files import RESIZES
from data_gen.picture_selection import Wanted
from records.cores import num_cores
from records.provenance import check_alphabet


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImportConfig:
    """Which pictures to import, and as what.

    Raises:
      ValueError: If a number is out of range, `resize` or `label_case` unknown, or no label can be
        written in the alphabet.
    """

    source: pathlib.Path
    out_dir: pathlib.Path
    label_pattern: str = DEFAULT_LABEL_PATTERN
    label_case: str = "keep"  # Of letters: keep, lower or upper.
    num_test: int | None = None  # None: a tenth of the accepted pictures.
    seed: int = 0  # Of the split.
    width_px: int | None = None  # None, here and below: found from the pictures, see `Wanted`.
    height_px: int | None = None
    lengths: tuple[int, int] | None = None  # Fewest and most characters of a label.
    alphabet: str | None = None
    resize: str = "error"  # Of pictures of another size: error (reject), stretch or pad (white).
    encoding: str = "raw"
    overwrite: bool = False
    num_workers: int = dataclasses.field(default_factory=num_cores)

    def __post_init__(self):
        for name, value, choices in (
            ("resize", self.resize, RESIZES),
            ("label_case", self.label_case, LABEL_CASES),
        ):
            if value not in choices:
                raise ValueError(
                    f"`{name}` must be one of {', '.join(choices)}, received {value!r}. Choose one."
                )
        fewest, most = self.lengths or (None, None)
        for name, value, low in (
            ("n_test", self.num_test, 1),
            ("seed", self.seed, 0),
            ("width", self.width_px, 1),
            ("height", self.height_px, 1),
            ("length", fewest, 1),
            ("length", most, fewest),
            ("workers", self.num_workers, 1),
        ):
            if value is not None and value < low:
                raise ValueError(
                    f"`{name}` must be at least {low}, received {value}. Raise --{name}, or leave "
                    "it out to have it found."
                )
        if self.alphabet is not None:
            check_alphabet(self.alphabet)

    @property
    def wanted(self) -> Wanted:
        """What pictures must be."""
        return Wanted(
            width_px=self.width_px,
            height_px=self.height_px,
            lengths=self.lengths,
            alphabet=self.alphabet,
            any_size=self.resize != "error",
        )

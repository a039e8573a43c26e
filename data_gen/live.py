"""Captchas drawn while a network trains: `live:STYLE?seed=0` in place of a dataset's folder.

    live:default                     a preset
    live:my_style.toml?seed=7        a style file; another seed, other captchas
    live:wide?seed=1&n_test=20000    more captchas to test on

Training pictures never repeat: example i of split "train" of that seed, i = 0, 1, 2, ... The test
set are the first `n_test` examples of split "test", the same in every evaluation.
"""

import dataclasses
import hashlib
import json
import pathlib
import urllib.parse

from data_gen.generate import GenerateConfig
from data_gen.origin import GENERATOR
from data_gen.style import Style
from data_gen.style_file import load_style

_SCHEME = "live:"
_OPTIONS = {"seed": "seed", "n_test": "num_test"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class LiveData:
    """What a `DatasetDescription` says of a dataset, of captchas that are yet to be drawn."""

    style: Style
    seed: int = 0
    num_test: int = 5000

    def __post_init__(self):
        # The same ranges as for a dataset, and the same words.
        GenerateConfig(
            style=self.style,
            num_train=1,
            num_test=self.num_test,
            seed=self.seed,
            out_dir=pathlib.Path(),  # Nothing is written.
        )

    @property
    def generator(self) -> str:
        """What draws."""
        return GENERATOR

    @property
    def identity(self) -> str:
        """Equal for equal captchas to train on."""
        drawn = {"style": dataclasses.asdict(self.style), "seed": self.seed}
        return hashlib.sha256(json.dumps(drawn, sort_keys=True).encode()).hexdigest()

    @property
    def alphabet(self) -> str:
        """The characters; labels are indices into it."""
        return self.style.alphabet

    @property
    def num_positions(self) -> int:
        """Characters of a label, at most."""
        return self.style.max_length

    @property
    def has_blank(self) -> bool:
        """Whether labels are filled up with a blank class."""
        return self.style.variable_length

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height and width in pixels, and 3."""
        return (self.style.height_px, self.style.width_px, 3)

    def num_examples(self, split: str) -> int | None:
        """Of the test set; None for training, which never ends."""
        return self.num_test if split == "test" else None


def parse_live(data_dir: str) -> LiveData:
    """Reads `live:STYLE?seed=0&n_test=5000`.

    Raises:
      ValueError: If the style is unknown, an option is, or its value is no whole number.
    """
    name, _, query = data_dir.removeprefix(_SCHEME).partition("?")
    values = {}
    for option, text in urllib.parse.parse_qsl(query, keep_blank_values=True):
        field = _OPTIONS.get(option)
        if field is None or field in values or not text.isdecimal():
            raise ValueError(
                f"options of live data must be {' and '.join(_OPTIONS)}, whole numbers, each once, "
                f"received {option}={text} in {data_dir!r}. Write live:default?seed=0&n_test=5000."
            )
        values[field] = int(text)
    return LiveData(style=load_style(name), **values)

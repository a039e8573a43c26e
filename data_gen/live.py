"""Captchas drawn while a network trains: `live:STYLE?seed=0` in place of a dataset's folder.

    live:default                     a preset
    live:my_style.toml?seed=7        a style file; another seed, other captchas
    live:wide?seed=1&n_test=20000    more captchas to test on
    live:default?seed=1&only=a.json  those of a list by `python mining`; a.json,b.json: of both

Training pictures never repeat: example i of split "train" of that seed, i = 0, 1, 2, ...; those of
a list come again, in another order each pass. The test set are the first `n_test` examples of split
"test", the same in every evaluation.
"""

import dataclasses
import hashlib
import json
import pathlib
import urllib.parse

from data_gen.generate import GenerateConfig
from data_gen.hard_list import load_hard_list
from data_gen.origin import GENERATOR
from data_gen.style import Style
from data_gen.style_file import load_style

_SCHEME = "live:"
_OPTIONS = {"seed": "seed", "n_test": "num_test", "only": "only"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class LiveData:
    """What a `DatasetDescription` says of a dataset, of captchas that are yet to be drawn."""

    style: Style
    seed: int = 0
    num_test: int = 5000
    only: tuple[int, ...] = ()  # Numbers of the captchas to train on, rising; none: all there are.

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
        if self.only:
            drawn["only"] = self.only
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
        """Of the test set, or of the list; None for training on new ones, which never ends."""
        return self.num_test if split == "test" else len(self.only) or None


def parse_live(data_dir: str) -> LiveData:
    """Reads `live:STYLE?seed=0&n_test=5000&only=runs/hard.json`.

    Raises:
      OSError: If a list is missing.
      ValueError: If the style is unknown, an option is, or its value is no whole number, or a list
        is of other captchas.
    """
    name, _, query = data_dir.removeprefix(_SCHEME).partition("?")
    values = {}
    for option, text in urllib.parse.parse_qsl(query, keep_blank_values=True):
        field = _OPTIONS.get(option)
        if field is None or field in values or not (text.isdecimal() or field == "only"):
            raise ValueError(
                "options of live data must be seed and n_test, whole numbers, and only, a list of "
                f"`python mining`, each once, received {option}={text} in {data_dir!r}. Write "
                "live:default?seed=0&n_test=5000."
            )
        values[field] = int(text) if field != "only" else text
    lists = values.pop("only", None)
    data = LiveData(style=load_style(name), **values)
    return data if lists is None else dataclasses.replace(data, only=_numbers(data, lists))


def _numbers(data: LiveData, lists: str) -> tuple[int, ...]:
    """What the files of `lists`, with commas between them, have together."""
    numbers = set()
    for path in lists.split(","):
        hard = load_hard_list(path)
        if not hard.is_of(data.style, data.seed):
            raise ValueError(
                f"`only` must list captchas of this style and seed {data.seed}, drawn by "
                f"{data.generator}, received {path}, of seed {hard.seed}, drawn by "
                f"{hard.generator}. Give its own seed and style, or list them anew."
            )
        numbers.update(hard.numbers)
    if not numbers:
        raise ValueError(f"`only` must list captchas, received none in {lists}. Look at more.")
    return tuple(sorted(numbers))

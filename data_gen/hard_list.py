"""A list of captchas worth training on more than others, by their numbers in a live stream.

What `python mining` writes and `live:STYLE?only=FILE` reads: the numbers alone, as each captcha can
be drawn again from its number.
"""

import dataclasses
import itertools
import json
import os
import pathlib
from typing import Any

from data_gen.origin import GENERATOR
from data_gen.style import Style


@dataclasses.dataclass(frozen=True, kw_only=True)
class HardList:
    """Numbers of training captchas of one style and seed.

    Raises:
      ValueError: If the numbers do not rise from 0 on or reach `end`.
    """

    style: dict[str, Any]  # Fields of `Style`.
    seed: int
    generator: str = GENERATOR
    chosen_by: dict[str, Any]  # By what rule; only shown, and compared to go on with the list.
    end: int  # So many captchas have been looked at: number 0 to `end` - 1.
    numbers: tuple[int, ...]

    def __post_init__(self):
        bounds = (-1, *self.numbers, self.end)
        if any(low >= high for low, high in itertools.pairwise(bounds)):
            raise ValueError(
                f"`numbers` must rise within [0, {self.end}), received others. Make the list anew."
            )

    def is_of(self, style: Style, seed: int) -> bool:
        """Whether its numbers stand for captchas of this style and seed, as drawn today."""
        return (self.style, self.seed, self.generator) == (style_fields(style), seed, GENERATOR)


def style_fields(style: Style) -> dict[str, Any]:
    """The fields of a style as JSON keeps them."""
    return json.loads(json.dumps(dataclasses.asdict(style)))


def save_hard_list(hard: HardList, path: str | os.PathLike) -> None:
    """Writes the file, whole or not at all."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(dataclasses.asdict(hard)) + "\n")
    os.replace(partial, path)


def load_hard_list(path: str | os.PathLike) -> HardList:
    """Reads the file.

    Raises:
      OSError: If there is none.
      ValueError: If it is no such list.
    """
    try:
        fields = json.loads(pathlib.Path(path).read_text())
        return HardList(**{**fields, "numbers": tuple(fields["numbers"])})
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path} must be a list as `python mining` writes it, received a file that is none "
            f"({error}). Make it anew."
        ) from error

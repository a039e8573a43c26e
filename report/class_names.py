"""What the classes of a network are called on the page."""

import dataclasses
from collections.abc import Sequence

from report.wording import visible


@dataclasses.dataclass(frozen=True)
class Classes:
    """K names."""

    names: tuple[str, ...]
    blank: int | None  # The class of no character; None if all labels have L characters.


def classes_of(alphabet: Sequence[str], num_classes: int) -> Classes:
    """Names the classes of an alphabet; one more than it has characters is the blank.

    Raises:
      ValueError: If the number of classes is another.
    """
    names = tuple(visible(character) for character in alphabet)
    if num_classes == len(names):
        return Classes(names, None)
    if num_classes == len(names) + 1:
        return Classes((*names, "blank"), len(names))
    raise ValueError(
        f"`alphabet` must have as many characters as the network has classes, {num_classes}, or "
        f"one less where labels vary in length, received {len(names)}. Pass the alphabet that the "
        "network was trained on."
    )

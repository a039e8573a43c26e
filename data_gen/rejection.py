"""What is said of a file that an import leaves out."""

from typing import NamedTuple

# What the reasons of many files have in common, as one reads it behind their number.
NO_PICTURE = "no picture that can be read"
NO_LABEL = "without a label that can be used"
OTHER_LENGTH = "label of another length"
OTHER_CHARACTERS = "label of other characters"
OTHER_SIZE = "another size"
CONFLICT = "same picture under two labels"


class Rejected(NamedTuple):
    """A file, or a line of a list, that cannot be used."""

    name: str  # As people know it: as a list has it, or relative to the folder.
    kind: str  # One of the above.
    reason: str  # One line.

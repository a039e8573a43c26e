"""`--length`: a number of characters, or a range of them."""

import re


def parse_length(text: str) -> tuple[int, int]:
    """Fewest and most characters of a label.

    Args:
      text: "4", or "3-6".

    Raises:
      ValueError: If it is neither.
    """
    match = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", text.strip())
    if not match:
        raise ValueError(
            f"`length` must be a number or a range, received {text!r}. Write 4, or 3-6."
        )
    low, high = int(match[1]), int(match[2] or match[1])
    if not 1 <= low <= high:
        raise ValueError(
            f"`length` must be 1 or more, the smaller number first, received {text!r}. Write 3-6."
        )
    return low, high

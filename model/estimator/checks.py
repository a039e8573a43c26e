"""Checks that what users give shares."""

import numbers
from collections.abc import Sequence


def check_count(name: str, value: int | None) -> None:
    """Refuses anything but None and whole numbers from 1.

    Raises:
      ValueError: If `value` is something else.
    """
    if value is not None and not (isinstance(value, numbers.Integral) and value >= 1):
        raise ValueError(
            f"`{name}` must be a whole number of 1 or more, received {value!r}. Raise it, or leave "
            "it out."
        )


def check_kind(kind: type, given: Sequence) -> None:
    """Refuses a sequence of anything else than objects of the class `kind`.

    Raises:
      ValueError: If there is something else.
    """
    for one in given:
        if not isinstance(one, kind):
            raise ValueError(
                f"each {kind.__name__} must be an object of a class derived from {kind.__name__}, "
                f"received {one!r}. Derive its class, and give an object and not the class."
            )

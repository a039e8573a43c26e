"""The check that counts given by a user share."""

import numbers


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

"""Numbers and characters as a report writes them: for people, and never better than they are."""

import html
import math

_MOST_DECIMALS = 6
# Of a share in text: fewer decimals would write 99.995 % as 100.00 %.
_FEWEST_DECIMALS = 2
_SPACE = "\N{NO-BREAK SPACE}"


def escape(text: object) -> str:
    """Text for HTML, in an element or in a quoted attribute."""
    return html.escape(str(text), quote=True)


def percent(share: float) -> str:
    """A share as "98.96 %"; only 1 is "100 %" and only 0 is "0 %", others get the decimals needed.

    Its space does not break.
    """
    if math.isclose(
        share, round(share), rel_tol=0, abs_tol=1e-12
    ):  # An interval's end may be off by a bit.
        return f"{share * 100:.0f}{_SPACE}%"
    for decimals in range(_FEWEST_DECIMALS, _MOST_DECIMALS + 1):
        text = f"{share * 100:.{decimals}f}"
        if float(text) not in (0, 100):
            return f"{text}{_SPACE}%"
    return f"above 99.999999{_SPACE}%" if share > 0.5 else f"below 0.000001{_SPACE}%"


def one_in(share: float) -> str:
    """A small share as "1 in 10,000"; as a percentage if it is no such fraction."""
    if not 0 < share <= 0.5 or not math.isclose(1 / share, round(1 / share), rel_tol=1e-6):
        return percent(share)
    inverse = 1 / share
    for unit, name in ((1e12, None), (1e9, "billion"), (1e6, "million")):
        if inverse >= unit:
            return f"1 in {inverse / unit:.3g} {name}" if name else f"1 in {inverse:.0e}"
    return f"1 in {count(round(inverse))}"


def count(number: int) -> str:
    """A count as "12,345"."""
    return f"{number:,}"


def short_count(number: int) -> str:
    """A count in four or five characters: "9876", "123k", "3.4M". Cut, not rounded."""
    if number < 10_000:
        return str(number)
    if number < 1_000_000:
        return f"{number // 1000}k"
    return f"{number // 100_000 / 10}M"


def plural(number: int, noun: str) -> str:
    """A count with its noun: "1 captcha", "5,000 captchas"."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def visible(character: str) -> str:
    """A character that can be seen: a space is "␣", what does not print is its code point."""
    if character == " ":
        return "␣"
    return character if character.isprintable() else f"U+{ord(character):04X}"

"""Whether what readers misread could be told apart at all, by drawing it (`look_alikes`).

Of each misread character two things are asked. Could it be read: of all characters, each drawn with
rotations and warps that are searched from nothing, is the right one nearest to the picture? And
could it be told from what was read: how near does a drawing of that come, with any sizes, places,
rotations and warps of all characters, any dots and any curve? A best difference of 1 level of 255
is rounding, and no reader whatever can tell; where no more pixels differ than one dot covers, dots
may have made it.

Reading by drawing knows colours, size, places, dots, curve and the other characters. So what it
cannot read nobody can, but for drawings that the search did not find; what it can read a reader who
has to find all that in the picture may still not.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.known_captcha import KnownCaptcha, with_character, without_last_dot
from benchmarks.look_alikes import Drawing, difference, nearest_look_alike, read_by_drawing
from model.metrics import wilson_interval

_ROUNDING = 1
# So many times the drawings where the right character was not the nearest, and where all of a
# captcha is searched.
_HARDER = 8


class Look(NamedTuple):
    """What was found of one captcha."""

    drawn_right: bool  # Reading by drawing reads its doubtful characters right.
    exchanged: Drawing | None  # What was read, drawn with the right one's rotation and warp.
    nearest: Drawing | None  # What was read, drawn as near as was found.
    truth: Drawing  # The right one, searched from nothing: how well is searched.
    dot: Drawing  # The picture with a dot less.


def look(known: KnownCaptcha, doubtful: dict[int, str], rng, drawings: int) -> Look:
    """Looks at one captcha.

    Args:
      known: The captcha.
      doubtful: Position to what was read there; to the right character if nothing else was.
      rng: Of the search.
      drawings: How many are tried of each character.
    """
    everything_right, exchanged, nearest, truths = True, [], [], []
    for position, read in doubtful.items():
        right = known.label[position]
        found = read_by_drawing(known, position, rng, drawings)
        if _best(found) != right:
            found = read_by_drawing(known, position, rng, drawings * _HARDER)
        everything_right &= _best(found) == right
        truths.append(found[right])
        if read != right:
            exchanged.append(difference(known.image, with_character(known, position, read).image))
            improved = nearest_look_alike(known, position, read, rng, drawings * _HARDER)
            nearest.append(min(improved, found[read]))
    # Of several misread characters one that can be told is enough to see that the reading is wrong.
    return Look(
        drawn_right=everything_right,
        exchanged=max(exchanged, default=None),
        nearest=max(nearest, default=None),
        truth=max(truths),
        dot=difference(known.image, without_last_dot(known)),
    )


def _best(found: dict[str, Drawing]) -> str:
    return min(found, key=lambda char: found[char].squares)


def floor_figures(looks: list[Look], misread: int, n: int) -> dict[str, str]:
    """What captchas that at least one reader misread say about the floor.

    Args:
      looks: Of those looked at, none without what was read.
      misread: How many at least one reader misread.
      n: Captchas read.
    """
    if not looks:
        return {"drawn with another label": f"0 of {misread}"}
    scale = misread / len(looks)
    unread = sum(not each.drawn_right for each in looks)
    same = sum(each.nearest.most <= _ROUNDING for each in looks)
    dot_pixels = max(each.dot.pixels for each in looks)
    as_dot = sum(each.nearest.pixels <= dot_pixels for each in looks)
    return {
        "drawn with another label, of those misread by a model": f"{len(looks)} of {misread}",
        "label exchanged, nothing else": _differences([each.exchanged for each in looks]),
        "label exchanged, drawn as near as it can be": _differences([e.nearest for e in looks]),
        "right label, drawn as near as it was found": _differences([each.truth for each in looks]),
        "one dot less": _differences([each.dot for each in looks]),
        "exchanged differs by rounding alone": _floor(same * scale, n),
        f"exchanged differs in {dot_pixels} pixels at most, as a dot": _floor(as_dot * scale, n),
        "misread by a model, and not read by drawing": _floor(unread * scale, n),
    }


def exchange_figures(captchas: Sequence[KnownCaptcha]) -> dict[str, str]:
    """How little the exchange of one character can change, whoever reads: as little as a dot?

    Args:
      captchas: At least one; each of their characters is exchanged for each other one.
    """
    dot_pixels = max(difference(each.image, without_last_dot(each)).pixels for each in captchas)
    pixels = [
        difference(known.image, with_character(known, position, char).image).pixels
        for known in captchas
        for position, right in enumerate(known.label)
        for char in known.style.alphabet
        if char != right
    ]
    as_dot = sum(each <= dot_pixels for each in pixels)
    return {
        "labels exchanged in captchas as they come, pixels": (
            f"{np.median(pixels):.0f}, least {min(pixels)}; {as_dot} of {len(pixels)} exchanges "
            f"change {dot_pixels} at most, as a dot"
        )
    }


def drawing_figures(of: str, looks: list[Look]) -> dict[str, str]:
    """How many captchas were read by drawing."""
    right = sum(each.drawn_right for each in looks)
    return {f"read by drawing, of {of}": f"{right} of {len(looks)}"}


def _differences(drawings: list[Drawing]) -> str:
    low, middle = np.quantile(
        [(each.squares**0.5, each.most, each.pixels) for each in drawings], [0.05, 0.5], axis=0
    )
    return ", ".join(
        f"{name} {half:.0f} (5 % below {least:.0f})"
        for name, half, least in zip(("difference", "most", "pixels"), middle, low, strict=True)
    )


def _floor(count: float, n: int) -> str:
    _, high = wilson_interval(count / n, n)
    return f"{count:.0f} of {n}, {count / n:.4%} (95 % interval ends at {high:.4%})"

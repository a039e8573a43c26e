"""The top of the page: how much is read right, beside chance, and in plain words."""

from model.metrics import wilson_interval
from report import statistics
from report.axis import as_percent
from report.class_names import Classes
from report.collected import Collected
from report.statistics import AcceptRate
from report.wording import count, one_in, percent, plural

_OF = 10_000  # The plain sentence counts captchas out of so many.


def headline(
    collected: Collected, classes: Classes, accept: AcceptRate, precision: float, ece: float
) -> str:
    """Four numbers and what they mean.

    Args:
      collected: What was evaluated.
      classes: Names of the classes.
      accept: At `precision`.
      precision: In [0, 1].
      ece: See `statistics.calibration`.

    Returns:
      HTML.
    """
    n, num_positions = collected.labels.shape
    whole = float(collected.right.mean())
    characters = float(
        statistics.characters_right(collected.labels, collected.digits, classes.blank).mean()
    )
    # Uniform guessing, where the model says nothing of chance.
    guess = 1 / collected.num_classes
    guess_character = collected.chance.get("character_accuracy", guess)
    guess_whole = collected.chance.get("sequence_accuracy", guess**num_positions)
    if accept.accepted:
        kept = f"from confidence {accept.threshold} up: {_precision(accept)}"
    else:
        kept = "no threshold reaches it on these captchas"
    tiles = [
        _tile("Whole captchas read right", whole, _beside(whole, n, guess_whole)),
        _tile("Single characters read right", characters, _beside(characters, n, guess_character)),
        _tile(f"Accept rate at {as_percent(precision)}", accept.rate, kept),
        _tile(
            "Calibration error (ECE)",
            ece,
            "how far confidence is from accuracy on average; 0 is perfect",
        ),
    ]
    plainly = _plainly(whole, characters, n, guess_whole, guess_character)
    return f'<div class="tiles">{"".join(tiles)}</div>{plainly}'


def _tile(title: str, share: float, note: str) -> str:
    figure = percent(share).replace("\N{NO-BREAK SPACE}%", "<small>\N{NO-BREAK SPACE}%</small>")
    return (
        f'<div class="card tile"><h3>{title}</h3><div class="figure">{figure}</div>'
        f"<p>{note}</p></div>"
    )


def _beside(share: float, n: int, guess: float) -> str:
    low, high = wilson_interval(share, n)
    return (
        f"95\N{NO-BREAK SPACE}% interval {percent(low)} to {percent(high)}, n = {count(n)}<br>"
        f"guessing: {one_in(guess)}"
    )


def _precision(accept: AcceptRate) -> str:
    low, high = wilson_interval(1 - accept.errors / accept.accepted, accept.accepted)
    return (
        f"{count(accept.errors)} wrong of {count(accept.accepted)}, a precision of "
        f"{percent(low)} to {percent(high)}"
    )


def _plainly(whole: float, characters: float, n: int, guess: float, guess_character: float) -> str:
    low, high = (round((1 - end) * _OF) for end in reversed(wilson_interval(whole, n)))
    text = (
        f"In plain words: of {count(_OF)} captchas like these it misreads about "
        f"{count(round((1 - whole) * _OF))}. {plural(n, 'captcha')} cannot tell it more exactly "
        f"than {count(low)} to {count(high)}, the 95\N{NO-BREAK SPACE}% interval. "
    )
    if wilson_interval(whole, n)[0] > guess:
        by_guessing = round((1 - guess) * _OF)
        guessed = count(by_guessing) if by_guessing < _OF else "practically all of them"
        text += f"Guessing would misread {guessed}."
    elif wilson_interval(characters, n)[0] > guess_character:
        text += "That may be guessing; single characters it reads better than that."
    else:
        text += "That may be guessing: nothing shows that it has learned."
    return (
        f'<p class="plainly">{text}</p><p class="quiet">Intervals are Wilson\'s, with n the number '
        "of captchas, also for single characters: those of one captcha are not independent. They "
        "hold for captchas drawn as these were, and say nothing of others.</p>"
    )

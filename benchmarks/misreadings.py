"""What several readers misread of the same captchas, and what those characters have in common."""

import numpy as np

from benchmarks.fresh_readings import calibrated, confidences
from model.metrics import wilson_interval
from report import statistics

_PRECISION = 0.999
_WORST = 0.05  # Of the characters: those that a cause is looked for among.
_MOST_PAIRS = 8
_SURE = 0.9
# How to say that a measure of `glyph_visibility` is bad, and which end of it is.
CAUSES = {
    "overlapped": ("overlapped", 1),
    "dotted": ("dotted", 1),
    "cut": ("cut", 1),
    "contrast": ("faint", -1),
}


def reader_figures(name: str, probabilities: np.ndarray, digits: np.ndarray) -> dict[str, str]:
    """How often one reader is wrong, and how often it knows.

    Args:
      name: Of the reader.
      probabilities: `[N, L, K]`.
      digits: int `[N, L]`, what is right.
    """
    n = len(digits)
    right = (probabilities.argmax(axis=-1) == digits).all(axis=-1)
    curve = statistics.coverage_curve(confidences(probabilities), right)
    accepted = statistics.accept_rate(curve, _PRECISION).accepted
    tempered, temperature = calibrated(probabilities, digits)
    return {
        f"{name}, misread": _rate(int((~right).sum()), n),
        f"{name}, accepted at {_PRECISION:.1%} right": f"{accepted / n:.2%}",
        f"{name}, error that its calibrated confidence expects": (
            f"{1 - confidences(tempered).mean():.3%} (temperature {temperature:.2f})"
        ),
    }


def shared_figures(probabilities: np.ndarray, digits: np.ndarray) -> dict[str, str]:
    """How many captchas all readers misread.

    Args:
      probabilities: `[M, N, L, K]`, of M readers.
      digits: int `[N, L]`, what is right.
    """
    n, read = len(digits), probabilities.argmax(axis=-1)  # [M, N, L]
    shared = (read != digits).any(axis=-1).all(axis=0)
    same = shared & (read == read[0]).all(axis=(0, 2))
    sure = np.stack([confidences(each) for each in probabilities]).min(axis=0) > _SURE
    return {
        "misread by every model": _rate(int(shared.sum()), n),
        "misread by every model in the same way": _rate(int(same.sum()), n),
        f"of these each model surer than {_SURE}": str(int((same & sure).sum())),
    }


def pair_figures(probabilities: np.ndarray, digits: np.ndarray, alphabet: str) -> dict[str, str]:
    """Which characters are taken for which, over all readers; arguments as above."""
    counts = sum(
        statistics.confusion_counts(digits, each.argmax(axis=-1), len(alphabet))
        for each in probabilities
    )
    pairs = statistics.most_confused(counts, _MOST_PAIRS)
    said = (f"{alphabet[shown]} as {alphabet[read]}: {count}" for shown, read, count in pairs)
    return {"most frequent confusions": ", ".join(said)}


def worst_characters(measures: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Of each measure float `[N, L]` the worst 5 % of the characters, bool `[N, L]`, by cause."""
    worst = {}
    for measure, (cause, sign) in CAUSES.items():
        values = sign * measures[measure]
        worst[cause] = values > np.quantile(values, 1 - _WORST)
    return worst


def cause_figures(
    measures: dict[str, np.ndarray], probabilities: np.ndarray, digits: np.ndarray
) -> dict[str, str]:
    """How often the worst characters of each measure are misread, beside all others.

    Args:
      measures: A key of `CAUSES` to float `[N, L]`.
      probabilities: `[M, N, L, K]`; readers are counted together.
      digits: int `[N, L]`.
    """
    wrong = (probabilities.argmax(axis=-1) != digits).mean(axis=0)  # Share of readers, [N, L].
    worst = worst_characters(measures)
    figures = {}
    for measure, (cause, sign) in CAUSES.items():
        there = worst[cause]
        limit, extreme = (
            sign * np.quantile(sign * measures[measure], share) for share in (1 - _WORST, 1)
        )
        than = "above {:.1%}, at most {:.0%}" if sign > 0 else "below {:.0f} levels, least {:.0f}"
        than = than.format(limit, extreme)
        figures[f"characters misread, {cause} ({than})"] = _shares(wrong, there)
    none = ~np.logical_or.reduce(list(worst.values()))
    figures["characters misread, none of these"] = _shares(wrong, none)
    return figures


def _shares(wrong: np.ndarray, there: np.ndarray) -> str:
    rate, elsewhere = (wrong[where].mean() if where.any() else 0.0 for where in (there, ~there))
    part = wrong[there].sum() / max(1e-9, wrong.sum())
    return (
        f"{rate:.3%}, elsewhere {elsewhere:.3%}; {there.mean():.0%} of the characters, "
        f"{part:.0%} of the errors"
    )


def _rate(count: int, n: int) -> str:
    low, high = wilson_interval(count / n, n)
    return f"{count} of {n}, {count / n:.3%} ({low:.3%} to {high:.3%})"

"""Evaluations made up for reports: so many captchas, so many of them misread, no network needed."""

import math

import numpy as np

from data_gen.render import render
from data_gen.style import Style
from report.collected import MOST_MISTAKES, Collected, Mistake

DIGITS = "0123456789"


def made_up(
    n=5000, *, alphabet=DIGITS, num_positions=4, error_rate=0.01, blank=False, pictures=50, seed=0
):
    """An evaluation of `n` captchas that a decent network has read.

    Half of the errors take a class for the next one in pairs (0 and 1, 2 and 3); the network is
    less sure where it errs, though not always.
    """
    rng = np.random.default_rng((seed, n, num_positions))
    num_classes = len(alphabet) + blank
    labels = rng.integers(len(alphabet), size=(n, num_positions))
    if blank:
        lengths = rng.integers(max(1, num_positions - 3), num_positions + 1, size=n)
        labels[np.arange(num_positions) >= lengths[:, None]] = len(alphabet)
    digits = labels.copy()
    for row in np.flatnonzero(rng.random(n) < error_rate):
        position = rng.integers(num_positions if not blank else lengths[row])
        old = labels[row, position]
        step = rng.integers(1, num_classes)
        paired = old ^ 1 if (old ^ 1) < num_classes else (old + 1) % num_classes
        digits[row, position] = paired if rng.random() < 0.5 else (old + step) % num_classes
    right = (digits == labels).all(axis=1)
    sure = 1 / (1 + np.exp(-rng.normal(6.5, 1.8, n)))
    unsure = 1 / (1 + np.exp(-rng.normal(1.5, 1.8, n)))
    confidences = np.where(right, sure, unsure).astype(np.float32).astype(np.float64)
    order = sorted(np.flatnonzero(~right), key=lambda row: (-confidences[row], row))
    mistakes = tuple(
        Mistake(
            index=int(row),
            image=_picture(labels[row], alphabet, int(row)),
            labels=labels[row],
            digits=digits[row],
            confidence=float(confidences[row]),
        )
        for row in order[: min(pictures, MOST_MISTAKES)]
    )
    return Collected(
        labels=labels,
        digits=digits,
        confidences=confidences,
        num_classes=num_classes,
        mistakes=mistakes,
        chance={
            "loss": math.log(num_classes),
            "character_accuracy": 1 / num_classes,
            "sequence_accuracy": num_classes**-num_positions,
        },
        global_step=14000,
    )


def made_up_rows(steps=14000, num_classes=10):
    """A history like that of configs/captcha.flags: a plateau at ln K, then a fall."""
    rng = np.random.default_rng((1, steps))
    rows = []
    for step in range(100, steps + 1, 100):
        learned = 1 / (1 + math.exp(-(step - 900) / 160))
        loss = math.log(num_classes) * (1 - learned) + 0.9 * (step / 100) ** -0.95 * learned
        character = 1 / num_classes + (1 - 1 / num_classes) * learned * math.exp(-loss / 2)
        row = {
            "kind": "train",
            "global_step": step,
            "loss": loss * math.exp(rng.normal(0, 0.12)),
            "character_accuracy": min(1.0, character),
            "sequence_accuracy": character**4,
            "learning_rate": 1.2e-3
            * (step / 300 if step < 300 else (1 + math.cos(math.pi * step / steps)) / 2),
            "gradient_norm": math.exp(rng.normal(0, 0.25)) * (0.3 + 3 * learned * (1 - learned)),
            "examples_per_sec": 1500.0,
        }
        rows.append(row)
        if step % 2000 == 0:
            misread = min(1, 0.008 + 8 * (step / 100) ** -1.4)
            rows.append(
                {
                    "kind": "eval",
                    "global_step": step,
                    "loss": 0.01 + 0.8 * (step / 100) ** -0.9,
                    "character_accuracy": 1 - misread / 3.6,
                    "sequence_accuracy": 1 - misread,
                    "n": 5000,
                }
            )
    return rows


SECTIONS = {
    "Flags": [("net", "small"), ("max_steps", 14000), ("learning_rate", 0.0012)],
    "Environment": [("python", "3.11.7"), ("tensorflow", "2.21.0"), ("processor", "2 cores")],
    "Where the data came from": [("data_dir", "captcha_data"), ("seed", 0), ("seal", "9f2c" * 16)],
}


def _picture(labels, alphabet, seed):
    """What the renderer draws for a label of digits; noise of the same size for other alphabets."""
    if alphabet == DIGITS:
        label = "".join(str(digit) for digit in labels if digit < len(alphabet))
        style = Style(width_px=25 * len(labels), min_length=len(label), max_length=len(label))
        return render(style, label, np.random.default_rng(seed))
    return np.random.default_rng(seed).integers(256, size=(30, 100, 3), dtype=np.uint8)

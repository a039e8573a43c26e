"""A picture of misread captchas: what they are, what was read, how surely, and why perhaps."""

import numpy as np
from PIL import Image

from benchmarks.fresh_readings import confidences
from benchmarks.known_captcha import draw_known
from data_gen.style import Style
from records.contact_sheet import contact_sheet

_MOST = 40
_COLUMNS = 4  # Of twice their size: below 1,000 pixels.
_SCALE = 2


def misread_sheet(
    style: Style, seed: int, read: np.ndarray, digits: np.ndarray, worst: dict[str, np.ndarray]
) -> Image.Image | None:
    """Lays out up to 40 captchas, first those that most readers misread, then by confidence.

    Args:
      style: Of the captchas.
      seed: Of the captchas.
      read: Probabilities `[M, N, L, K]` of M readers.
      digits: int `[N, L]`, what is right.
      worst: Cause to bool `[N, L]`, see `misreadings.worst_characters`.

    Returns:
      "0427 as 0421 98 % faint": of the reader that is surest of its misreading; of causes those
      that the misread characters are among the worst of. None if nothing was misread.
    """
    classes = read.argmax(axis=-1)  # [M, N, L]
    wrong = (classes != digits).any(axis=-1)  # [M, N]
    sureness = np.where(wrong, np.stack([confidences(each) for each in read]), -1.0)
    surest = sureness.argmax(axis=0)  # [N]
    order = np.lexsort((-sureness.max(axis=0), -wrong.sum(axis=0)))
    order = order[: min(_MOST, int(wrong.any(axis=0).sum()))]
    if not order.size:
        return None
    images, captions = [], []
    for index in order:
        reader = surest[index]
        misread = classes[reader, index] != digits[index]  # [L]
        causes = [cause for cause, there in worst.items() if (there[index] & misread).any()]
        label, text = (
            "".join(style.alphabet[digit] for digit in row)
            for row in (digits[index], classes[reader, index])
        )
        sure = f"{sureness[reader, index]:.0%}"
        captions.append(" ".join([label, "as", text, sure, "+".join(causes)]).strip())
        images.append(draw_known(style, seed, int(index)).image)
    return contact_sheet(np.stack(images), captions, columns=_COLUMNS, scale=_SCALE)

"""How many of some captchas several readers got right, as figures for the ledger."""

from collections.abc import Mapping, Sequence

from model.metrics import wilson_interval


def accuracy_figures(
    read: Mapping[str, Sequence[str]], labels: Sequence[str]
) -> dict[str, float | str]:
    """Whole captchas with their 95 % interval, and characters, of each reader.

    Args:
      read: Texts by reader, in the order of `labels`.
      labels: N, what is on the pictures.

    Returns:
      Of characters, those that stand where the label has them; n is that of captchas for them too,
      as those of one captcha go wrong together.
    """
    figures = {}
    n = len(labels)
    for name, texts in read.items():
        pairs = list(zip(texts, labels, strict=True))
        for what, right in (
            ("sequence", sum(text == label for text, label in pairs)),
            ("character", sum(_share_right(text, label) for text, label in pairs)),
        ):
            low, high = wilson_interval(right / n, n)
            figures[f"{name}_{what}_accuracy"] = f"{right / n:.4f} ({low:.4f} to {high:.4f})"
    return figures


def _share_right(text: str, label: str) -> float:
    right = sum(found == wanted for found, wanted in zip(text, label, strict=False))
    return right / max(len(text), len(label), 1)

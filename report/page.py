"""The report as one HTML page: it needs no server, no network and no script."""

import os
import pathlib
from collections.abc import Mapping, Sequence

from report import statistics
from report.characters import characters_section
from report.class_names import classes_of
from report.collected import Collected
from report.confidence import confidence_section
from report.headline import headline
from report.learning_curves import learning_curves
from report.markup import facts
from report.mistakes import mistakes_section
from report.page_style import STYLE
from report.wording import count, escape, plural

_PRECISION = 0.999  # Of the accept rate in the headline.

# So that a browser would refuse what a mistake of ours lets in.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def write_report(
    path: str | os.PathLike,
    collected: Collected,
    *,
    rows: Sequence[Mapping],
    sections: Mapping[str, Sequence[tuple[str, object]]],
    title: str,
    alphabet: Sequence[str],
) -> None:
    """Writes the page, whole or not at all.

    Args:
      path: The file; its folder is created if need be.
      collected: What was evaluated.
      rows: Of the run's history.jsonl, oldest first; may be empty.
      sections: Facts to add, names and values by the section's title: flags, environment, data.
      title: Of the page.
      alphabet: The characters; class k is character k. One class more is the blank.

    Raises:
      ValueError: If the alphabet does not have the number of classes collected.
      OSError: If the page cannot be written.
    """
    content = report_page(collected, rows=rows, sections=sections, title=title, alphabet=alphabet)
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(content, encoding="utf-8")
    os.replace(partial, path)


def report_page(
    collected: Collected,
    *,
    rows: Sequence[Mapping],
    sections: Mapping[str, Sequence[tuple[str, object]]],
    title: str,
    alphabet: Sequence[str],
) -> str:
    """The page as text, see `write_report`. Equal arguments give equal text."""
    classes = classes_of(alphabet, collected.num_classes)
    calibration = statistics.calibration(collected.confidences, collected.right)
    curve = statistics.coverage_curve(collected.confidences, collected.right)
    accept = statistics.accept_rate(curve, _PRECISION)
    curves = learning_curves(rows, collected.chance)
    parts = [
        ("How it learned", f'<div class="grid">{"".join(curves)}</div>' if curves else ""),
        ("Which characters it gets wrong", characters_section(collected, classes)),
        (
            "Whether its confidence can be trusted",
            confidence_section(calibration, curve, accept, _PRECISION),
        ),
        ("The worst errors", mistakes_section(collected, classes)),
        *((name, f'<div class="card">{facts(pairs)}</div>') for name, pairs in sections.items()),
    ]
    parts = [(name, content) for name, content in parts if content]
    # Spaces, as lines break there.
    links = " ".join(
        f'<a href="#part-{index}">{escape(name)}</a>' for index, (name, _) in enumerate(parts)
    )
    body = "".join(
        f'<section><h2 id="part-{index}">{escape(name)}</h2>{content}</section>'
        for index, (name, content) in enumerate(parts)
    )
    top = headline(collected, classes, accept, _PRECISION, calibration.ece)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><header><h1>{escape(title)}</h1>"
        f'<p class="quiet">{_subtitle(collected, classes.blank)}</p>'
        f'<nav aria-label="Sections">{links}</nav></header>\n'
        f"<main>{top}{body}</main></body></html>\n"
    )


def _subtitle(collected: Collected, blank: int | None) -> str:
    n, num_positions = collected.labels.shape
    num_characters = collected.num_classes - (blank is not None)
    length = f"{num_positions} characters" if blank is None else f"up to {num_positions} characters"
    step = "" if collected.global_step is None else f"step {count(collected.global_step)} · "
    return f"{step}{plural(n, 'captcha')} of {length} out of {num_characters}"

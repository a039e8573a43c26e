"""Pieces of the page: figures, tables, and a reading with its wrong characters marked."""

from collections.abc import Sequence

from report.wording import escape


def figure(title: str, drawing: str, note: str = "") -> str:
    """A chart with its heading and a remark.

    Args:
      title: Plain text.
      drawing: HTML.
      note: HTML; "" for none.
    """
    remark = f"<p>{note}</p>" if note else ""
    return (
        f'<figure class="card"><figcaption><h3>{escape(title)}</h3>{remark}</figcaption>'
        f"{drawing}</figure>"
    )


def columns(left: Sequence[str], right: Sequence[str]) -> str:
    """Two columns of cards; one, left first, where there is no room for two."""
    stacks = "".join(f'<div class="stack">{"".join(cards)}</div>' for cards in (left, right))
    return f'<div class="grid">{stacks}</div>'


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table.

    Args:
      headings: Plain text.
      rows: HTML; the first cell of each is its heading.
    """
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f"<td>{cell}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def facts(pairs: Sequence[tuple[str, object]]) -> str:
    """Names and values, as a table without headings."""
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in pairs
    )
    return f'<table class="facts"><tbody>{body}</tbody></table>'


def text_of(
    classes: Sequence[int], others: Sequence[int], names: Sequence[str], blank: int | None
) -> str:
    """A label position by position, those where `others` differs marked.

    Args:
      classes: L classes.
      others: L classes to compare with.
      names: K names of classes.
      blank: Drawn as a box where the other has a character; left out where both have none.
    """
    parts = []
    for mine, other in zip(classes, others, strict=True):
        if mine == other == blank:
            continue
        name = '<i class="blank">blank</i>' if mine == blank else escape(names[mine])
        # Isolated, as a right-to-left character would else move its neighbours.
        parts.append(f"<mark>{name}</mark>" if mine != other else f"<bdi>{name}</bdi>")
    return f'<span class="text" dir="ltr">{"".join(parts)}</span>'

"""The worst errors as pictures: those of which the network was most sure."""

import base64
import io

from PIL import Image

from report.class_names import Classes
from report.collected import Collected, Mistake
from report.markup import text_of
from report.wording import count, percent, plural


def mistakes_section(collected: Collected, classes: Classes) -> str:
    """A card an error, the most confident first; a sentence if there is none. HTML."""
    misread = int((~collected.right).sum())
    if not misread:
        n = plural(len(collected.labels), "captcha")
        return f"<p>There are none: all of {n} were read right.</p>"
    shown = len(collected.mistakes)
    which = "All" if shown == misread else f"The {count(shown)} worst of"
    cards = "".join(_card(mistake, classes) for mistake in collected.mistakes)
    return (
        f"<p>{which} {plural(misread, 'misread captcha')}, the most confident first: wrong labels "
        "show here too. The number is the captcha's place in the dataset as it was read, from 0."
        f'</p><ol class="mistakes">{cards}</ol>'
    )


def _card(mistake: Mistake, classes: Classes) -> str:
    truth = text_of(mistake.labels, mistake.digits, classes.names, classes.blank)
    read = text_of(mistake.digits, mistake.labels, classes.names, classes.blank)
    height, width = mistake.image.shape[:2]
    return (
        f'<li class="card"><img src="{_data_uri(mistake)}" width="{width}" height="{height}" '
        f'alt="Captcha number {mistake.index}"><dl><dt>truth</dt><dd>{truth}</dd>'
        f"<dt>read as</dt><dd>{read}</dd><dt>confidence</dt><dd>{percent(mistake.confidence)}</dd>"
        f"<dt>number</dt><dd>{count(mistake.index)}</dd></dl></li>"
    )


def _data_uri(mistake: Mistake) -> str:
    content = io.BytesIO()
    Image.fromarray(mistake.image).save(content, "png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"

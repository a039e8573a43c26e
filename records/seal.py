"""The seal of provenance.json: the SHA-256 of its own text, at its end.

All of a dataset is judged by provenance.json, so nothing else could tell that this file itself was
damaged or edited. The text is spelled in one way only, so that not even a space can change. It is
no signature: a program can write another seal.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from records.errors import REMEDY
from records.text_difference import first_difference

SEAL = "seal"


def sealed(content: Mapping[str, Any]) -> str:
    """Writes `content`, which has no seal yet, as JSON with its seal at the end.

    Raises:
      ValueError: If it holds what JSON or UTF-8 cannot say, such as NaN.
    """
    return _to_json({**content, SEAL: hashlib.sha256(_to_json(content).encode()).hexdigest()})


def check_seal(text: str, content: Mapping[str, Any]) -> None:
    """Checks that `text`, of which `content` was parsed, is what `sealed` writes.

    Raises:
      ValueError: If there is no seal, another one, or the text is spelled otherwise.
    """
    received = content.get(SEAL)
    if received is None:
        raise ValueError(
            "`seal` must end the file, received none: it was edited, or written before there were "
            f"seals. {REMEDY}"
        )
    try:
        wanted = sealed({key: value for key, value in content.items() if key != SEAL})
    except (ValueError, RecursionError) as error:  # NaN, half a surrogate pair, very deep.
        raise ValueError(
            f"all must be JSON as we write it, received what is not: {error}. {REMEDY}"
        ) from error
    seal = json.loads(wanted)[SEAL]
    if received != seal:
        raise ValueError(
            f"`seal` must be the SHA-256 of all else in the file, {seal}, received "
            f"{repr(received)[:80]}: the file was edited or damaged. Undo that. {REMEDY}"
        )
    if text != wanted:
        raise ValueError(
            f"{first_difference(wanted, text)}: the file was edited. Undo that. {REMEDY}"
        )


def _to_json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

"""Where two texts begin to differ, for messages about a file that must have a certain content."""


def first_difference(wanted: str, received: str) -> str:
    """Says for example "line 3 must be '4x6x3', received '6x4x3'"; of two texts that differ."""
    wanted_lines = [*wanted.splitlines(keepends=True), "nothing more"]
    received_lines = [*received.splitlines(keepends=True), "nothing more"]
    for number, (line, other) in enumerate(zip(wanted_lines, received_lines, strict=False), 1):
        if line != other:
            return f"line {number} must be {_short(line)}, received {_short(other)}"
    raise AssertionError("the texts differ, so a line does")


def _short(line: str) -> str:
    text = repr(line)
    return text if len(text) <= 200 else text[:200] + "..."

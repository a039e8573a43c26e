import io
import re
import sys

import pytest
from absl import logging

from records import progress
from records.progress import Progress


class Clock:
    """time.monotonic that a test sets by hand."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.fixture
def lines(monkeypatch):
    lines = []
    monkeypatch.setattr(logging, "info", lambda text, *values: lines.append(text % values))
    monkeypatch.setattr(sys, "stderr", io.StringIO())  # Not a terminal.
    return lines


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_a_line_comes_every_five_seconds_and_one_at_the_end(clock, lines):
    with Progress(1000, "captchas", "train") as bar:
        for _ in range(10):
            clock.now += 2.0
            bar.update(100)
    assert lines == [
        "train |  300 of 1000 captchas |      50 captchas/s | 0:14 left",
        "train |  600 of 1000 captchas |      50 captchas/s | 0:08 left",
        "train |  900 of 1000 captchas |      50 captchas/s | 0:02 left",
        "train | 1000 of 1000 captchas |      50 captchas/s | 20.0 s",
    ]


def test_work_done_within_five_seconds_is_one_line(clock, lines):
    with Progress(8, "files", "read") as bar:
        clock.now += 4.0
        bar.update(8)
    assert lines == ["read | 8 of 8 files |     2.0 files/s | 4.0 s"]


def test_the_columns_of_all_lines_stand_under_each_other(clock, lines):
    with Progress(100000, "records", "verify") as bar:
        for count in (1, 999, 9000, 90000):
            clock.now += 6.0
            bar.update(count)
    assert len(lines) == 4
    assert len({tuple(match.start() for match in re.finditer(r"\|", line)) for line in lines}) == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59.4, "0:59"), (59.6, "1:00"), (250, "4:10"), (3850, "1:04:10"), (None, "?")],
    ids=["seconds", "rounded_up", "minutes", "hours", "unknown"],
)
def test_clock(seconds, text):
    assert progress._clock(seconds) == text


def test_nothing_done_yet_has_no_time_left_to_tell(clock, lines):
    with Progress(10, "files", "read") as bar:
        clock.now += 6.0
        bar.update(0)
        bar.update(10)
    assert lines[0] == "read |  0 of 10 files |     0.0 files/s | ? left"


def test_a_total_of_zero_ends_well(clock, lines):
    with Progress(0, "files", "read"):
        pass
    assert lines == ["read | 0 of 0 files |     0.0 files/s | 0.0 s"]


def test_an_exception_passes_and_adds_no_last_line(clock, lines):
    def work():
        with Progress(10, "files", "write") as bar:
            bar.update(3)
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        work()
    assert lines == []


def test_a_terminal_gets_a_bar_and_no_log_lines(monkeypatch, lines):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress(50, "captchas", "train") as bar:
        bar.update(50)
    assert "train: 100%" in terminal.getvalue()
    assert "50/50" in terminal.getvalue()
    assert "captchas/s" in terminal.getvalue()
    assert terminal.getvalue().endswith("\n")
    assert lines == []


def test_a_negative_total_is_refused():
    with pytest.raises(ValueError, match=r"`total` must be 0 or more, received -1"):
        Progress(-1, "files", "read")

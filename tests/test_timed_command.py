import subprocess
import sys

import pytest
from conftest import ROOT

from benchmarks.start_up import start_up_figures
from benchmarks.timed_command import Spent, run_timed

SAYS_AND_SLEEPS = (
    "import sys, time; print('first', file=sys.stderr, flush=True); time.sleep(1); sys.exit(3)"
)


def test_a_command_is_timed_to_its_end_or_to_the_line_waited_for():
    assert run_timed(["-c", SAYS_AND_SLEEPS], statuses=(3,)).seconds >= 1
    assert run_timed(["-c", SAYS_AND_SLEEPS], until="first", statuses=(3,)).seconds > 0


PEAKS = """
from benchmarks.timed_command import run_timed
print(*(run_timed(["-c", f"bytearray(b'x' * {n} * 10**6)"]).peak_mb for n in (1, 300)))
"""


def test_the_peak_is_of_the_command_and_in_megabytes():
    # From a small process: one that has loaded TensorFlow would be the least peak.
    done = subprocess.run([sys.executable, "-c", PEAKS], cwd=ROOT, capture_output=True, check=True)
    small, large = map(float, done.stdout.split())
    assert 280 < large - small + 2 < 700  # Two copies at most, for a moment.


@pytest.mark.parametrize(
    ("arguments", "until", "error", "message"),
    [
        (["-c", "import sys; sys.exit('no such thing')"], None, OSError, "received 1: no such"),
        (["-c", "0"], "train |", ValueError, "must log a line with 'train |', received none"),
    ],
    ids=["fails", "silent"],
)
def test_what_was_not_measured_is_no_figure(arguments, until, error, message):
    with pytest.raises(error, match=message.replace("|", r"\|")):
        run_timed(arguments, until=until)


def test_a_target_is_reached_by_the_median():
    rounds = [Spent(seconds, 2.0, 100.0) for seconds in (0.5, 0.9, 7.0)]
    figures = start_up_figures({"train_help": rounds, "predict_one_file": rounds[2:]})
    assert figures["train_help_seconds"] == "0.90 (from 0.50 to 7.00)"
    assert figures["train_help_target"] == "1 s: reached"
    assert figures["predict_one_file_target"] == "5 s: missed"

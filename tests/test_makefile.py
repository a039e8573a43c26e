"""`make bench` names programs that are there, with flags that they have."""

import re
import shutil
import subprocess

import pytest
from conftest import ROOT

_COMMAND = re.compile(r"python (benchmarks/\w+\.py|data_gen|train\.py)((?: [^\s;|&)]+)*)")
_NO_FLAG = "stop_before_it_runs"  # So a program ends once it has taken all flags before this one.

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


def commands(target):
    """Programs that a target runs, each with its arguments."""
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [(program, rest.split()) for program, rest in _COMMAND.findall(done.stdout)]


@pytest.mark.slow
@pytest.mark.parametrize("target", ["bench", "bench-full"])
def test_a_target_names_flags_that_its_programs_have(run_program, target):
    found = commands(target)
    assert len(found) > 10
    assert found[-1] == ("benchmarks/plots.py", [])
    for program, arguments in found:
        own, *of_train = " ".join(arguments).split("-- --")
        calls = [(program, own.split()), *(("train.py", f"--{rest}".split()) for rest in of_train)]
        for name, flags in calls:
            done = run_program(name, *flags, f"--{_NO_FLAG}")
            assert done.returncode == 1
            assert f"Unknown command line flag '{_NO_FLAG}'" in done.stderr, (name, flags)


def test_short_measurements_have_a_part_of_the_ledger_to_themselves():
    rules = (ROOT / "Makefile").read_text().splitlines()
    assert [line for line in rules if "BENCH_SHORT" in line] == ["bench: export BENCH_SHORT := 1"]

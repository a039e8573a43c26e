"""A process that trains and evaluates by turns does not grow."""

import pytest

# Measured: 4 to 41 (benchmarks/RESULTS.md), as the allocator takes 2 MB at once or does not; rounds
# without an export add 2 on the median. A function traced anew in each round and kept costs 750.
_MAX_SLOPE_KB = 200


@pytest.mark.slow
def test_memory_is_flat_over_rounds_of_train_evaluate_predict_and_export(run_program):
    done = run_program("benchmarks/estimator_rounds.py", "--nokeep", timeout=600)
    assert done.returncode == 0, done.stderr
    figures = dict(line.split() for line in done.stdout.splitlines())
    assert int(figures["rounds"]) == 100
    assert float(figures["slope_kb_a_round"].replace(",", "")) < _MAX_SLOPE_KB

"""The program that asks what of the misread can be read."""

import pytest


def test_a_folder_without_a_network_is_one_line(run_program, tmp_path):
    done = run_program("benchmarks/reading_limit.py", f"--models={tmp_path}", "--n=10")
    assert done.returncode != 0
    assert "`model_dir` must hold a trained model" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_an_untrained_network_misreads_what_drawing_reads(
    run_program, barely_trained_model, tmp_path
):
    sheet = tmp_path / "sheet.png"
    done = run_program(
        "benchmarks/reading_limit.py",
        f"--models={barely_trained_model}",
        "--n=10",
        "--looked_at=1",
        "--controls=1",
        "--drawings=100",
        f"--sheet={sheet}",
        "--norecord",
    )
    assert done.returncode == 0, done.stderr
    assert "misread by every model" in done.stdout
    assert "drawn with another label, of those misread by a model 1 of 10" in done.stdout
    assert "exchanged differs by rounding alone          0 of 10" in done.stdout
    assert not sheet.exists()  # It belongs to the figures that are kept.

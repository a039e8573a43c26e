"""Each figure on the page of results stands under its command."""

import json
import sys

import pytest

from benchmarks import ledger


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "_FOLDER", tmp_path)
    monkeypatch.setattr(ledger, "_RESULTS", tmp_path / "results")
    monkeypatch.setattr(sys, "argv", ["benchmarks/some.py", "--n=5", "--what=two words"])
    return tmp_path


def test_an_entry_has_its_command_and_a_table_of_figures(folder):
    ledger.record("speed", "How fast", {"images_per_second": 1234.5, "share": 0.98765, "n": 7})
    entry = json.loads((folder / "results" / "speed.json").read_text())
    assert entry["command"] == "python benchmarks/some.py --n=5 '--what=two words'"
    assert ledger.read("speed") == entry
    assert ledger.read("other") is None
    page = (folder / "RESULTS.md").read_text()
    assert "## How fast\n\n    python benchmarks/some.py --n=5 '--what=two words'\n" in page
    for row in ("| images_per_second | 1,234 |", "| share | 0.9877 |", "| n | 7 |"):
        assert row in page


def test_series_are_kept_and_not_shown(folder):
    ledger.record("curve", "A curve", {"n": 1}, series={"seconds, whole": [[1, 0.5], [2, 0.75]]})
    text = (folder / "results" / "curve.json").read_text()
    assert "[1, 0.5]" in text  # A row on a line.
    assert json.loads(text)["series"] == {"seconds, whole": [[1, 0.5], [2, 0.75]]}
    assert "seconds, whole" not in (folder / "RESULTS.md").read_text()


def test_rows_of_a_table_stand_together_and_a_new_run_takes_the_place_of_the_old(folder):
    ledger.record("speed", "How fast", {"n": 1})
    for name, whole in [("base", "97.00 %"), ("adam", "94.10 %"), ("base", "98.50 %")]:
        ledger.record_row("ideas", name, f"what {name} is", {"whole captchas": whole, "n": 20000})
    page = (folder / "RESULTS.md").read_text()
    table = page[page.index("| idea |") :].splitlines()
    assert table == [
        "| idea | whole captchas | n |",
        "|---|---|---|",
        "| adam: what adam is | 94.10 % | 20000 |",
        "| base: what base is | 98.50 % | 20000 |",
    ]

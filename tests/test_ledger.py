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
    monkeypatch.delenv("BENCH_SHORT", raising=False)
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


def test_a_short_form_leaves_the_whole_one_as_it_is_and_stands_after_all_whole_ones(
    folder, monkeypatch
):
    ledger.record("speed", "How fast", {"n": 1000})
    ledger.record_row("ideas", "base", "the base", {"n": 20000})
    monkeypatch.setenv("BENCH_SHORT", "1")
    assert ledger.read("speed") is None
    ledger.record("speed", "How fast, short", {"n": 10})
    ledger.record("alone", "Only short", {"n": 3})
    ledger.record_row("ideas", "base", "the base", {"n": 500})
    assert ledger.read("speed")["figures"] == {"n": 10}
    assert list(ledger.read_all()) == ["alone", "speed"]
    assert ledger.read_rows("ideas")["base"]["figures"] == {"n": 500}
    monkeypatch.delenv("BENCH_SHORT")
    assert ledger.read("speed")["figures"] == {"n": 1000}
    assert list(ledger.read_all()) == ["speed"]
    assert ledger.read_rows("ideas")["base"]["figures"] == {"n": 20000}
    page = (folder / "RESULTS.md").read_text()
    assert [line for line in page.splitlines() if line.startswith("#")] == [
        "# Results",
        "## How fast",
        "## Ideas, each alone, on captchas that never come twice",
        "## Short forms",
        "### Only short",
        "### How fast, short",
        "### Ideas, each alone, on captchas that never come twice",
    ]
    assert page.count("    BENCH_SHORT=1 python benchmarks/some.py --n=5 '--what=two words'\n") == 2
    assert "    BENCH_SHORT=1 python benchmarks/ideas.py --ideas=IDEA\n" in page


def test_a_plot_stands_once_at_the_first_entry_whose_name_it_begins(folder):
    (folder / "plots" / "short").mkdir(parents=True)
    for name in ("train", "ideas", "not_measured", "short/train"):
        (folder / "plots" / f"{name}.png").touch()
    for name in ("train_captcha", "train_quick", "speed"):
        ledger.record(name, f"About {name}", {"n": 1})
    ledger.record_row("ideas", "base", "the base", {"n": 1})
    page = (folder / "RESULTS.md").read_text()
    assert "## About train_captcha\n\n![Plot: train](plots/train.png)\n\n    python" in page
    assert "twice\n\n![Plot: ideas](plots/ideas.png)\n\n    python" in page
    assert page.count("![") == 2

import json

import pytest

from benchmarks import ledger, peers

LIMIT = 600.0


@pytest.mark.parametrize(
    ("seconds", "ours", "expected"),
    [
        (300.0, 100.0, 3.0),
        ("not within 600 s", 100.0, "more than 6.0"),
        (300.0, "not within 600 s", "ours did not"),
        (300.0, None, "ours did not"),  # Ours has not been trained.
    ],
)
def test_who_did_not_arrive_is_no_number(seconds, ours, expected):
    assert peers.times(seconds, LIMIT, ours) == expected


@pytest.fixture
def kept_ledger(tmp_path, monkeypatch):
    """An empty ledger."""
    monkeypatch.setattr(ledger, "_FOLDER", tmp_path)
    monkeypatch.setattr(ledger, "_RESULTS", tmp_path / "results")
    return tmp_path


def figures(seconds):
    return {
        "parameters": 7,
        "images_seen": 6000,
        "images_per_second": 10.0,
        "training_seconds": LIMIT,
        "best_sequence_accuracy": 0.98,
        **{f"seconds_to_{percent}_percent_whole": seconds[percent] for percent in seconds},
    }


def test_the_summary_is_of_all_that_the_ledger_has(kept_ledger):
    missed = "not within 600 s"
    ledger.record("peers_ours", "Ours", figures({50: 10.0, 97: 20.0, 99: 40.0}))
    short = {50: 8.0, 97: 10.0, 99: missed}
    ledger.record("peers_ours_short", "Ours for 97 %", figures(short))
    ledger.record("peers_book", "Book", figures({50: 100.0, 97: 500.0, 99: missed}))
    peers._compare()
    entry = json.loads((kept_ledger / "results" / "peers.json").read_text())
    assert entry["figures"]["book: times ours, to 97 %"] == 50  # Of the two of ours the sooner.
    assert entry["figures"]["book: times ours, to 99 %"] == "more than 15.0"
    assert "ours_short: times ours, to 97 %" not in entry["figures"]
    assert not any(name.startswith("keras_ocr") for name in entry["figures"])


def test_series_are_kept_and_not_shown(kept_ledger):
    rows = [[10.5, 640.0, 0.0, 0.1], [-1.0, 1e-7, 0.5, 0.75]]
    ledger.record("curve", "A curve", {"best": 0.5}, series={"seconds, images": rows})
    assert ledger.read("curve")["series"] == {"seconds, images": rows}
    assert "640" not in (kept_ledger / "RESULTS.md").read_text()
    assert "[10.5, 640.0, 0.0, 0.1]" in (kept_ledger / "results" / "curve.json").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--peers=ours,alexnet"],
            "`peers` must be some of ours, ours_short, book, captcha_tensorflow",
        ),
        (["--peers="], "received ''"),
    ],
)
def test_an_unknown_peer_is_refused(run_program, arguments, message):
    done = run_program("benchmarks/peers.py", *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_peer_and_ours_are_trained_by_the_same_program(run_program, small_dataset):
    done = run_program(
        "benchmarks/peers.py",
        "--peers=ours,captcha_tensorflow",
        "--ours=configs/quick.flags",
        "--minutes=0.02",
        f"--data_dir={small_dataset}",
        "--norecord",
    )
    assert done.returncode == 0, done.stderr
    assert "--peer=ours --flagfile=configs/quick.flags --minutes=0.02" in done.stdout
    assert done.stdout.count("seconds_to_97_percent_whole") == 2
    assert "1409064" in done.stdout

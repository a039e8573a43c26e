"""`python mining` lists what a network is not sure of, `live:...&only=LIST` trains on that."""

import dataclasses
import itertools
import json

import numpy as np
import pytest

from data_gen.example import make_example
from data_gen.hard_list import HardList, load_hard_list, save_hard_list, style_fields
from data_gen.live import parse_live
from data_gen.style import Style
from data_gen.style_file import load_style
from export.open_reader import open_reader
from mining import miner
from mining.miner import MiningConfig, mine

STREAM = "live:default?seed=7"


def hard_list(**changes):
    fields = {"style": style_fields(Style()), "seed": 7, "chosen_by": {}, "end": 50}
    return HardList(**{**fields, "numbers": (2, 5, 11, 30), **changes})


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "hard.json"
    save_hard_list(hard_list(), path)
    return path


@pytest.fixture(scope="module")
def readers(run_program, barely_trained_model, tmp_path_factory):
    """A SavedModel and a .tflite file of one network."""
    out = tmp_path_factory.mktemp("exports")
    done = run_program("export", f"--model_dir={barely_trained_model}", f"--out={out}", "--tflite")
    assert done.returncode == 0, done.stderr
    (version,) = out.iterdir()
    return {"saved_model": out, "tflite": version / "assets.extra" / "model.tflite"}


@pytest.fixture(scope="module")
def confidences(readers):
    """What the network says of captchas 0 to 59, all read at once."""
    images = np.stack([make_example(Style(), 7, "train", i).image for i in range(60)])
    return open_reader(readers["tflite"]).read_images(images).confidences


def config(reader, tmp_path, **changes):
    fields = {"saved_model": str(reader), "out": str(tmp_path / "hard.json"), "num_workers": 1}
    return MiningConfig(**{**fields, "data_dir": STREAM, "n": 60, **changes})


@pytest.mark.parametrize("every", [0, 7])
@pytest.mark.parametrize("kind", ["saved_model", "tflite"])
def test_listed_is_what_is_read_with_less_confidence_and_each_so_many_th(
    readers, confidences, tmp_path, monkeypatch, kind, every
):
    monkeypatch.setattr(miner, "_BATCH", 8)
    monkeypatch.setattr(miner, "_BLOCK", 20)
    middle = float(np.sort(confidences)[29:31].mean())
    hard = mine(config(readers[kind], tmp_path, max_confidence=middle, every=every))
    expected = {i for i in range(60) if confidences[i] < middle or (every and i % every == 0)}
    assert len(expected) == 30 if every == 0 else 30 < len(expected) < 40
    assert set(hard.numbers) == expected
    assert hard == load_hard_list(tmp_path / "hard.json")
    assert hard.is_of(Style(), 7)


def test_the_list_does_not_depend_on_the_number_of_workers(readers, confidences, tmp_path):
    options = {"max_confidence": float(np.median(confidences)), "n": 10_000}
    one = mine(config(readers["tflite"], tmp_path, **options))
    more = mine(
        config(
            readers["tflite"], tmp_path, **options, num_workers=3, out=str(tmp_path / "more.json")
        )
    )
    assert 3_000 < len(one.numbers) < 7_000
    assert more == one


def test_it_goes_on_where_it_was_stopped(readers, confidences, tmp_path, monkeypatch):
    monkeypatch.setattr(miner, "_BLOCK", 16)
    wanted = config(readers["tflite"], tmp_path, max_confidence=float(np.median(confidences)))
    blocks = itertools.count()

    def stop_in_the_fourth(count):
        if next(blocks) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(miner, "report_progress", stop_in_the_fourth)
        with pytest.raises(KeyboardInterrupt):
            mine(wanted)
    begun = load_hard_list(wanted.out)
    assert begun.end == 48
    whole = mine(dataclasses.replace(wanted, out=str(tmp_path / "whole.json")))
    assert mine(wanted) == whole
    assert begun.numbers == tuple(i for i in whole.numbers if i < 48)
    assert mine(dataclasses.replace(wanted, n=20)) == whole  # There is no more to look at.


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": 0}, "`n` must be at least 1, received 0"),
        ({"max_confidence": 0.0}, r"`max_confidence` must be in \(0, 1\], received 0.0"),
        ({"max_confidence": 1.5}, "received 1.5"),
        ({"every": -1}, "`every` must be at least 0, received -1"),
        ({"data_dir": "captcha_data"}, "must be a whole live stream, received 'captcha_data'"),
        ({"data_dir": "live:default?only=a.json"}, "must be a whole live stream"),
        ({"data_dir": "live:letters"}, "must be what .* reads .* received 'live:letters'"),
        ({"max_confidence": 0.5}, "`out` must be a new file, or one to go on with"),
        ({"data_dir": "live:default?seed=8"}, "received .*hard.json, of seed 7"),
        ({"num_workers": 0}, "`workers` must be at least 1, received 0"),
        ({"saved_model": "nothing/here"}, "nothing/here"),
    ],
)
def test_what_cannot_be_mined_is_refused_and_a_list_stays(readers, tmp_path, changes, message):
    before = mine(config(readers["tflite"], tmp_path, n=5))
    with pytest.raises(ValueError, match=message):
        mine(config(readers["tflite"], tmp_path, **changes))
    assert load_hard_list(tmp_path / "hard.json") == before


@pytest.mark.parametrize("numbers", [(5, 2), (2, 2), (-1, 4), (4, 50)])
def test_numbers_rise_and_have_been_looked_at(numbers):
    with pytest.raises(ValueError, match=r"must rise within \[0, 50\)"):
        hard_list(numbers=numbers)


@pytest.mark.parametrize("text", ["", "[1, 2]", '{"numbers": [1]}', "no list", '{"numbers": 3}'])
def test_a_file_that_is_no_list_is_refused(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(
        ValueError, match=r"other\.json must be a list as `python mining` writes it"
    ):
        parse_live(f"{STREAM}&only={path}")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 8}, "received .*, of seed 8"),
        (
            {"style": style_fields(load_style("wide"))},
            "must list captchas of this style and seed 7",
        ),
        ({"generator": "another 1.0"}, "drawn by another 1.0"),
        ({"numbers": ()}, "`only` must list captchas, received none in"),
    ],
)
def test_a_list_of_other_captchas_is_refused(tmp_path, changes, message):
    save_hard_list(hard_list(**changes), tmp_path / "other.json")
    with pytest.raises(ValueError, match=message):
        parse_live(f"{STREAM}&only={tmp_path / 'other.json'}")


def test_lists_are_joined(listed, tmp_path):
    save_hard_list(hard_list(end=99, numbers=(0, 5, 98)), tmp_path / "more.json")
    data = parse_live(f"{STREAM}&only={listed},{tmp_path / 'more.json'}")
    assert data.only == (0, 2, 5, 11, 30, 98)
    assert data.num_examples("train") == 6


def test_a_list_makes_other_data_and_the_test_set_stays(listed):
    data, whole = parse_live(f"{STREAM}&only={listed}&n_test=9"), parse_live(f"{STREAM}&n_test=9")
    assert data.identity != whole.identity
    assert data.num_examples("test") == 9
    for one, other in zip(labels_of(data, "test", 9), labels_of(whole, "test", 9), strict=True):
        np.testing.assert_array_equal(one, other)


def labels_of(data, split, num, batch_size=3):
    """Labels of the first `num` captchas."""
    from data_gen.live_input import live_input_fn

    batches = live_input_fn(data, split, batch_size)()
    batches = itertools.islice(batches, -(-num // batch_size))
    return np.concatenate([labels.numpy() for _, labels in batches])[:num]


def test_each_pass_has_every_captcha_of_the_list_once_in_its_own_order(listed):
    data = parse_live(f"{STREAM}&only={listed}")
    label = {i: make_example(Style(), 7, "train", i).digits.tolist() for i in data.only}
    labels = labels_of(data, "train", 40).tolist()
    passes = [labels[i : i + 4] for i in range(0, 40, 4)]
    for one in passes:
        assert sorted(one) == sorted(label.values())
    assert len({json.dumps(one) for one in passes}) > 5
    assert labels_of(data, "train", 40, batch_size=7).tolist() == labels


@pytest.mark.slow
def test_a_network_is_trained_on_what_it_was_not_sure_of(
    run_program, barely_trained_model, readers, tmp_path
):
    done = run_program(
        "mining",
        f"--saved_model={readers['saved_model']}",
        f"--data_dir={STREAM}",
        "--n=40",
        "--max_confidence=1",
        "--workers=2",
        f"--out={tmp_path / 'hard.json'}",
    )
    assert done.returncode == 0, done.stderr
    assert "hard.json, 40 of 40 captchas\nnext: python train.py --flagfile=" in done.stdout
    assert done.stdout.endswith("hard.json' --max_steps=1\n")  # One pass, in batches of 64.
    done = run_program(
        "train.py",
        f"--data_dir={STREAM}&n_test=10&only={tmp_path / 'hard.json'}",
        f"--warm_start_from={barely_trained_model}",
        f"--model_dir={tmp_path / 'further'}",
        "--max_steps=12",
        "--batch_size=8",
    )
    assert done.returncode == 0, done.stderr
    assert "40 captchas to train on, 10 to test on" in done.stderr
    assert "<td>40</td>" in (tmp_path / "further" / "report.html").read_text()

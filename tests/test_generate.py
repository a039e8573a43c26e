import dataclasses
import hashlib
import json
import os

import numpy as np
import pytest
from PIL import Image

from data_gen.example import make_example
from data_gen.generate import GenerateConfig, generate
from data_gen.parallel import ordered_map, report_progress
from data_gen.style import Style
from records.description import load_description
from records.example_proto import decode_example
from records.tfrecord import read_records


def config(out, **options):
    return GenerateConfig(
        **{
            "style": Style(),
            "num_train": 30,
            "num_test": 10,
            "out_dir": out,
            "num_workers": 1,
            **options,
        }
    )


def hashes(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def examples(folder, split):
    description = load_description(folder)
    for path in sorted((folder / split).iterdir()):
        for record in read_records(path):
            yield decode_example(description.fields, record)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("num_train", 0, r"`n` must be in \[1, 1000000000\], received 0. Set --n"),
        ("num_train", -5, "received -5"),
        ("num_test", 0, "`n_test` must be in"),
        ("seed", -1, "`seed` must be in"),
        ("num_workers", 0, "`workers` must be in"),
        ("encoding", "gif", "received 'gif'"),
    ],
)
def test_generate_refuses(tmp_path, option, value, message):
    with pytest.raises(ValueError, match=message):
        generate(config(tmp_path / "out", **{option: value}))
    assert not (tmp_path / "out").exists()


def test_records_hold_the_examples_of_the_seed_in_order(tmp_path):
    generate(config(tmp_path / "out", seed=5))
    for split, n in (("train", 30), ("test", 10)):
        read = list(examples(tmp_path / "out", split))
        assert len(read) == n
        for index, values in enumerate(read):
            expected = make_example(Style(), 5, split, index)
            np.testing.assert_array_equal(values["image"], expected.image)
            np.testing.assert_array_equal(values["label"], expected.digits)


@pytest.mark.slow
def test_any_number_of_workers_writes_the_same_bytes(tmp_path):
    """Every file, over several shards, and not the same as another seed's."""
    sizes = {"num_train": 2300, "num_test": 1150}
    for workers in (1, 2, 3):
        generate(config(tmp_path / f"w{workers}", num_workers=workers, **sizes))
    assert len(list((tmp_path / "w1").glob("*/*"))) == 3
    assert hashes(tmp_path / "w1") == hashes(tmp_path / "w2") == hashes(tmp_path / "w3")
    generate(config(tmp_path / "other", num_workers=2, seed=1, **sizes))
    assert hashes(tmp_path / "other") != hashes(tmp_path / "w1")


def test_the_first_examples_do_not_depend_on_how_many_are_drawn(tmp_path):
    generate(config(tmp_path / "few", num_train=10))
    generate(config(tmp_path / "many", num_train=30))
    few, many = (list(examples(tmp_path / name, "train")) for name in ("few", "many"))
    for a, b in zip(few, many, strict=False):
        np.testing.assert_array_equal(a["image"], b["image"])


@pytest.mark.parametrize("encoding", ["raw", "png", "jpeg"])
def test_encodings_keep_the_picture(tmp_path, encoding):
    generate(config(tmp_path / "out", encoding=encoding))
    first = next(examples(tmp_path / "out", "train"))["image"].astype(int)
    difference = np.abs(first - make_example(Style(), 0, "train", 0).image.astype(int))
    if encoding == "jpeg":  # Lossy: no pixel far off on average, and not the same either.
        assert 0 < difference.mean() < 8
    else:
        assert difference.max() == 0


def test_maps_are_written_when_asked_for(tmp_path):
    generate(config(tmp_path / "out", with_map=True))
    generate(config(tmp_path / "without"))
    values = next(examples(tmp_path / "out", "train"))
    expected = make_example(Style(), 0, "train", 0, with_map=True)
    np.testing.assert_array_equal(values["map"], expected.character_map)
    without = next(examples(tmp_path / "without", "train"))
    np.testing.assert_array_equal(values["image"], without["image"])
    assert "map" not in without


def test_provenance_tells_what_the_pictures_depend_on(tmp_path):
    style = Style(width_px=120, min_length=5, max_length=5)
    generate(config(tmp_path / "out", style=style, seed=9))
    provenance = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert provenance["seed"] == 9
    assert provenance["style"]["width_px"] == 120
    assert provenance["renderer"] == "fast"
    assert [font["file"] for font in provenance["fonts"]] == ["DroidSansMono.ttf"]
    assert provenance["label"]["alphabet"] == "0123456789"
    assert provenance["label"]["length"] == 5
    assert set(provenance["versions"]) == {"captcha", "numba", "numpy", "pillow", "freetype"}
    assert sum(shard["examples"] for shard in provenance["shards"]["train"]) == 30


def test_an_existing_dataset_is_kept_without_overwrite_and_replaced_with_it(tmp_path):
    out = tmp_path / "out"
    generate(config(out))
    before = hashes(out)
    with pytest.raises(ValueError, match="overwrite"):
        generate(config(out, seed=1))
    assert hashes(out) == before
    generate(config(out, seed=1, overwrite=True))
    assert hashes(out) != before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.slow
def test_the_command_writes_a_dataset_and_says_what_is_next(tmp_path, run_program):
    done = run_program("data_gen", "--n=300", "--workers=2", f"--out={tmp_path / 'd'}")
    assert done.returncode == 0, done.stderr
    assert "300 train and 30 test captchas" in done.stdout
    assert "next: python train.py" in done.stdout
    assert "draw | 330 of 330 captchas" in done.stderr
    names = {path.name for path in (tmp_path / "d").iterdir()}
    assert names == {
        "train",
        "test",
        "data_info.csv",
        "dataset_info.json",
        "features.json",
        "preview.png",
        "provenance.json",
    }


def test_a_preview_is_one_sheet_and_no_dataset(tmp_path, run_program):
    sheet = tmp_path / "new" / "look.png"
    done = run_program("data_gen", "--style=clean", f"--preview={sheet}")
    assert done.returncode == 0, done.stderr
    assert Image.open(sheet).size[0] > 8 * 100
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "look.png"]
    done = run_program("data_gen", f"--preview={tmp_path / 'look.txt'}")
    assert "error: `preview` must be a .png" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--n=0"], "`n` must be in"),
        (["--n=many"], "--n"),
        (["--n=10", "--n_test=0"], "`n_test` must be in"),
        (["50000"], "this program takes flags only, received '50000'"),
        (["--number=3"], "Unknown command line flag 'number'"),
        (["--width=40"], "Set `width` to 68 or more"),
        (["--alphabet=01", "--length=0"], "`length` must be 1 or more"),
        (["--length=6-3"], "the smaller number first, received '6-3'"),
        (["--length=four"], "`length` must be a number or a range, received 'four'"),
        (["--style=wied"], "did you mean 'wide'?"),
        (["--renderer=other"], "renderer"),
        (["--preview=look.png"], "`out` goes not with --preview"),
        (["--like=nowhere"], "received 'nowhere', which does not exist"),
        (["--like=nowhere", "--seed=3"], "`seed` goes not with --like"),
        (["--fonts=nowhere"], "received 'nowhere'"),
        (["--encoding=gif"], "encoding"),
        (["--resize=pad"], "`resize` goes only with --from_images"),
        (["--from_images=x", "--n=3"], "`n` goes not with --from_images"),
        (["--from_images=nowhere"], "received 'nowhere' which does not exist"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_nothing_is_written(tmp_path, run_program, arguments, message):
    done = run_program("data_gen", f"--out={tmp_path / 'd'}", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def square(x):
    return x * x


def square_aloud(x):
    report_progress(x)
    return x * x


def die(x):
    if x == 3:
        os._exit(1)
    return x


def test_ordered_map_keeps_the_order_and_reads_its_tasks_only_as_needed():
    for workers in (1, 2):
        assert list(ordered_map(square, range(20), workers)) == [x * x for x in range(20)]
    drawn = []
    results = ordered_map(square, (drawn.append(x) or x for x in range(1000)), 2)
    assert next(results) == 0
    assert len(drawn) < 20
    results.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_what_workers_report_has_been_told_when_the_last_result_comes(workers):
    told = []
    list(ordered_map(square_aloud, range(20), workers, on_progress=told.append))
    assert sum(told) == sum(range(20))


def test_a_worker_that_dies_is_an_error_and_not_a_hang():
    with pytest.raises(OSError, match="every worker process must live to the end"):
        list(ordered_map(die, range(100), 2))


def test_the_config_is_frozen(tmp_path):
    with pytest.raises(dataclasses.FrozenInstanceError):
        config(tmp_path).seed = 1

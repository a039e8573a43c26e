import dataclasses
import json
import pathlib
import shutil

import numpy as np
import pytest

import train

CONFIGS = pathlib.Path(__file__).resolve().parent.parent / "configs"


def config(small_dataset, tmp_path, **options):
    return train.TrainConfig(
        **{
            "data_dir": str(small_dataset),
            "model_dir": str(tmp_path / "model"),
            "max_steps": 3,
            "batch_size": 8,
            "warmup_steps": 1,
            "log_steps": 1,
            "save_checkpoints_steps": 2,
            "precision": "float32",
            **options,
        }
    )


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("max_steps", 0, "`max_steps` must be at least 1, received 0. Raise --max_steps"),
        ("batch_size", 0, "`batch_size` must be at least 1"),
        ("log_steps", -1, "`log_steps` must be at least 1"),
        ("seed", -1, "`seed` must be in"),
        ("mode", "predict", "`mode` must be one of train_and_evaluate, train, evaluate"),
    ],
)
def test_a_config_refuses(option, value, message):
    with pytest.raises(ValueError, match=message):
        train.TrainConfig(**{option: value})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"net": "resnet"}, "`net` must be one of small"),
        ({"learning_rate": 0.0}, r"`learning_rate` must be in \(0, 1\)"),
        ({"dropout": 1.5}, "`dropout` must be in"),
        ({"dropout_from_step": -1}, "`dropout_from_step` must be at least 0"),
        ({"shift_rows": 30}, "`shift_rows` must be in"),
        ({"precision": "int8"}, "`precision` must be one of"),
        ({"data_dir": "nowhere"}, "nowhere"),
        ({"mode": "evaluate"}, r"without model\.json"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_trained_is_refused_and_leaves_no_model(
    small_dataset, tmp_path, options, message
):
    with pytest.raises(ValueError, match=message):
        train.run(config(small_dataset, tmp_path, **options))
    assert not (tmp_path / "model").exists()


def test_one_run_leaves_checkpoints_metrics_flags_and_events(small_dataset, tmp_path, capsys):
    metrics = train.run(config(small_dataset, tmp_path))
    model = tmp_path / "model"
    assert metrics["n"] == 20
    assert metrics["global_step"] == 3
    assert np.isfinite(metrics["loss"])
    written = json.loads((model / "eval" / "metrics.json").read_text())
    assert {"global_step", "loss", "character_accuracy", "sequence_accuracy", "n"} <= set(written)
    assert written["sequence_accuracy"] <= written["character_accuracy"]
    assert list(model.glob("ckpt-3*"))
    assert list(model.glob("events.out.tfevents*"))
    assert list((model / "eval").glob("events.out.tfevents*"))
    assert not list(model.glob("*.partial"))
    printed = capsys.readouterr().out
    assert "whole captchas" in printed
    assert "single characters" in printed
    assert "on 20 test captchas" in printed
    assert "next: python export" in printed


def test_the_saved_flags_repeat_the_run(small_dataset, tmp_path):
    asked = config(small_dataset, tmp_path, dropout=0.25, verify_hashes=False)
    train.run(asked)
    flags = (tmp_path / "model" / "flags.txt").read_text().splitlines()
    values = dict(line.removeprefix("--").split("=", 1) for line in flags)
    given = {name: value for name, value in dataclasses.asdict(asked).items() if value is not None}
    assert values == {name: str(value) for name, value in given.items()}


def test_a_finished_run_trains_no_further_and_tells_the_same(small_dataset, tmp_path):
    asked = config(small_dataset, tmp_path)
    first = train.run(asked)
    again = train.run(asked)
    assert again == first


def test_evaluate_reads_the_checkpoint_and_changes_no_flags(small_dataset, tmp_path):
    first = train.run(config(small_dataset, tmp_path))
    before = (tmp_path / "model" / "flags.txt").read_text()
    again = train.run(config(small_dataset, tmp_path, mode="evaluate", batch_size=16))
    assert again == pytest.approx(first)
    assert (tmp_path / "model" / "flags.txt").read_text() == before


@pytest.mark.slow
def test_a_run_in_two_parts_ends_like_one_in_one_part(small_dataset, tmp_path):
    """The order of captchas, shifts and dropout go on where they were: equal weights at the end."""
    from model.captcha_estimator import load_estimator
    from training.data import input_fns, load_data
    from training.prepare import prepare

    options = {"max_steps": 6, "dropout": 0.5, "dropout_from_step": 2}
    whole = config(small_dataset, tmp_path / "whole", **options)
    parts = config(small_dataset, tmp_path / "parts", **options)
    for asked in (whole, parts):
        (tmp_path / ("whole" if asked is whole else "parts")).mkdir()
    train.run(whole)
    prepare(parts, load_data(parts)).train(input_fns(parts)[0], steps=3)
    train.run(parts)
    weights = [
        {name: estimator.get_variable_value(name) for name in estimator.get_variable_names()}
        for estimator in (load_estimator(asked.model_dir)[0] for asked in (whole, parts))
    ]
    assert weights[0].keys() == weights[1].keys()
    for name, value in weights[0].items():
        np.testing.assert_array_equal(value, weights[1][name], err_msg=name)


def test_other_data_than_the_checkpoints_is_refused_and_they_are_kept(small_dataset, tmp_path):
    from data_gen.generate import GenerateConfig, generate
    from data_gen.style import Style

    train.run(config(small_dataset, tmp_path))
    other = tmp_path / "other"
    style = Style(alphabet="01234", width_px=120)
    generate(GenerateConfig(style=style, num_train=10, num_test=4, out_dir=other, num_workers=1))
    before = {path: path.read_bytes() for path in (tmp_path / "model").glob("ckpt*")}
    with pytest.raises(ValueError, match="alphabet '0123456789' against '01234'"):
        train.run(config(other, tmp_path))
    assert before == {path: path.read_bytes() for path in (tmp_path / "model").glob("ckpt*")}


@pytest.mark.parametrize("num_train", [20, 60], ids=["smaller", "as_large"])
def test_another_dataset_in_the_same_model_dir_is_evaluated_but_not_trained_on(
    small_dataset, tmp_path, num_train
):
    from data_gen.generate import GenerateConfig, generate
    from data_gen.style import Style

    train.run(config(small_dataset, tmp_path))
    other = tmp_path / "other"
    generate(
        GenerateConfig(
            style=Style(), num_train=num_train, num_test=4, out_dir=other, num_workers=1, seed=8
        )
    )
    with pytest.raises(ValueError, match=r"must be the dataset that .* was trained on so far"):
        train.run(config(other, tmp_path, max_steps=20))
    assert train.run(config(other, tmp_path, mode="evaluate"))["n"] == 4


def test_the_same_dataset_goes_on_wherever_it_lies(small_dataset, tmp_path):
    train.run(config(small_dataset, tmp_path))
    shutil.copytree(small_dataset, tmp_path / "moved")
    assert train.run(config(tmp_path / "moved", tmp_path, max_steps=4))["global_step"] == 4


def test_other_live_captchas_are_refused_too(tmp_path):
    train.run(config("live:default?seed=1&n_test=4", tmp_path))
    with pytest.raises(ValueError, match=r"must be the dataset that .* was trained on so far"):
        train.run(config("live:default?seed=2&n_test=4", tmp_path, max_steps=4))


def damage_cut(data):
    return data[:-1000]


def damage_cut_at_record(data):
    """The first half of the records, each whole: nothing but a count can tell."""
    record_bytes = int.from_bytes(data[:8], "little") + 16
    return data[: len(data) // record_bytes // 2 * record_bytes]


def damage_to_nothing(data):
    del data
    return b""


def damage_bit(data):
    return data[:5000] + bytes([data[5000] ^ 1]) + data[5001:]


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(
    "damage", [damage_cut, damage_cut_at_record, damage_to_nothing, damage_bit]
)
def test_a_damaged_shard_is_refused_before_the_first_step(small_dataset, tmp_path, damage, split):
    data = tmp_path / "data"
    shutil.copytree(small_dataset, data)
    shard = next((data / split).iterdir())
    shard.write_bytes(damage(shard.read_bytes()))
    with pytest.raises(ValueError, match=shard.name):
        train.run(config(data, tmp_path))
    assert not (tmp_path / "model").exists()


def test_a_flipped_bit_found_while_training_is_one_line_too(small_dataset, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(small_dataset, data)
    shard = next((data / "train").iterdir())
    shard.write_bytes(damage_bit(shard.read_bytes()))
    with pytest.raises(ValueError, match="python records verify"):
        train.run(config(data, tmp_path, verify_hashes=False, max_steps=20))


@pytest.mark.slow
def test_the_command_logs_aligned_lines_and_prints_the_result_last(
    small_dataset, tmp_path, run_program
):
    model = tmp_path / "model"
    done = run_program(
        "train.py",
        "--flagfile=configs/quick.flags",
        f"--data_dir={small_dataset}",
        f"--model_dir={model}",
        "--max_steps=4",
        "--batch_size=8",
        "--log_steps=2",
        "--candidates=3",
        "--candidates_from_step=2",
    )
    assert done.returncode == 0, done.stderr
    (described,) = [line for line in done.stderr.splitlines() if "config |" in line]
    assert "from step 2 on the least sure of 3: a step takes longer" in described
    lines = [line for line in done.stderr.splitlines() if "train | step" in line]
    assert [line.split("step")[1].split("of")[0].strip() for line in lines] == ["2", "4"]
    for line in lines:
        for part in ("loss", "character_accuracy", "sequence_accuracy", "/s", "left"):
            assert part in line
    assert len({line.index("| loss") for line in lines}) == 1
    assert "whole captchas" in done.stdout
    again = run_program("train.py", f"--flagfile={model / 'flags.txt'}")
    assert again.returncode == 0, again.stderr
    assert "Skipping training since max_steps has already saved." in again.stderr
    assert again.stdout == done.stdout


@pytest.mark.parametrize("name", sorted(path.name for path in CONFIGS.glob("*.flags")))
def test_each_flagfile_has_flags_of_train_only(run_program, name):
    done = run_program("train.py", f"--flagfile=configs/{name}", "--log_steps=0")
    assert "error: `log_steps` must be at least 1" in done.stderr  # After all else was read.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--max_steps=0"], "`max_steps` must be at least 1"),
        (["--learning_rate=fast"], "--learning_rate=fast"),
        (["captcha.flags"], "this program takes flags only, received 'captcha.flags'"),
        (["--mode=serve"], "mode"),
        (["--data_dir=nowhere"], "python data_gen"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line(tmp_path, run_program, arguments, message):
    done = run_program("train.py", f"--model_dir={tmp_path / 'model'}", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_a_trained_model_goes_on_with_imported_pictures(small_dataset, tmp_path, run_program):
    """As docs/real_captchas.md has it."""

    def run(*arguments, status=0):
        done = run_program(*arguments)
        assert done.returncode == status, done.stderr
        return done

    few = ("--max_steps=2", "--batch_size=8")
    drawn, begun = f"--data_dir={small_dataset}", tmp_path / "begun"
    run("train.py", "--flagfile=configs/captcha.flags", drawn, f"--model_dir={begun}", *few)
    pictures = tmp_path / "pictures"
    run("records", "dump", small_dataset, "--split=train", "--n=30", f"--out={pictures}")
    size = ("--width=100", "--height=30", "--resize=stretch")
    imported = run("data_gen", f"--from_images={pictures}", *size, f"--out={tmp_path / 'data'}")
    assert "next: python train.py --flagfile=configs/from_scratch.flags" in imported.stdout
    own = ("--flagfile=configs/fine_tune.flags", f"--data_dir={tmp_path / 'data'}", *few)
    done = run("train.py", *own, f"--model_dir={tmp_path / 'own'}", f"--warm_start_from={begun}")
    assert f"33 of 33 variables from {begun}" in done.stderr
    assert "this run trains" not in done.stderr
    done = run(
        "train.py",
        *own,
        "--net=small",
        f"--model_dir={tmp_path / 'small'}",
        f"--warm_start_from={begun}",
    )
    assert f"{begun} is attention_small and this run trains small" in done.stderr
    assert "--net=attention_small takes all" in done.stderr
    nothing = tmp_path / "nothing"
    refused = run(
        "train.py",
        *own,
        f"--model_dir={tmp_path / 'other'}",
        f"--warm_start_from={nothing}",
        status=1,
    )
    assert refused.stderr.splitlines()[-1].startswith("error: ")
    assert str(nothing) in refused.stderr.splitlines()[-1]

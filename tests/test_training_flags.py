"""What the flags of train.py beside the plainest ones do, each on a tiny dataset."""

import dataclasses
import json
import re
import shutil

import numpy as np
import pytest

import train
from model.captcha_estimator import load_estimator
from model.estimator import Hook, best_checkpoint, history
from model.params import OPTIMIZERS
from model.schedule import SCHEDULES
from training import config as training_config
from training import run as training_run
from training.data import input_fns, load_data
from training.hooks import run_hooks
from training.prepare import prepare


@pytest.fixture(scope="module")
def other_dataset(tmp_path_factory):
    from data_gen.generate import GenerateConfig, generate
    from data_gen.style import Style

    out = tmp_path_factory.mktemp("others") / "other captchas"
    generate(
        GenerateConfig(style=Style(), num_train=8, num_test=4, out_dir=out, num_workers=1, seed=9)
    )
    return out


@pytest.fixture(scope="module")
def trained(small_dataset, tmp_path_factory):
    """A model_dir of four steps, evaluated after two and four."""
    model_dir = tmp_path_factory.mktemp("trained") / "model"
    train.run(config(small_dataset, model_dir))
    return model_dir


def config(data_dir, model_dir, **options):
    return train.TrainConfig(
        **{
            "data_dir": str(data_dir),
            "model_dir": str(model_dir),
            "max_steps": 4,
            "batch_size": 8,
            "warmup_steps": 1,
            "log_steps": 1,
            "eval_steps": 2,
            "save_checkpoints_steps": 2,
            "precision": "float32",
            **options,
        }
    )


def values(model_dir, prefix=""):
    estimator, _ = load_estimator(model_dir)
    names = [name for name in estimator.get_variable_names() if name.startswith(prefix)]
    return {name: estimator.get_variable_value(name) for name in names}


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name], err_msg=name)


def test_the_config_knows_all_schedules():
    assert training_config.SCHEDULES == SCHEDULES
    assert training_config.OPTIMIZERS == OPTIMIZERS


def test_every_option_says_what_it_does():
    for field in dataclasses.fields(train.TrainConfig):
        assert field.metadata["help"].endswith("."), field.name


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("schedule", "linear", "`schedule` must be one of cosine, step, plateau, constant"),
        ("strategy", "tpu", "`strategy` must be one of one_device, mirrored, multi_worker"),
        ("max_minutes", 0.0, "`max_minutes` must be more than 0, received 0.0"),
        ("gradient_clip", -1.0, "`gradient_clip` must be more than 0, received -1.0"),
        ("patience_steps", -1, "`patience_steps` must be more than 0, received -1"),
        ("accumulate_gradients", 0, "`accumulate_gradients` must be at least 1, received 0"),
        ("steps_per_loop", 0, "`steps_per_loop` must be at least 1, received 0"),
        ("cpu_parts", -1, "`cpu_parts` must be at least 0, received -1. Use --cpu_parts=1"),
    ],
)
def test_a_config_refuses(option, value, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        train.TrainConfig(**{option: value})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ema_decay": 1.0}, "`ema_decay` must be in (0, 1), received 1.0"),
        ({"profile": "9"}, "received '9'"),
        ({"target": "accuracy"}, "received 'accuracy'"),
        ({"target": "speed=3"}, "sequence_accuracy"),
        ({"warm_start_from": "nowhere"}, "received 'nowhere'"),
    ],
    ids=lambda value: next(iter(value.items())) if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_one_line(small_dataset, tmp_path, options, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        train.run(config(small_dataset, tmp_path / "model", **options))
    assert "\n" not in str(caught.value)


# What a run leaves


@pytest.mark.slow
def test_a_run_leaves_a_report_a_history_and_its_best_checkpoint(trained):
    page = (trained / "report.html").read_text()
    for part in ("--max_steps", "tensorflow", "identity (SHA-256)", "Confusion matrix"):
        assert part in page, part
    assert [row["global_step"] for row in history.rows(trained, "train")] == [1, 2, 3, 4]
    assert [row["global_step"] for row in history.rows(trained, "eval")] == [2, 4]
    assert best_checkpoint(trained).endswith("best/ckpt-2")  # 0 of 20, and no better after.


@pytest.mark.slow
def test_another_dataset_gets_a_report_of_its_own_and_the_model_keeps_its_own(
    trained, other_dataset, tmp_path
):
    model_dir = tmp_path / "model"
    shutil.copytree(trained, model_dir)
    before = {name: (model_dir / name).read_bytes() for name in ("report.html", "flags.txt")}
    metrics = train.run(config(other_dataset, model_dir, mode="evaluate"))
    assert metrics["n"] == 4
    assert "other captchas" in (model_dir / "report_other_captchas.html").read_text()
    assert json.loads((model_dir / "eval_other_captchas" / "metrics.json").read_text())["n"] == 4
    assert json.loads((model_dir / "eval" / "metrics.json").read_text())["n"] == 20
    assert {name: (model_dir / name).read_bytes() for name in before} == before
    assert history.rows(model_dir) == history.rows(trained)


@pytest.mark.slow
def test_mode_evaluate_writes_the_report_of_the_own_data_anew(trained, small_dataset, tmp_path):
    model_dir = tmp_path / "model"
    shutil.copytree(trained, model_dir)
    (model_dir / "report.html").unlink()
    train.run(config(small_dataset, model_dir, mode="evaluate"))
    assert "20" in (model_dir / "report.html").read_text()


# Stopping early


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "last_step"),
    [
        ({"target": "sequence_accuracy=0"}, 2),
        ({"target": "sequence_accuracy=1"}, 6),
        ({"patience_steps": 2}, 4),
        ({"max_minutes": 1e-9}, 0),
        ({"max_minutes": 60.0}, 6),
    ],
    ids=["target", "missed_target", "patience", "no_time", "time"],
)
def test_a_run_stops_early(small_dataset, tmp_path, options, last_step):
    asked = config(small_dataset, tmp_path / "model", max_steps=6, **options)
    assert train.run(asked)["global_step"] == last_step


# How a step is computed


@pytest.mark.slow
def test_steps_in_one_loop_are_the_same_steps(trained, small_dataset, tmp_path):
    train.run(config(small_dataset, tmp_path / "model", steps_per_loop=2))
    assert_same(values(tmp_path / "model"), values(trained))


@pytest.mark.slow
def test_an_average_is_evaluated_and_the_weights_are_those_without_it(
    trained, small_dataset, tmp_path
):
    with_average = train.run(config(small_dataset, tmp_path / "model", ema_decay=0.9))
    assert_same(values(tmp_path / "model"), values(trained))
    without = json.loads((trained / "eval" / "metrics.json").read_text())
    assert with_average["loss"] != without["loss"]
    # A new process, which has no average of its own, reads it from the checkpoint.
    again = train.run(config(small_dataset, tmp_path / "model", mode="evaluate"))
    assert again["loss"] == pytest.approx(with_average["loss"], rel=1e-6)


class EndsAt(Hook):
    """Ends the process, as far as the training can tell."""

    def __init__(self, step):
        self._step = step

    def after_run(self, run, values):
        if run.global_step == self._step:
            raise SystemExit


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["step", "plateau", "constant"])
def test_a_killed_run_ends_like_a_whole_one_under_every_schedule(
    small_dataset, tmp_path, monkeypatch, schedule
):
    # With a plateau rule the rate has been halved at step 6: no captcha of 20 is ever read.
    options = {"max_steps": 8, "schedule": schedule}
    whole = config(small_dataset, tmp_path / "whole", **options)
    killed = config(small_dataset, tmp_path / "killed", **options)
    train.run(whole)

    def hooks_that_end_it(*arguments):
        hooks = run_hooks(*arguments)
        hooks.training.append(EndsAt(7))
        return hooks

    with monkeypatch.context() as context:
        context.setattr(training_run, "run_hooks", hooks_that_end_it)
        with pytest.raises(SystemExit):
            train.run(killed)
    train.run(killed)
    assert_same(values(tmp_path / "whole"), values(tmp_path / "killed"))
    rates = [row["learning_rate"] for row in history.rows(tmp_path / "killed", "train")]
    assert (rates[-1] < 0.6 * rates[2]) == (schedule != "constant")


@pytest.mark.slow
def test_a_warm_start_takes_what_fits_and_leaves_the_rest_fresh(trained, tmp_path):
    from data_gen.generate import GenerateConfig, generate
    from data_gen.style import Style

    letters = tmp_path / "letters"
    generate(
        GenerateConfig(
            style=Style(alphabet="abc"), num_train=8, num_test=4, out_dir=letters, num_workers=1
        )
    )
    asked = config(letters, tmp_path / "model", warm_start_from=str(trained), max_steps=2)
    prepare(asked, load_data(asked)).train(
        input_fns(asked)[0], max_steps=1, saving_listeners=[]
    )  # The checkpoint of step 0 has what it began with.
    first = dict(values_at(tmp_path / "model", 0))
    for name, value in values(trained, "conv").items():
        np.testing.assert_array_equal(first[name], value, err_msg=name)
    assert first["position_0/kernel"].shape[-1] == 3
    # It goes on from its own, wherever that one is by then.
    prepare(dataclasses.replace(asked, warm_start_from="gone"), load_data(asked))


def values_at(model_dir, step):
    from model.estimator.checkpoint_file import CheckpointFile

    file = CheckpointFile(str(model_dir / f"ckpt-{step}"))
    return {name: file.value(name) for name in file.names("net")}


# Whether it can learn at all


@pytest.mark.slow
def test_sanity_passes_on_good_data_and_touches_no_model_dir(small_dataset, tmp_path, run_program):
    done = run_program(
        "train.py",
        "--sanity",
        "--flagfile=configs/quick.flags",
        f"--data_dir={small_dataset}",
        f"--model_dir={tmp_path / 'model'}",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("passed: ")
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_sanity_names_the_cause_and_fails(small_dataset, tmp_path, run_program):
    done = run_program(
        "train.py",
        "--sanity",
        "--flagfile=configs/quick.flags",
        "--learning_rate=0.9",
        f"--data_dir={small_dataset}",
        f"--model_dir={tmp_path / 'model'}",
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "--learning_rate" in done.stderr.splitlines()[-1]

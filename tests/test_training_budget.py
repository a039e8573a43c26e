import dataclasses
import pathlib
import re

import numpy as np
import pytest
from test_training_flags import assert_same, values

import train
from training.budget import (
    BudgetHook,
    OverBudgetError,
    StepSeconds,
    shorten,
    step_seconds,
    total_seconds,
    with_budget,
)
from training.config import TrainConfig
from training.prepare import saved_steps

RECIPE = {
    "max_steps": 6200,
    "candidates": 8,
    "candidates_from_step": 1500,
    "label_smoothing": 0.05,
    "label_smoothing_until_step": 5600,
}
STEP = StepSeconds(plain=0.1, chosen=0.3)


def config(**options):
    return TrainConfig(**{**RECIPE, **options})


# shorten


@pytest.mark.parametrize(
    ("seconds", "options", "max_steps", "smoothed_until"),
    [
        # 1,500 plain steps and 4,700 with candidates take 1,560 s.
        (1734, {}, 6200, 5600),
        (1000, {}, 1500 + 2500, round(5600 * 4000 / 6200)),  # (900 - 150) / 0.3
        (100, {}, 900, round(5600 * 900 / 6200)),  # Not one with candidates.
        (100, {"candidates_from_step": 0}, 300, round(5600 * 300 / 6200)),
        (100, {"candidates": 1}, 900, round(5600 * 900 / 6200)),
        (100, {"label_smoothing_until_step": None}, 900, None),
        (0.001, {}, 30, 27),
    ],
    ids=["all", "candidates", "plain", "from_the_first", "none", "not_smoothed", "no_time"],
)
def test_steps_are_as_many_as_there_is_time_for(seconds, options, max_steps, smoothed_until):
    shortened = shorten(config(**options), STEP, seconds)
    assert (shortened.max_steps, shortened.label_smoothing_until_step) == (
        max_steps,
        smoothed_until,
    )


@pytest.mark.parametrize("seconds", [10.0, 123.4, 500.0, 1234.5])
def test_what_is_shortened_takes_the_budget_and_no_more(seconds):
    taken = total_seconds(shorten(config(), STEP, seconds), STEP)
    assert seconds * 0.9 - STEP.chosen < taken <= seconds * 0.9


def test_nothing_else_changes():
    shortened = shorten(config(), STEP, 1000)
    numbers = {name: RECIPE[name] for name in ("max_steps", "label_smoothing_until_step")}
    assert dataclasses.replace(shortened, **numbers) == config()


def test_a_negative_budget_is_refused():
    with pytest.raises(ValueError, match=re.escape("`budget_minutes` must be at least 0")):
        TrainConfig(budget_minutes=-1.0)


# step_seconds


@pytest.mark.parametrize(
    ("options", "plain", "chosen"),
    [
        ({}, 0.2, 0.2 * (1 + 8 * 0.235)),
        ({"candidates": 1}, 0.2, 0.2),
        ({"candidates_from_step": 0}, 0.2 / (1 + 8 * 0.235), 0.2),  # They were watched.
    ],
    ids=["later", "none", "from_the_first"],
)
def test_candidates_take_their_part(options, plain, chosen):
    step = step_seconds(config(**options), 0.2)
    assert (step.plain, step.chosen) == pytest.approx((plain, chosen))


# BudgetHook


class TimedRun:
    """A training whose clock is told."""

    def __init__(self, steps, seconds_a_step):
        self.steps = steps
        self.seconds_a_step = seconds_a_step

    def watched_by(self, hook):
        for step in self.steps:
            self.global_step = step
            hook.after_run(self, {"loss": np.float32(1)})

    def clock(self):
        # Tracing takes a minute, and one step in five waits for another program.
        waits = 3 * (self.global_step // 5)
        return 60 + self.seconds_a_step * self.global_step + waits


@pytest.mark.parametrize(
    "steps",
    [range(1, 100), range(18, 100), range(20, 200, 20), range(100, 500, 100)],
    ids=["from_the_first", "from_the_18th", "20_at_once", "100_at_once"],
)
def test_a_training_over_its_budget_ends_once_it_was_seen_for_some_steps(steps):
    # 6,200 steps of 0.5 s take 52 minutes; with the waits, where they cannot be told apart, more.
    hook = BudgetHook(config(candidates=1, budget_minutes=51.0))
    run = TimedRun(steps, 0.5)
    with pytest.raises(OverBudgetError) as caught:
        run.watched_by(hook)
    assert run.global_step == next(step for step in steps[1:] if step >= 30)
    if len(steps) > 50:
        assert caught.value.step.plain == pytest.approx(0.5)


@pytest.mark.parametrize("minutes", [0.0, 53.0])
def test_a_training_within_its_budget_is_left_alone(minutes):
    run = TimedRun(range(1, 1000), 0.5)
    run.watched_by(BudgetHook(config(candidates=1, budget_minutes=minutes)))
    assert run.global_step == 999


# The whole


@pytest.fixture
def options(small_dataset, tmp_path):
    return {
        "data_dir": str(small_dataset),
        "model_dir": str(tmp_path / "model"),
        "batch_size": 4,
        "eval_steps": 1000,
        "save_checkpoints_steps": 1000,
    }


def test_workers_take_all_steps():
    asked = config(strategy="multi_worker", budget_minutes=1.0)
    assert with_budget(asked) == dataclasses.replace(asked, budget_minutes=0.0)


@pytest.mark.slow
def test_a_run_over_its_budget_begins_again_with_fewer_steps(options):
    # A step takes more than a millisecond, and less than 20 s.
    asked = TrainConfig(
        **options,
        max_steps=100_000,
        label_smoothing=0.1,
        label_smoothing_until_step=50_000,
        budget_minutes=2 / 60,
    )
    steps = train.run(asked)["global_step"]
    assert 30 <= steps < 1900
    kept = saved_steps(options["model_dir"])
    assert kept == {"max_steps": steps, "label_smoothing_until_step": round(steps / 2)}
    # Begun anew, not gone on from where it was seen: the same as a run of so many steps.
    same = {**options, "model_dir": options["model_dir"] + "_same"}
    train.run(TrainConfig(**same, **kept, label_smoothing=0.1))
    assert_same(values(options["model_dir"]), values(same["model_dir"]))
    assert (
        "--budget_minutes=0.0\n" in (pathlib.Path(options["model_dir"]) / "flags.txt").read_text()
    )
    # It goes on with what it began with; and to the end if that is asked for.
    assert train.run(asked)["global_step"] == steps
    further = dataclasses.replace(asked, budget_minutes=0.0, max_steps=steps + 2)
    assert train.run(further)["global_step"] == steps + 2


@pytest.mark.slow
def test_a_run_that_was_killed_before_it_was_watched_is_watched_again(options):
    train.run(TrainConfig(**options, max_steps=20))
    asked = TrainConfig(**options, max_steps=100_000, budget_minutes=1 / 60)
    assert with_budget(asked) == asked
    assert train.run(asked)["global_step"] < 1000


@pytest.mark.slow
def test_a_run_within_its_budget_is_the_one_without(options):
    train.run(TrainConfig(**options, max_steps=32, budget_minutes=60.0))
    same = {**options, "model_dir": options["model_dir"] + "_same"}
    train.run(TrainConfig(**same, max_steps=32))
    assert_same(values(options["model_dir"]), values(same["model_dir"]))

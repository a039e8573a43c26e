import keras
import pytest

from model.schedule import (
    SCHEDULES,
    WarmupConstant,
    WarmupCosine,
    WarmupStep,
    make_schedule,
)


@pytest.mark.parametrize(
    ("schedule", "step", "rate"),
    [
        # Drops at steps 500 and 750 of 1,000.
        (WarmupStep(0.1, 10, 1000), 0, 0.01),
        (WarmupStep(0.1, 10, 1000), 4, 0.05),
        (WarmupStep(0.1, 10, 1000), 9, 0.1),
        (WarmupStep(0.1, 10, 1000), 499, 0.1),
        (WarmupStep(0.1, 10, 1000), 500, 0.01),
        (WarmupStep(0.1, 10, 1000), 749, 0.01),
        (WarmupStep(0.1, 10, 1000), 750, 0.001),
        (WarmupStep(0.1, 10, 1000), 5000, 0.001),
        # 0.55 * 100 is 55 on paper and a little more in Python.
        (WarmupStep(0.8, 0, 100, drops_at=(0.55,), factor=0.5), 54, 0.8),
        (WarmupStep(0.8, 0, 100, drops_at=(0.55,), factor=0.5), 55, 0.4),
        (WarmupStep(0.8, 0, 10, drops_at=()), 9, 0.8),
        # A drop amid the warm-up counts too.
        (WarmupStep(0.8, 8, 10, drops_at=(0.5,), factor=0.5), 5, 0.8 * 6 / 8 * 0.5),
        (WarmupConstant(0.1, 10, 1000), 0, 0.01),
        (WarmupConstant(0.1, 10, 1000), 10, 0.1),
        (WarmupConstant(0.1, 10, 1000), 5000, 0.1),
        (WarmupConstant(0.1, 0, 1000), 0, 0.1),
        (WarmupCosine(0.1, 0, 1000), 0, 0.1),
        (WarmupCosine(0.1, 0, 1000), 500, 0.0505),
    ],
)
def test_a_rate_is_the_one_computed_by_hand(schedule, step, rate):
    assert float(schedule(step)) == pytest.approx(rate, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cosine", WarmupCosine),
        ("step", WarmupStep),
        ("plateau", WarmupConstant),
        ("constant", WarmupConstant),
    ],
)
def test_a_schedule_is_called_by_name_and_gets_its_numbers(name, expected):
    schedule = make_schedule(name, 0.1, 10, 1000)
    assert type(schedule) is expected
    assert (schedule.peak, schedule.warmup_steps, schedule.total_steps) == (0.1, 10, 1000)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 10, 100), r"`learning_rate` must be in \(0, 1\), received 0.0. Try 0.001."),
        ((1.0, 10, 100), "received 1.0"),
        ((0.1, 100, 100), r"`warmup_steps` must be in \[0, max_steps\), received 100 of 100"),
        ((0.1, -1, 100), "received -1 of 100"),
    ],
)
def test_every_schedule_refuses(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        make_schedule(name, *arguments)


def test_an_unknown_schedule_is_refused_in_one_line():
    with pytest.raises(ValueError, match="one of cosine, step, plateau, constant, received 'cos'"):
        make_schedule("cos", 0.1, 10, 100)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drops_at": (0.75, 0.5)}, r"`drops_at` must be rising .* received \(0.75, 0.5\)"),
        ({"drops_at": (0.5, 0.5)}, "`drops_at` must be rising"),
        ({"drops_at": (0.5, 1.0)}, "`drops_at` must be rising"),
        ({"drops_at": (0,)}, "`drops_at` must be rising"),
        ({"factor": 1.0}, r"`factor` must be in \(0, 1\), received 1.0"),
        ({"factor": 0}, "`factor` must be in"),
    ],
)
def test_steps_down_refuse(options, message):
    with pytest.raises(ValueError, match=message):
        WarmupStep(0.1, 10, 100, **options)


@pytest.mark.parametrize(
    "schedule",
    [
        WarmupCosine(0.1, 10, 100),
        WarmupStep(0.1, 10, 100, drops_at=(0.25, 0.5), factor=0.2),
        WarmupConstant(0.1, 10, 100),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_a_schedule_survives_being_written_down(schedule):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert type(copy) is type(schedule)
    for step in (0, 9, 30, 60, 99):
        assert float(copy(step)) == float(schedule(step))

import types

import pytest

from model.estimator import stop_rules
from model.estimator.stop_rules import NoImprovement, TargetReached, TimeLimitHook, parse_target


def rows(*values, every=100, metric="accuracy"):
    """Evaluations each `every` steps, as the history has them."""
    return [
        {"kind": "eval", "global_step": every * number, metric: value, "n": 10}
        for number, value in enumerate(values, start=1)
    ]


@pytest.mark.parametrize(
    ("rule", "values", "reason"),
    [
        (TargetReached("accuracy", 0.9), [0.5, 0.89], None),
        (TargetReached("accuracy", 0.9), [0.5, 0.9], "accuracy 0.9 has reached its target 0.9"),
        (TargetReached("accuracy", 0.9), [0.95], "accuracy 0.95 has reached its target 0.9"),
        (TargetReached("accuracy", 0.9), [0.95, 0.5], None),
        (TargetReached("accuracy", 0.9), [None], None),
        (TargetReached("accuracy", 0.9), [float("nan")], None),
        (TargetReached("accuracy", 0.9), [float("inf")], None),
        (TargetReached("accuracy", 0.1, False), [0.11], None),
        (TargetReached("accuracy", 0.1, False), [0.1], "accuracy 0.1 has reached its target 0.1"),
        (TargetReached("accuracy", 0.9, min_steps=200), [1.0], None),
        (TargetReached("accuracy", 0.9, min_steps=200), [0.5, 1.0], "accuracy 1 has reached"),
        (NoImprovement("accuracy", 200), [0.5], None),
        (NoImprovement("accuracy", 200), [0.5, 0.4], None),
        (
            NoImprovement("accuracy", 200),
            [0.5, 0.4, 0.3],
            "accuracy has not been better than 0.5 for 200 steps, since step 100",
        ),
        (NoImprovement("accuracy", 200), [0.5, 0.4, 0.6, 0.5], None),
        (NoImprovement("accuracy", 200), [0.5, 0.5, 0.5], "for 200 steps, since step 100"),
        (NoImprovement("accuracy", 200, higher_is_better=False), [0.5, 0.4, 0.3], None),
        (NoImprovement("accuracy", 200, higher_is_better=False), [0.3, 0.4, 0.5], "than 0.3 for"),
        (NoImprovement("accuracy", 200, min_steps=200), [0.9, 0.5, 0.6], None),
        (NoImprovement("accuracy", 200, min_steps=200), [0.9, 0.5, 0.4, 0.4], "since step 200"),
        (NoImprovement("accuracy", 200), [0.5, None, None], "than 0.5 for 200 steps"),
        (NoImprovement("accuracy", 200), [None, None, None], "than a finite value for 200 steps"),
        (NoImprovement("accuracy", 200), [None, None, 0.1], None),
    ],
    ids=[
        *["below", "at_the_target", "above", "fell_back", "null", "nan", "infinite"],
        *["not_low_enough", "low_enough", "too_early", "late_enough"],
        *["first", "young", "old", "improved", "equal_is_no_improvement"],
        *["falls_as_it_should", "rises", "early_ones_do_not_count", "late_ones_count"],
        *["nan_is_no_improvement", "nan_for_ever", "nan_at_first"],
    ],
)
def test_a_rule_stops(rule, values, reason):
    found = rule.reason(rows(*values))
    assert reason in found if reason else found is None


@pytest.mark.parametrize(
    "rule", [TargetReached("acuracy", 0.9), NoImprovement("acuracy", 1)], ids=["target", "none"]
)
def test_an_unknown_metric_is_refused_with_those_there_are(rule):
    row = {"kind": "eval", "name": "hard", "global_step": 1, "loss": 1.0, "accuracy": 0.5, "n": 3}
    message = r"must be one of the evaluation's \(loss, accuracy\), received 'acuracy'"
    with pytest.raises(ValueError, match=message):
        rule.reason([row])


@pytest.mark.parametrize("metric", ["n", "global_step", "kind", "name"])
def test_what_is_no_metric_cannot_be_a_target(metric):
    row = {"kind": "eval", "name": "hard", "global_step": 1, "loss": 1.0, "n": 3}
    with pytest.raises(ValueError, match=r"evaluation's \(loss\), received"):
        TargetReached(metric, 0.5).reason([row])


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("sequence_accuracy=0.995", TargetReached("sequence_accuracy", 0.995)),
        (" accuracy >= 0.9 ", TargetReached("accuracy", 0.9)),
        ("error<=0.01", TargetReached("error", 0.01, higher_is_better=False)),
        ("loss=1e-2", TargetReached("loss", 0.01, higher_is_better=False)),
        ("loss<=0.1", TargetReached("loss", 0.1, higher_is_better=False)),
    ],
)
def test_a_target_is_read_from_text(text, rule):
    assert parse_target(text) == rule


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a target must be METRIC=NUMBER, .* received ''"),
        ("accuracy", "a target must be METRIC=NUMBER"),
        ("accuracy=", "a target must be METRIC=NUMBER"),
        ("=0.9", "a target must be METRIC=NUMBER"),
        ("accuracy=high", "a target must be METRIC=NUMBER, .* received 'accuracy=high'"),
        ("accuracy==0.9", "a target must be METRIC=NUMBER"),
        ("accuracy<0.9", "a target must be METRIC=NUMBER"),
        ("accuracy=0.9,loss=1", "a target must be METRIC=NUMBER"),
        ("accuracy=nan", "the target of accuracy must be a finite number, received nan"),
        ("loss>=0.1", "`higher_is_better` must be False for the metric 'loss'"),
    ],
)
def test_a_target_that_is_none_is_one_line(text, message):
    with pytest.raises(ValueError, match=message) as caught:
        parse_target(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NoImprovement("loss", 5), "`higher_is_better` must be False .* 'loss'"),
        (lambda: NoImprovement("accuracy", 0), "`max_steps` must be .* received 0"),
        (lambda: TimeLimitHook(0), "`minutes` must be positive, received 0"),
        (lambda: TimeLimitHook(float("nan")), "`minutes` must be positive, received nan"),
    ],
    ids=["loss", "no_steps", "no_time", "nan"],
)
def test_a_rule_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


class Run:
    """As much of a training's run as the hook asks for."""

    stop_reason = None

    def request_stop(self, reason):
        self.stop_reason = reason


@pytest.mark.parametrize(
    ("moments", "stopped_at"),
    [
        ([("begin", 0), ("step", 59)], None),
        ([("begin", 0), ("step", 59), ("step", 60)], 60),
        ([("begin", 100), ("step", 159), ("step", 161)], 161),
        ([("begin", 0), ("step", 10), ("begin", 70), ("step", 71)], 70),
        ([("begin", 0), ("step", 10), ("begin", 50), ("step", 59), ("step", 61)], 61),
    ],
    ids=["in_time", "over", "from_its_begin", "used_up_by_an_evaluation", "goes_on_counting"],
)
def test_the_clock_runs_from_the_first_begin_evaluations_included(monkeypatch, moments, stopped_at):
    now = [0.0]
    monkeypatch.setattr(stop_rules, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    hook = TimeLimitHook(minutes=1)
    for what, now[0] in moments:
        if what == "begin":
            run = Run()
            hook.begin(run)
        else:
            hook.after_run(run, {})
        if run.stop_reason is not None:
            break
    assert (now[0] if run.stop_reason else None) == stopped_at
    assert run.stop_reason in (None, "the time limit of 1 min is over")

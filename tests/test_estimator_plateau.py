import pytest

from model.estimator.plateau import ReduceOnPlateau


def rows(values):
    return [{"global_step": step, "accuracy": value} for step, value in enumerate(values)]


@pytest.mark.parametrize(
    ("options", "values", "scale"),
    [
        ({}, [], 1.0),
        ({}, [0.5], 1.0),
        ({}, [0.5, 0.4], 1.0),
        ({}, [0.5, 0.4, 0.4], 0.5),
        ({}, [0.5, 0.4, 0.4, 0.4], 0.5),
        ({}, [0.5, 0.4, 0.4, 0.4, 0.4], 0.25),
        ({}, [0.5, 0.4, 0.6, 0.5], 1.0),
        ({}, [0.5, 0.4, 0.4, 0.6, 0.7, 0.6], 0.5),
        ({"patience_evaluations": 1}, [0.5, 0.4, 0.4], 0.25),
        ({"factor": 0.1}, [0.5, 0.4, 0.4], 0.1),
        ({"factor": 0.1, "min_scale": 0.05}, [0.5, 0.4, 0.4, 0.4, 0.4], 0.05),
        ({"factor": 0.1, "min_scale": 0.05}, [0.5] * 9, 0.05),
        ({"min_delta": 0.0}, [0.5, 0.5, 0.5], 0.5),
        ({"min_delta": 0.0}, [0.5, 0.50001, 0.50002], 1.0),
        ({"min_delta": 0.1}, [0.5, 0.55, 0.58], 0.5),
        ({"min_delta": 0.1}, [0.5, 0.55, 0.61], 1.0),
        ({"higher_is_better": False}, [0.5, 0.4, 0.3], 1.0),
        ({"higher_is_better": False}, [0.3, 0.4, 0.5], 0.5),
        ({}, [0.5, None, None], 0.5),
        ({}, [None, None], 0.5),
    ],
    ids=[
        *["no_evaluation", "first", "patient", "impatient", "patient_again", "twice", "improved"],
        *["stays_reduced", "patience", "factor", "min_scale", "min_scale_stays"],
        *["equal", "tiny", "too_little", "enough_over_two", "falls", "rises"],
        *["nan", "nan_from_the_start"],
    ],
)
def test_the_scale_follows_from_the_evaluations(options, values, scale):
    rule = ReduceOnPlateau("accuracy", **options)
    assert rule.scale(rows(values)) == pytest.approx(scale)


def test_a_resumed_run_has_the_scale_of_one_that_was_not_stopped():
    rule = ReduceOnPlateau("accuracy", patience_evaluations=1)
    values = [0.1, 0.2, 0.2, 0.3, 0.1, 0.0, 0.4]
    at_once = [rule.scale(rows(values[:number])) for number in range(len(values) + 1)]
    assert at_once == [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.125, 0.125]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 0}, r"`factor` must be in \(0, 1\), received 0"),
        ({"factor": 1}, r"`factor` must be in \(0, 1\), received 1"),
        ({"patience_evaluations": 0}, "`patience_evaluations` must be .* received 0"),
        ({"min_scale": 0}, r"`min_scale` must be in \(0, 1\], received 0"),
        ({"min_scale": 1.5}, r"`min_scale` must be in \(0, 1\], received 1.5"),
        ({"min_delta": -1}, "`min_delta` must be 0 or more, received -1"),
        ({"metric": "loss"}, "`higher_is_better` must be False for the metric 'loss'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_it_refuses(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        ReduceOnPlateau(**{"metric": "accuracy", **options})
    assert "\n" not in str(caught.value)


def test_an_unknown_metric_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"\(accuracy\), received 'acuracy'"):
        ReduceOnPlateau("acuracy").scale(rows([0.5]))

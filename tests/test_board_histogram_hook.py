import numpy as np
import pytest
import toy_hooks
from board_events import summaries_in
from toy_estimator import classifier_estimator, classifier_input_fn

from model.estimator.histogram_hook import HistogramHook


def histograms_in(folder):
    return summaries_in(folder, "histograms")


def train(hook, folder, steps, **options):
    return toy_hooks.train(hook, folder, steps, last_step=steps[-1] + 1, **options)


@pytest.mark.parametrize(
    ("steps", "written"),
    [(range(7), [0, 3, 6]), (range(4, 7), [6]), (range(4, 5), [])],
    ids=["from_the_beginning", "goes_on", "between"],
)
def test_histograms_are_of_step_0_and_of_each_multiple(tmp_path, steps, written):
    train(HistogramHook(3), tmp_path, steps)
    assert sorted(step for _, step in histograms_in(tmp_path)) == written


def test_a_histogram_counts_every_number_of_a_weight(tmp_path):
    train(HistogramHook(1), tmp_path, range(1))
    (histogram, *_) = histograms_in(tmp_path).values()  # [buckets, (left, right, count)]
    assert histogram[:, 2].sum() == 16
    assert histogram[0, 0] <= 1.0 <= histogram[-1, 1]


@pytest.mark.parametrize("every", [0, -1, 0.5])
def test_how_often_must_be_a_count(every):
    with pytest.raises(ValueError, match="`every_steps` must be a whole number of 1 or more"):
        HistogramHook(every)


def test_no_loop_of_steps_runs_past_a_multiple():
    assert HistogramHook(30).every_steps == 30


def test_only_the_chief_writes(tmp_path):
    train(HistogramHook(1), tmp_path, range(2), is_chief=False)
    assert list(tmp_path.iterdir()) == []


def test_the_tags_are_the_names_of_the_trainable_variables_of_a_checkpoint(tmp_path):
    estimator = classifier_estimator(tmp_path)
    estimator.train(classifier_input_fn, steps=2, hooks=[HistogramHook(2)])
    written = {
        tag.removeprefix("weights/"): histogram
        for (tag, step), histogram in histograms_in(tmp_path).items()
        if step == 2
    }
    assert set(written) == {variable.path for variable in estimator.net.trainable_variables}
    for name, histogram in written.items():
        value = estimator.get_variable_value(name)
        assert histogram[:, 2].sum() == value.size
        assert np.isclose(histogram[0, 0], value.min())
        assert np.isclose(histogram[-1, 1], value.max())

"""A real TensorBoard is asked what it sees of a short run with every hook."""

import json
import urllib.request

import pytest
from board_events import events_in
from tensorboard import program

from model.board import BoardHook
from model.captcha_estimator import captcha_estimator, network_config
from model.description import ModelDescription
from model.estimator import (
    EvalSpec,
    GraphHook,
    HistogramHook,
    ProfilerHook,
    RunConfig,
    TrainSpec,
    train_and_evaluate,
)
from model.hyper_parameters import write_hyper_parameters
from model.params import ModelParams
from records.input_fn import input_fn_maker

DESCRIPTION = ModelDescription(
    net="small", image_shape=(30, 100, 3), alphabet="0123456789", num_positions=4
)


def train(model_dir, dataset, max_steps):
    params = ModelParams(network=network_config(DESCRIPTION), warmup_steps=1, total_steps=4)
    config = RunConfig(save_summary_steps=1)
    metrics = train_and_evaluate(
        captcha_estimator(params, model_dir, config),
        TrainSpec(
            input_fn_maker(dataset / "train", dataset / "data_info.csv", batch_size=4, epoch=None),
            max_steps=max_steps,
            hooks=[GraphHook(), HistogramHook(2), ProfilerHook(1, 2)],
        ),
        EvalSpec(
            input_fn_maker(dataset / "test", dataset / "data_info.csv", batch_size=8),
            every_steps=2,
            hooks=[BoardHook(DESCRIPTION)],
        ),
    )
    write_hyper_parameters(model_dir, {"net": "small", "max_steps": max_steps}, metrics)
    return metrics


@pytest.fixture(scope="module")
def logdir(tmp_path_factory, small_dataset):
    """A run of two steps, and one of two that went on to four."""
    folder = tmp_path_factory.mktemp("logs")
    for name, stops in (("first", [2]), ("second", [2, 4])):
        for max_steps in stops:
            train(folder / name, small_dataset, max_steps)
    return folder


@pytest.fixture(scope="module")
def ask(logdir):
    """Asks TensorBoard: a path below /data, and what to post if anything."""
    board = program.TensorBoard()
    # Everything is read before it answers.
    once = ["--load_fast=false", "--reload_interval=0", "--reload_task=blocking"]
    board.configure(argv=["", f"--logdir={logdir}", "--port=0", *once])
    url = board.launch()

    def ask(path, post=None):
        data = None if post is None else json.dumps(post).encode()
        request = urllib.request.Request(
            f"{url}data/{path}", data, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    return ask


def steps_of(folder, tag):
    return [
        event.step
        for event in events_in(folder)
        for value in event.summary.value
        if value.tag == tag
    ]


@pytest.mark.slow
def test_a_run_that_goes_on_has_each_step_once_and_one_graph(logdir):
    second = logdir / "second"
    assert steps_of(second, "loss") == [1, 2, 3, 4]
    assert steps_of(second, "weights/conv1_1/kernel") == [0, 2, 4]
    assert sum(bool(event.graph_def) for event in events_in(second)) == 1
    assert len(list((second / "plugins" / "profile").iterdir())) == 1
    for tag in ("captchas/first", "captchas/wrong", "confusion"):
        assert steps_of(second / "eval", tag) == [2, 4]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plugin", "runs", "tags"),
    [
        ("scalars", ["first", "second"], ["loss", "learning_rate", "gradient_norm"]),
        ("scalars", ["first/eval", "second/eval"], ["loss", "sequence_accuracy"]),
        ("images", ["first/eval"], ["captchas/first", "captchas/wrong", "confusion"]),
        ("histograms", ["first", "second"], ["weights/conv1_1/kernel", "weights/position_0/bias"]),
    ],
)
def test_tensorboard_lists_what_was_written(ask, plugin, runs, tags):
    listed = ask(f"plugin/{plugin}/tags")
    for run in runs:
        assert set(tags) <= set(listed[run])


@pytest.mark.slow
def test_tensorboard_has_every_step_of_a_run_that_went_on(ask):
    points = ask("plugin/scalars/scalars?run=second&tag=loss")
    assert [step for _, step, _ in points] == [1, 2, 3, 4]
    histograms = ask("plugin/histograms/histograms?run=second&tag=weights/conv1_1/kernel")
    assert [step for _, step, _ in histograms] == [0, 2, 4]
    pictures = ask("plugin/images/images?run=second/eval&tag=confusion&sample=0")
    assert [picture["step"] for picture in pictures] == [2, 4]


@pytest.mark.slow
def test_tensorboard_shows_the_graph_of_each_run(ask):
    assert {run: about["run_graph"] for run, about in ask("plugin/graphs/info").items()} == {
        "first": True,
        "second": True,
    }


@pytest.mark.slow
def test_tensorboard_compares_the_runs_by_their_settings_and_last_metrics(ask):
    everything = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_UNKNOWN"],
        "colParams": [],
        "startIndex": 0,
        "sliceSize": 10,
    }
    groups = ask("plugin/hparams/session_groups", everything)["sessionGroups"]
    assert [group["hparams"]["max_steps"] for group in groups] == [2.0, 4.0]
    assert all(group["hparams"]["net"] == "small" for group in groups)
    for group, step in zip(groups, (2, 4), strict=True):
        values = {value["name"]["tag"]: value for value in group["metricValues"]}
        assert set(values) == {"loss", "character_accuracy", "sequence_accuracy", "n"}
        assert values["n"]["value"] == 20
        assert values["loss"]["trainingStep"] == step

"""Training on several devices and in several processes: the same losses, and nobody waits for ever.

What runs here are processes of one machine, on its CPU.
"""

import json
import pathlib
import signal
import time

import numpy as np
import pytest
import tensorflow as tf
from toy_estimator import (
    assert_equal_weights,
    classifier_estimator,
    classifier_eval_input_fn,
    classifier_input_fn,
)
from worker_processes import ROOT, Workers, losses

from model.estimator import history, strategies
from model.estimator.batch_parts import BatchParts
from model.estimator.strategies import make_strategy

JOB = {
    "max_steps": 24,
    "save_checkpoints_steps": 6,
    "log_step_count_steps": 4,
    "evaluate_every_steps": 12,
    "export": True,
    "dropout_from_step": 10,
}


# TF_CONFIG


def tf_config(cluster=None, kind="worker", index=0, **more):
    cluster = {"worker": ["a:1", "b:1"]} if cluster is None else cluster
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index, **more}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "TF_CONFIG must list the workers, received none. Set it"),
        ("", "TF_CONFIG must list the workers, received none. Set it"),
        ("worker 0", "TF_CONFIG must be JSON .*, received 'worker 0' .JSONDecodeError"),
        ("[1]", "TF_CONFIG must be JSON .*, received '.1.' .TypeError"),
        ("{}", "TF_CONFIG must be JSON .*, received '{}' .KeyError: 'cluster'"),
        ('{"cluster": {"worker": ["a:1"]}}', "TF_CONFIG must be JSON .*KeyError: 'task'"),
        (tf_config(index="first"), "TF_CONFIG must be JSON .*invalid literal"),
        (tf_config(index=None), "TF_CONFIG must be JSON .*TypeError"),
        (tf_config({"worker": "a:1"}), "must have lists of HOST:PORT, received 'a:1' for worker"),
        (tf_config({"worker": ["a"]}), r"must have lists of HOST:PORT, received \['a'\] for"),
        (tf_config({"worker": [7]}), r"must have lists of HOST:PORT, received \[7\] for worker"),
        (
            tf_config({"worker": ["a:1", "a:1"]}),
            r"must list each process once, .* received {'worker': \['a:1', 'a:1'\]}",
        ),
        (tf_config({"chief": ["a:1", "b:1"]}, "chief"), "and one chief at most, received"),
        (
            tf_config({"worker": ["a:1"], "ps": ["b:1"], "evaluator": ["c:1"]}),
            "must list chief and workers only, received evaluator, ps. Training is synchronous",
        ),
        (tf_config(index=2), "must be one of its cluster, received worker 2 of"),
        (tf_config(index=-1), "must be one of its cluster, received worker -1 of"),
        (tf_config(kind="chief"), "must be one of its cluster, received chief 0 of"),
        (tf_config({"worker": []}), "must be one of its cluster, received worker 0 of"),
    ],
    ids=[
        *("missing", "empty", "no_json", "no_dict", "no_cluster", "no_task", "index_is_no_number"),
        *("no_index", "no_list", "no_port", "no_text", "twice", "two_chiefs", "ps_and_evaluator"),
        *("index_too_large", "index_negative", "no_such_kind", "no_worker"),
    ],
)
def test_a_wrong_tf_config_is_one_line(monkeypatch, text, message):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match=message) as caught:
        make_strategy("multi_worker")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("index", [1, "1"], ids=["number", "text"])
def test_a_right_tf_config_passes_its_checks(index):
    strategies._check_tf_config(tf_config(index=index))
    strategies._check_tf_config(tf_config({"chief": ["a:1"], "worker": ["b:1"]}, "chief"))


def test_a_strategy_of_another_name_is_refused():
    with pytest.raises(ValueError, match=r"must be one of one_device, .*, received 'ps'"):
        make_strategy("ps")


@pytest.mark.parametrize(
    ("cluster", "kind", "index", "place", "num"),
    [
        ({"worker": ["a:1", "b:1"]}, "worker", 0, 0, 2),
        ({"worker": ["a:1", "b:1"]}, "worker", 1, 1, 2),
        ({"chief": ["a:1"], "worker": ["b:1", "c:1"]}, "chief", 0, 0, 3),
        ({"chief": ["a:1"], "worker": ["b:1", "c:1"]}, "worker", 0, 1, 3),
        ({"chief": ["a:1"], "worker": ["b:1", "c:1"]}, "worker", 1, 2, 3),
    ],
)
def test_the_chief_or_else_worker_0_writes(cluster, kind, index, place, num):
    class Strategy:
        cluster_resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec(cluster), task_type=kind, task_id=index
        )

    assert strategies.worker_index(Strategy) == place
    assert strategies.is_chief(Strategy) == (place == 0)
    assert strategies.num_workers(Strategy) == num


@pytest.mark.parametrize(
    ("num_replicas", "num_rows", "shown"),
    [
        (4, 64, ["rows 0 to 15", "rows 16 to 31", "rows 32 to 47", "rows 48 to 63"]),
        (8, 10, ["rows 0 to 1", "rows 2 to 4", "rows 5 to 6", "rows 7 to 9"]),
    ],
    ids=["a_replica_each", "two_replicas_each"],
)
def test_a_worker_says_which_rows_it_trains_on(num_replicas, num_rows, shown):
    parts = BatchParts(num_replicas)
    said = [parts.rows_of_worker(index, 4, num_rows) for index in range(4)]
    assert said == [f"{text} of its {num_rows}" for text in shown]


# Several devices in one process


def test_one_device_needs_no_strategy():
    assert make_strategy("one_device") is None
    assert strategies.is_chief(None)
    assert strategies.num_workers(None) == 1


def test_mirrored_on_a_machine_without_gpu_trains_as_one_device_does(tmp_path):
    estimators = []
    for name in ("one_device", "mirrored"):
        estimator = classifier_estimator(tmp_path / name, train_distribute=make_strategy(name))
        # Dropout has the state of a seed, and batch normalisation statistics.
        estimators.append(estimator.train(classifier_input_fn, steps=10))
    np.testing.assert_equal(
        *[estimator.evaluate(classifier_eval_input_fn) for estimator in estimators]
    )
    assert_equal_weights(*estimators)


def test_a_checkpoint_does_not_depend_on_the_strategy(tmp_path):
    whole = classifier_estimator(tmp_path / "whole").train(classifier_input_fn, steps=12)
    for name in ("mirrored", "one_device", "mirrored"):
        estimator = classifier_estimator(tmp_path / "mixed", train_distribute=make_strategy(name))
        estimator.train(classifier_input_fn, steps=4)
    assert_equal_weights(whole, estimator)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    from data_gen.generate import GenerateConfig, generate
    from data_gen.style import Style

    out = tmp_path_factory.mktemp("data") / "captcha_data"
    generate(
        GenerateConfig(
            style=Style(), num_train=2000, num_test=200, out_dir=out, num_workers=2, seed=0
        )
    )
    return str(out)


@pytest.fixture(scope="module")
def one_device(tmp_path_factory, data_dir):
    """The folder of the run that all others are compared with."""
    folder = tmp_path_factory.mktemp("one")
    with Workers(folder, 1, data_dir=data_dir, **{**JOB, "strategy": "one_device"}) as workers:
        assert workers.wait() == [0], workers.log(0)
    assert sorted(losses(folder)) == list(range(1, 25))
    return folder


def assert_same_losses(folder, other, index=0):
    """To rounding, which grows as in any two runs whose sums are in another order."""
    first, second = losses(folder, index), losses(other)
    assert first.keys() == second.keys()
    for step, loss in first.items():
        assert loss == pytest.approx(second[step], rel=2e-6 if step <= 8 else 1e-3), step


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{}, {"steps_per_loop": 4}, {"accumulate_gradients": 2}],
    ids=["plain", "in_loops", "accumulated"],
)
def test_two_devices_have_the_losses_of_one(tmp_path, data_dir, one_device, options):
    job = {**JOB, "strategy": "mirrored", "num_logical_devices": 2, **options}
    with Workers(tmp_path, 1, data_dir=data_dir, **job) as workers:
        assert workers.wait() == [0], workers.log(0)
    assert_same_losses(tmp_path, one_device)


@pytest.mark.slow
def test_two_devices_choose_the_candidates_of_one_in_loops_too(tmp_path, data_dir):
    folders = [tmp_path / "one", tmp_path / "two"]
    options = {"max_steps": 8, "candidates": 2, "candidates_from_step": 3, "steps_per_loop": 4}
    for number, folder in enumerate(folders, start=1):
        folder.mkdir()
        strategy = "one_device" if number == 1 else "mirrored"
        job = {**JOB, **options, "strategy": strategy, "num_logical_devices": number}
        with Workers(folder, 1, data_dir=data_dir, **job) as workers:
            assert workers.wait() == [0], workers.log(0)
    assert_same_losses(folders[1], folders[0])


@pytest.mark.slow
def test_layers_with_statistics_train_on_two_devices_and_stay_equal(run_program):
    """Keras' own BatchNormalization and Dropout; in parts, which no loop could do."""
    done = run_program(ROOT / "tests" / "two_devices_program.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("equal on both")


# Several processes


def history_of(folder):
    return [
        (row["kind"], row["global_step"], row["loss"]) for row in history.rows(folder / "model")
    ]


def assert_written_by_the_chief_alone(folder, num_workers):
    for index in range(1, num_workers):
        assert not (folder / f"writes-{index}").read_text()
    model_dir = pathlib.Path(folder, "model")
    assert (folder / "writes-0").read_text()
    for events in (model_dir, model_dir / "eval"):
        assert len(list(events.glob("events*"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("num_workers", [1, 2, 4])
def test_any_number_of_workers_has_the_losses_of_one_device(
    tmp_path, data_dir, one_device, num_workers
):
    with Workers(tmp_path, num_workers, data_dir=data_dir, **JOB) as workers:
        assert workers.wait() == [0] * num_workers, workers.log(0)
    for index in range(num_workers):
        assert_same_losses(tmp_path, one_device, index)
        last_line = workers.log(index).splitlines()[-1]
        assert last_line.startswith('{"') if index == 0 else last_line == "{}"
    if num_workers > 1:
        rows = 64 // num_workers
        line = f"worker 1 of {num_workers}, from 0, reads every batch and trains on rows {rows} to"
        assert line in workers.log(1)
    assert_written_by_the_chief_alone(tmp_path, num_workers)
    mine, theirs = history_of(tmp_path), history_of(one_device)
    assert [row[:2] for row in mine] == [row[:2] for row in theirs]
    np.testing.assert_allclose([row[2] for row in mine], [row[2] for row in theirs], rtol=1e-3)
    exports = list((tmp_path / "model" / "export" / "latest").iterdir())
    assert len(exports) == len(list((one_device / "model" / "export" / "latest").iterdir()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("victim", "number", "status"),
    [(1, signal.SIGKILL, 1), (0, signal.SIGKILL, 1), (1, signal.SIGTERM, 143)],
    ids=["a_worker_is_killed", "the_chief_is_killed", "a_worker_is_told_to_end"],
)
def test_a_run_that_loses_a_worker_ends_and_goes_on_with_the_same_command(
    tmp_path, data_dir, one_device, victim, number, status
):
    job = {**JOB, "seconds_a_step": 0.2}
    with Workers(tmp_path, 2, data_dir=data_dir, **job) as workers:
        workers.wait_for_step(14)
        workers.processes[victim].send_signal(number)
        statuses = workers.wait()
        assert statuses[1 - victim] == status, workers.log(1 - victim)
        assert statuses[victim] == (-number if number == signal.SIGKILL else status)
        said = workers.log(1 - victim).splitlines()[-1]
        if number == signal.SIGKILL:
            assert said.startswith("error: all workers must answer each other, received none from")
            assert said.endswith("they go on from the newest checkpoint.")
        else:
            assert said == "error: terminated"
    done = max(losses(tmp_path))
    assert done < 24
    with Workers(tmp_path, 2, data_dir=data_dir, **JOB) as workers:
        assert workers.wait() == [0, 0], workers.log(0)
    assert_same_losses(tmp_path, one_device, index=0)
    assert_same_losses(tmp_path, one_device, index=1)
    rows = [row[:2] for row in history_of(tmp_path)]
    assert rows == [row[:2] for row in history_of(one_device)]


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1], ids=["the_chief", "a_worker"])
def test_a_worker_that_stands_still_for_a_while_is_waited_for(tmp_path, data_dir, victim):
    """As on a virtual machine that is moved, or one with too much to do."""
    with Workers(tmp_path, 2, data_dir=data_dir, max_steps=24, seconds_a_step=0.2) as workers:
        workers.wait_for_step(8)
        workers.processes[victim].send_signal(signal.SIGSTOP)
        time.sleep(20)  # Twice what TensorFlow waits for if it is not told otherwise.
        workers.processes[victim].send_signal(signal.SIGCONT)
        assert workers.wait() == [0, 0], workers.log(0)
    assert max(losses(tmp_path)) == 24


@pytest.mark.slow
def test_a_worker_lost_before_the_first_step_is_one_line_too(tmp_path, data_dir):
    with Workers(tmp_path, 2, data_dir=data_dir) as workers:
        workers.wait_for_line(1, "input | worker 1 of 2")
        workers.processes[0].kill()
        assert workers.wait()[1] == 1
    assert "Traceback" not in workers.log(1)
    said = workers.log(1).splitlines()[-1]
    assert said.startswith("error: all workers must answer each other, received none from")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("job", "num_workers", "last_step"),
    [
        ({"stop_at_step": 5, "stop_on": 1}, 2, 8),
        ({"stop_at_step": 8, "stop_on": 0}, 2, 8),
        # 2,000 captchas are 31 batches of 64 and one of 16, of which worker 1 of 3 has 5.
        ({"epochs": 1, "max_steps": None}, 3, 32),
    ],
    ids=["asked_by_another", "asked_by_the_chief", "the_input_ends"],
)
def test_all_stop_at_the_same_step(tmp_path, data_dir, job, num_workers, last_step):
    job = {"max_steps": 40, "log_step_count_steps": 4, **job}
    with Workers(tmp_path, num_workers, data_dir=data_dir, **job) as workers:
        assert workers.wait() == [0] * num_workers, workers.log(0)
    for index in range(num_workers):
        assert max(losses(tmp_path, index)) == last_step
    assert (tmp_path / "model" / f"ckpt-{last_step}.index").exists()


@pytest.mark.slow
def test_a_batch_with_fewer_rows_than_workers_is_one_line_from_each(tmp_path, data_dir):
    with Workers(tmp_path, 2, data_dir=data_dir, batch_size=1) as workers:
        assert workers.wait() == [1, 1]
    for index in (0, 1):
        assert "error: a batch must have at least 2 examples" in workers.log(index)


@pytest.mark.slow
def test_the_training_program_runs_as_workers(tmp_path, data_dir):
    arguments = [
        *("train.py", "--strategy=multi_worker", f"--data_dir={data_dir}"),
        *(f"--model_dir={tmp_path / 'model'}", "--max_steps=8", "--eval_steps=4"),
        *("--save_checkpoints_steps=4", "--log_steps=4", "--precision=float32"),
    ]
    with Workers(tmp_path, 2, commands=[arguments, arguments]) as workers:
        assert workers.wait() == [0, 0], workers.log(0) + workers.log(1)
    metrics = json.loads((tmp_path / "model" / "eval" / "metrics.json").read_text())
    assert metrics["global_step"] == 8
    assert "whole captchas" in workers.log(0)
    assert "whole captchas" not in workers.log(1)
    assert "eval  |" not in workers.log(1)
    kinds = [(row["kind"], row["global_step"]) for row in history.rows(tmp_path / "model")]
    assert kinds == [("train", 4), ("eval", 4), ("train", 8), ("eval", 8)]

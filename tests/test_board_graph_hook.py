import types

import pytest
import tensorflow as tf
import toy_hooks
from board_events import events_in

from model.estimator.graph_hook import GraphHook


def traced(num_ops=3):
    @tf.function(autograph=False)
    def step(x):
        for _ in range(num_ops):
            x = tf.matmul(x, x, name="layer")
        return x

    return types.SimpleNamespace(graph=step.get_concrete_function(tf.zeros([2, 2])).graph)


def train(folder, **options):
    run = toy_hooks.make_run(folder, last_step=10, **options)
    run.program.train_step = traced()
    GraphHook().after_create(run)


def graphs_in(folder):
    return [event.graph_def for event in events_in(folder) if event.graph_def]


def test_the_graph_of_the_training_step_is_written(tmp_path):
    train(tmp_path)
    (graph,) = graphs_in(tmp_path)
    names = [node.name for node in tf.compat.v1.GraphDef.FromString(graph).node]
    assert [name for name in names if name.startswith("layer")] == ["layer", "layer_1", "layer_2"]


def test_a_run_that_goes_on_writes_no_second_one(tmp_path):
    train(tmp_path)
    train(tmp_path, step=5)
    assert len(graphs_in(tmp_path)) == 1


def test_other_events_of_the_folder_are_no_graph(tmp_path):
    with tf.summary.create_file_writer(str(tmp_path)).as_default(step=1):
        tf.summary.scalar("loss", 1.0)
    train(tmp_path)
    assert len(graphs_in(tmp_path)) == 1


@pytest.mark.parametrize("kept", [0, 20, 0.5], ids=["empty", "header", "half"])
def test_a_graph_that_a_kill_cut_short_is_written_again(tmp_path, kept):
    train(tmp_path)
    (path,) = tmp_path.glob("*.graph")
    content = path.read_bytes()
    path.write_bytes(content[: kept if isinstance(kept, int) else int(kept * len(content))])
    path.rename(path.with_name("events.out.tfevents.1.before.graph"))
    train(tmp_path)
    assert len(list(tmp_path.glob("*.graph"))) == 2
    assert len(graphs_in(tmp_path)) == 1


def test_only_the_chief_writes(tmp_path):
    train(tmp_path, is_chief=False)
    assert list(tmp_path.iterdir()) == []

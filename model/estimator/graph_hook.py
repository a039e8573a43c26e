"""The graph of the training step, for TensorBoard's Graphs tab."""

import os
import pathlib

import tensorflow as tf
from tensorboard.compat.proto import event_pb2

from model.estimator.hooks import Hook, Run

_SUFFIX = ".graph"


class GraphHook(Hook):
    """Writes the compiled training step's graph to `model_dir`, once.

    It lies in an events file of its own, whose name ends in `.graph`: a run that goes on finds it
    by that name, and writes another only if a kill left it unfinished. Only the chief writes.
    """

    def after_create(self, run: Run) -> None:
        """The step has been traced."""
        if not run.is_chief or _has_graph(run.model_dir):
            return
        writer = tf.summary.create_file_writer(str(run.model_dir), filename_suffix=_SUFFIX)
        with writer.as_default(step=run.global_step):
            tf.summary.graph(run.program.train_step.graph)
        writer.close()


def _has_graph(folder: pathlib.Path) -> bool:
    for path in folder.glob(f"events.out.tfevents.*{_SUFFIX}"):
        events = tf.data.TFRecordDataset(os.fspath(path))
        try:
            if any(event_pb2.Event.FromString(event.numpy()).graph_def for event in events):
                return True
        except tf.errors.DataLossError:  # A record cut short.
            continue
    return False

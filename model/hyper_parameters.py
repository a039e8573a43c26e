"""The settings of a run and what it reached, for TensorBoard's HParams tab."""

import os
import pathlib
from collections.abc import Mapping

import tensorflow as tf
from tensorboard.plugins.hparams import api

_FOLDER = "hparams"


def write_hyper_parameters(
    model_dir: str | os.PathLike, settings: Mapping, metrics: Mapping[str, float]
) -> None:
    """Writes one row of the table in which the runs under one logdir are compared.

    It lies in `model_dir/hparams/`, where metrics of other folders do not mix with it, and replaces
    an earlier one: each model_dir is one row, however often its run was stopped.

    Args:
      model_dir: Of the run.
      settings: Name to number, bool or text; None, a setting left open, becomes an empty cell.
      metrics: What `Estimator.evaluate` returned at last; `global_step` is the step.
    """
    folder = pathlib.Path(model_dir) / _FOLDER
    before = list(folder.glob("events.out.tfevents.*"))
    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default(step=int(metrics["global_step"])):
        api.hparams(
            {name: value for name, value in settings.items() if value is not None},
            # By default runs of equal settings are one row. The name first: the column is narrow.
            trial_id=f"{folder.parent.name} in {folder.parent.parent}",
        )
        for name, value in metrics.items():
            if name != "global_step":
                tf.summary.scalar(name, value)
    writer.close()
    for path in before:
        path.unlink()

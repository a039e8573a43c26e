"""Histograms of the weights, for TensorBoard."""

import tensorflow as tf

from model.estimator.checks import check_count
from model.estimator.hooks import Hook, Run
from model.estimator.tf_variables import tf_variable
from model.estimator.variable_groups import network_variables


class HistogramHook(Hook):
    """Writes a histogram of each trainable weight to `model_dir` every `every_steps` steps.

    Tags are `weights/` and the names of `Estimator.get_variable_names`. Only the chief writes.

    Raises:
      ValueError: If `every_steps` is no count.
    """

    def __init__(self, every_steps: int = 1000):
        check_count("every_steps", every_steps)
        self.every_steps = every_steps

    def after_create(self, run: Run) -> None:
        """Writes what training begins with, unless it goes on."""
        if run.global_step == 0:
            self._write(run)

    def after_run(self, run: Run, values) -> None:
        """Writes at multiples of `every_steps`."""
        if run.global_step % self.every_steps == 0:
            self._write(run)

    def _write(self, run: Run) -> None:
        if not run.is_chief:
            return
        trainable = {id(tf_variable(variable)) for variable in run.net.trainable_variables}
        writer = run.summaries.writer(run.model_dir)
        with writer.as_default(step=run.global_step):
            for name, variable in network_variables(run.program)["net"].items():
                if id(variable) in trainable:
                    tf.summary.histogram(f"weights/{name}", variable)
        writer.flush()

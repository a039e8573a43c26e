"""A training and an evaluation that only hooks see: their methods, called as the Estimator does."""

import pathlib
import types

import tensorflow as tf

from model.estimator import ModeKeys, RunConfig
from model.estimator.hooks import Run
from model.estimator.summaries import Summaries


class ToyProgram:
    """A network of one kernel, and as much of a program as a Run asks for."""

    def __init__(self, is_chief=True):
        self.net = tf.Module()
        self.net.kernel = tf.Variable(tf.ones([4, 4]), name="kernel")
        self.global_step = tf.Variable(0, dtype=tf.int64)
        self.is_chief = is_chief
        self.chance = {}
        self.average = None


def make_run(folder, *, last_step=None, is_chief=True, step=0, **options):
    program = ToyProgram(is_chief)
    program.global_step.assign(step)
    return Run(
        mode=options.pop("mode", ModeKeys.TRAIN),
        program=program,
        config=RunConfig(),
        summaries=Summaries(),
        model_dir=pathlib.Path(folder),
        last_step=last_step,
        **options,
    )


@tf.function(autograph=False)
def _step(kernel):
    return tf.reduce_sum(tf.matmul(kernel, kernel))


def train(
    hook, folder, steps, *, last_step, is_chief=True, stop_reason=None, fails_at=None, ends=True
):
    """Calls `hook` as a training from steps[0] to steps[-1] + 1 does."""
    run = make_run(folder, last_step=last_step, is_chief=is_chief, step=steps[0])
    hook.begin(run)
    hook.after_create(run)
    for step in steps:
        hook.before_run(run)
        if step == fails_at:
            raise RuntimeError("of the step")
        loss = _step(run.net.kernel)
        run.global_step = step + 1
        hook.after_run(run, {"loss": tf.reshape(loss, [1])})
    run.stop_reason = stop_reason
    if ends:
        hook.end(run)
    return run


def evaluate(hooks, folder, batches, *, step=100, metrics=None):
    """Calls `hooks` as an evaluation of `batches` (features, labels, predictions) does."""
    run = make_run(folder, mode=ModeKeys.EVAL, eval_dir=pathlib.Path(folder) / "eval", step=step)
    for hook in hooks:
        hook.begin(run)
        hook.after_create(run)
    for features, labels, predictions in batches:
        values = {"features": features, "labels": labels, "predictions": predictions}
        for hook in hooks:
            hook.before_run(run)
            hook.after_run(run, {**values, "loss": tf.constant(0.0)})
    run.metrics = metrics or {"global_step": step}
    for hook in hooks:
        hook.end(run)
    return types.SimpleNamespace(run=run, eval_dir=run.eval_dir)

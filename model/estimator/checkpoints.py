"""The checkpoints of a model_dir: which is newest, saving, and bringing a program to one.

Files are `ckpt-<step>.index` and `ckpt-<step>.data-...`. TensorFlow writes both under other names
and renames the index last, so an index means a whole checkpoint. The newest is therefore found by
listing and not through the file `checkpoint`, which a killed run leaves behind the times.
"""

import contextlib
import json
import os
import pathlib
import re
from collections.abc import Iterator

import tensorflow as tf
from absl import logging

from model.estimator.checkpoint_file import CheckpointFile, CheckpointMismatchError, reason
from model.estimator.input_data import TrainingInput
from model.estimator.program import Program
from model.estimator.variable_groups import all_variables, network_variables

_INDEX = re.compile(r"ckpt-(\d+)\.index")


def latest_checkpoint(model_dir: str | os.PathLike) -> str | None:
    """The path of the checkpoint of the highest step, without suffix; None if there is none."""
    folder = pathlib.Path(model_dir)
    names = os.listdir(folder) if folder.is_dir() else []
    steps = [int(match[1]) for match in map(_INDEX.fullmatch, names) if match]
    return _path(folder, max(steps)) if steps else None


def step_of(path: str) -> int:
    """The step in the name of a checkpoint of a model_dir."""
    return int(path.rpartition("-")[2])


def save_checkpoint(
    program: Program, training_input: TrainingInput, model_dir: str | os.PathLike, keep_max: int
) -> str:
    """Writes `ckpt-<step>`, then removes all but the newest `keep_max`.

    Returns:
      Its path, without suffix.

    Raises:
      OSError: If it cannot be written.
    """
    groups = all_variables(program)
    content = {group: list(variables.values()) for group, variables in groups.items()}
    content["names"] = tf.Variable(
        json.dumps({group: list(variables) for group, variables in groups.items()})
    )
    content["global_step"] = program.global_step
    if training_input.iterator_can_be_saved:
        content["iterator"] = training_input.iterator
    step = int(program.global_step)
    try:
        manager = tf.train.CheckpointManager(
            tf.train.Checkpoint(**content), str(model_dir), keep_max, checkpoint_name="ckpt"
        )
        with _at_most_warnings():  # TensorFlow logs how long a callback of its own took.
            manager.save(checkpoint_number=step)
    except tf.errors.FailedPreconditionError as error:
        if "iterator" not in content:
            raise OSError(_cannot_write(model_dir, error)) from error
        logging.warning(
            "input | its place cannot be saved (%s): a resumed run starts it anew. "
            "tf.data without Python functions can be saved.",
            reason(error),
        )
        training_input.iterator_can_be_saved = False
        return save_checkpoint(program, training_input, model_dir, keep_max)
    except tf.errors.OpError as error:
        raise OSError(_cannot_write(model_dir, error)) from error
    return _path(model_dir, step)


def restore_network(program: Program, path: str) -> None:
    """Brings network and global step to the checkpoint at `path`; the optimizer stays as it is.

    Raises:
      ValueError: If the checkpoint is damaged or of another network; nothing has changed then.
    """
    file = CheckpointFile(path)
    _assign(program, file, file.values_for("net", network_variables(program)["net"]))


def restore_training(program: Program, path: str) -> None:
    """Brings all but the input to the checkpoint at `path`.

    Raises:
      ValueError: If it is damaged or of another network or optimizer; nothing has changed then.
    """
    file = CheckpointFile(path)
    groups = all_variables(program)
    pairs = file.values_for("net", groups["net"]) + file.values_for(
        "optimizer", groups["optimizer"]
    )
    try:
        pairs += file.values_for("random", groups["random"])
    except CheckpointMismatchError:
        # A run may go on with more dropout or with none: its weights are the same.
        logging.info("input | the network's random layers have changed: their seeds start anew")
    _assign(program, file, pairs)


def restore_input(training_input: TrainingInput, path: str) -> None:
    """Brings the input to its place in the checkpoint at `path`.

    If that holds none, or one of another pipeline, the input stays at its beginning and a log line
    says so: to change the data between two runs is allowed.

    Raises:
      ValueError: If the checkpoint is damaged there.
      tf.errors.OpError: If the data cannot be read up to there.
    """
    try:
        if CheckpointFile(path).has_iterator():
            checkpoint = tf.train.Checkpoint(iterator=training_input.iterator)
            checkpoint.read(path).expect_partial()
            training_input.go_on()
            return
    except tf.errors.NotFoundError:
        training_input.restart()
    logging.warning("input | starts anew: %s holds no place in a pipeline like this", path)


def _assign(program: Program, file: CheckpointFile, pairs: list) -> None:
    """All values have been read by now, so a damaged file cannot leave a half-restored network."""
    for variable, value in pairs:
        variable.assign(value)
    program.global_step.assign(file.global_step)


@contextlib.contextmanager
def _at_most_warnings() -> Iterator[None]:
    verbosity = logging.get_verbosity()
    logging.set_verbosity(min(verbosity, logging.WARNING))
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


def _path(model_dir: str | os.PathLike, step: int) -> str:
    return str(pathlib.Path(model_dir) / f"ckpt-{step}")


def _cannot_write(model_dir: str | os.PathLike, error: tf.errors.OpError) -> str:
    return (
        f"a checkpoint must be written to {os.fspath(model_dir)}, received "
        f"{reason(error)!r}. Make room there, or use another model_dir."
    )

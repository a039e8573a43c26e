"""The checkpoints of a model_dir: which is newest, saving, and bringing a program to one.

Files are `ckpt-<step>.index` and `ckpt-<step>.data-...`. Both are written as `partial-ckpt-...` and
renamed, the index last, so an index means a whole checkpoint: TensorFlow alone would write it under
its final name, and be killed or find the disk full half-way. The newest is found by listing and not
through the file `checkpoint`, which a killed run leaves behind the times.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
from collections.abc import Iterator, Mapping

import tensorflow as tf
from absl import logging

from model.estimator.checkpoint_file import CheckpointFile, CheckpointMismatchError
from model.estimator.input_data import TrainingInput
from model.estimator.program import Program
from model.estimator.tensor_file import DamagedCheckpointError, reason
from model.estimator.variable_groups import all_variables, network_variables

_PARTIAL = "partial-"
_FAIL = 2  # tf.data's policy for an iterator whose state is in part Python's.
_INDEX = re.compile(r"ckpt-(\d+)\.index")


def latest_checkpoint(model_dir: str | os.PathLike) -> str | None:
    """The path of the checkpoint of the highest step, without suffix; None if there is none."""
    return next(iter(checkpoints_in(model_dir)), None)


def checkpoints_in(model_dir: str | os.PathLike) -> list[str]:
    """The paths of all checkpoints, without suffix, the newest first."""
    folder = pathlib.Path(model_dir)
    names = os.listdir(folder) if folder.is_dir() else []
    steps = [int(match[1]) for match in map(_INDEX.fullmatch, names) if match]
    return [path_of(folder, step) for step in sorted(steps, reverse=True)]


def newest_whole_checkpoint(model_dir: str | os.PathLike) -> str | None:
    """The path of the newest checkpoint that can be read, without suffix; None if there is none.

    A warning names each newer one that cannot, and the one that is used in its place.

    Raises:
      DamagedCheckpointError: If there are some, and none can be read.
    """
    problems = {}
    for path in checkpoints_in(model_dir):
        try:
            CheckpointFile(path).check_whole()
        except DamagedCheckpointError as error:
            problems[path] = error
            continue
        for damaged, problem in problems.items():
            logging.warning(
                "checkpoint %s cannot be read (%s): going back to %s",
                damaged,
                reason(problem.__cause__ or problem),
                path,
            )
        return path
    if problems:
        newest = next(iter(problems.values()))
        rule, _, _ = str(newest).partition(" Remove ")
        raise DamagedCheckpointError(
            f"{rule} So it is with all {len(problems)} in {model_dir}: put a copy back, or train "
            "into another model_dir."
        ) from newest
    return None


def set_damaged_aside(model_dir: str | os.PathLike, path: str | None) -> None:
    """Renames the checkpoints that are newer than that at `path` to `damaged-ckpt-...`.

    A training that goes on from `path` would otherwise be found behind them by the next one. What
    a killed one left half-written is removed.
    """
    remove_leftovers(model_dir)
    for damaged in checkpoints_in(model_dir):
        if damaged == path:
            return
        folder, name = os.path.split(damaged)
        for file in pathlib.Path(folder).glob(f"{name}.*"):
            file.replace(file.with_name(f"damaged-{file.name}"))


def step_of(path: str) -> int:
    """The step in the name of a checkpoint of a model_dir."""
    return int(path.rpartition("-")[2])


def save_checkpoint(
    program: Program,
    training_input: TrainingInput,
    model_dir: str | os.PathLike,
    keep_max: int,
    hook_states: Mapping[str, dict],
) -> str:
    """Writes `ckpt-<step>`, then removes all but the newest `keep_max`.

    `hook_states` is what hooks want to be told when a training goes on from here, as JSON.

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
    content["hooks"] = tf.Variable(json.dumps(hook_states))
    content["global_step"] = program.global_step
    place = _place_in(training_input)
    if place is not None:
        content["iterator"] = tf.Variable(place)
    path = path_of(model_dir, int(program.global_step))
    try:
        _write(tf.train.Checkpoint(**content), path)
        for old in checkpoints_in(model_dir)[keep_max:]:
            _remove(old)
        _write_state(model_dir)
    except (tf.errors.OpError, OSError) as error:
        remove_leftovers(model_dir)
        raise OSError(_cannot_write(model_dir, error)) from error
    return path


def _write(checkpoint: tf.train.Checkpoint, path: str) -> None:
    """Writes the files of a checkpoint, which has its index, and so is one, when all is there."""
    folder, name = os.path.split(path)
    partial = os.path.join(folder, f"{_PARTIAL}{name}")
    os.makedirs(folder, exist_ok=True)
    with _at_most_warnings():  # TensorFlow logs how long a callback of its own took.
        checkpoint.write(partial)
    files = pathlib.Path(folder).glob(f"{_PARTIAL}{name}.*")
    for file in sorted(files, key=lambda file: file.suffix == ".index"):
        file.replace(file.with_name(file.name.removeprefix(_PARTIAL)))


def _write_state(model_dir: str | os.PathLike) -> None:
    """Writes the file `checkpoint`, by which other programs and TensorFlow find the newest."""
    names = [os.path.basename(path) for path in checkpoints_in(model_dir)]
    lines = [f'model_checkpoint_path: "{names[0]}"']
    lines += [f'all_model_checkpoint_paths: "{name}"' for name in reversed(names)]
    partial = pathlib.Path(model_dir) / f"{_PARTIAL}checkpoint"
    partial.write_text("\n".join(lines) + "\n")
    partial.replace(partial.with_name("checkpoint"))


def _remove(path: str) -> None:
    """Removes a checkpoint, which is none as soon as its index is gone."""
    folder, name = os.path.split(path)
    files = pathlib.Path(folder).glob(f"{name}.*")
    for file in sorted(files, key=lambda file: file.suffix != ".index"):
        file.unlink()


def remove_leftovers(model_dir: str | os.PathLike) -> None:
    """Removes what a save that was killed, or that found no room, has left."""
    folder = pathlib.Path(model_dir)
    for file in [*folder.glob(f"{_PARTIAL}c*"), *folder.glob("ckpt-*.data-*")]:
        if file.is_dir():
            shutil.rmtree(file, ignore_errors=True)
        elif file.name.startswith(_PARTIAL) or not file.with_suffix(".index").exists():
            file.unlink(missing_ok=True)


def restore_network(program: Program, path: str) -> None:
    """Brings network and global step to the checkpoint at `path`; the optimizer stays as it is.

    If the checkpoint has averages of the weights, the network gets those.

    Raises:
      ValueError: If the checkpoint is damaged or of another network; nothing has changed then.
    """
    file = CheckpointFile(path)
    groups = network_variables(program)
    variables = groups["net"]
    pairs = file.values_for("net", variables) + (_random_pairs(file, groups["random"]) or [])
    if file.names("average"):
        theirs, ours = file.names("net"), list(variables)
        places = dict(zip(theirs, theirs if set(theirs) == set(ours) else ours, strict=True))
        averaged = {name: variables[places[name]] for name in file.names("average")}
        pairs += file.values_for("average", averaged)
    _assign(program, file, pairs)


def restore_training(program: Program, path: str) -> dict[str, dict]:
    """Brings all but the input to the checkpoint at `path`.

    Returns:
      The states of the hooks, by name.

    Raises:
      ValueError: If it is damaged or of another network or optimizer; nothing has changed then.
    """
    file = CheckpointFile(path)
    groups = all_variables(program)
    pairs = file.values_for("net", groups["net"]) + file.values_for(
        "optimizer", groups["optimizer"]
    )
    random = _random_pairs(file, groups["random"])
    if random is None:
        logging.info("input | the network's random layers have changed: their seeds start anew")
    pairs += random or []
    if groups["average"] and file.names("average"):
        pairs += file.values_for("average", groups["average"])
    _assign(program, file, pairs)
    if groups["average"] and not file.names("average"):
        program.average.start()  # A run may begin to average.
    return file.hook_states


def restore_input(training_input: TrainingInput, path: str, *, may_restart: bool) -> None:
    """Brings the input to its place in the checkpoint at `path`.

    If that holds none, or one of another pipeline, the input stays at its beginning and a log line
    says so: to change the data between two runs is allowed.

    Raises:
      ValueError: If the checkpoint is damaged there.
      tf.errors.OpError: If the data cannot be read up to there.
    """
    try:
        place = CheckpointFile(path).iterator
        if place is not None:
            tf.raw_ops.DeserializeIterator(
                resource_handle=training_input.iterator._iterator_resource,
                serialized=tf.io.parse_tensor(place, tf.variant),
            )
            training_input.go_on(may_restart=may_restart)
            return
    except tf.errors.NotFoundError:
        training_input.restart()
    except tf.errors.InternalError as error:
        # Of an interleave, where some files are longer than others, tf.data restores not every
        # place. The weights are whole, and training can go on with them.
        training_input.restart()
        logging.warning("input | starts anew: its place cannot be restored (%s)", reason(error))
        return
    logging.warning("input | starts anew: %s holds no place in a pipeline like this", path)


def _random_pairs(file: CheckpointFile, variables: Mapping[str, tf.Variable]) -> list | None:
    """States of seed generators with their values; None if the checkpoint has others.

    A run may go on with more dropout or with none: its weights are the same.
    """
    try:
        return file.values_for("random", variables)
    except CheckpointMismatchError:
        return None


def _place_in(training_input: TrainingInput) -> tf.Tensor | None:
    """The place in the input as bytes, string scalar; None if it cannot be told.

    TensorFlow would save the iterator itself too, but in a form whose checksum is looked at after
    it has been taken apart: a flipped bit there can end the process.
    """
    if not training_input.iterator_can_be_saved:
        return None
    try:
        place = tf.raw_ops.SerializeIterator(
            resource_handle=training_input.iterator._iterator_resource,
            external_state_policy=_FAIL,
        )
    except tf.errors.FailedPreconditionError as error:
        logging.warning(
            "input | its place cannot be saved (%s): a resumed run starts it anew. "
            "tf.data without Python functions can be saved.",
            reason(error),
        )
        training_input.iterator_can_be_saved = False
        return None
    return tf.io.serialize_tensor(place)


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


def path_of(model_dir: str | os.PathLike, step: int) -> str:
    """The path of the checkpoint of `step`, without suffix."""
    return str(pathlib.Path(model_dir) / f"ckpt-{step}")


def _cannot_write(model_dir: str | os.PathLike, error: Exception) -> str:
    return (
        f"a checkpoint must be written to {os.fspath(model_dir)}, received "
        f"{reason(error)!r}. Make room there, or use another model_dir."
    )

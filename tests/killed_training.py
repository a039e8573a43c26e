"""A whole run that is killed and goes on: python tests/killed_training.py FOLDER VARIANT NUM SEED.

Kills a run at NUM moments, drawn with SEED, and starts it again each time, until it ends; then the
next run. Prints a line of JSON for each kill, and for each run that has ended one with all that
differs from a run that nobody disturbed. Processes are forked, as loading TensorFlow for each takes
longer than what it is to do; for that TensorFlow must not have started anything before.
"""

import dataclasses
import functools
import itertools
import json
import os
import pathlib
import signal
import sys
import threading
import time
from collections.abc import Iterator

if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # A process with threads is not forked.
_TESTS = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_TESTS.parent), str(_TESTS)]

import keras
import numpy as np
import tensorflow as tf
from absl import logging
from tiny_dataset import tiny_fields

from model.estimator import (
    Estimator,
    EstimatorSpec,
    EvalSpec,
    ModeKeys,
    RunConfig,
    TrainSpec,
    checkpoint_hook,
    evaluation,
    history,
    live_program,
    train_and_evaluate,
    training_loop,
)
from model.estimator.best_checkpoint import KeepBest
from model.estimator.exporters import BestExporter, LatestExporter
from records import shuffle
from records.example_proto import encode_example
from records.input_fn import input_fn_maker
from records.schema import write_data_info
from records.tfrecord import frame

MAX_STEPS = 24
_OF_THE_PROCESS = ("_CHECKPOINTABLE", "save_counter", "names", "iterator")
VARIANTS = {
    "plain": {"save_checkpoints_steps": 3},
    "looped": {"save_checkpoints_steps": 6, "steps_per_loop": 3, "accumulate_gradients": 2},
}
_NUM_EXAMPLES = {"train-0": 20, "train-1": 20, "test-0": 10}
_LOG = "log.txt"
_WINDOW_BYTES = 16 * 100  # Of some 16 records, so that an epoch has several windows.


def write_data(folder: pathlib.Path) -> None:
    """Pictures of 4 x 6 pixels and labels of two digits that depend on them."""
    fields = tiny_fields()
    rng = np.random.default_rng((5, 0))
    folder.mkdir(parents=True)
    (folder / "data_info.csv").write_text(write_data_info(fields))
    for name, num in _NUM_EXAMPLES.items():
        with open(folder / f"{name}.tfrecord", "wb") as file:
            for _ in range(num):
                image = rng.integers(0, 256, [4, 6, 3], dtype=np.uint8)
                digits = np.int64([image[:2].sum() // 400 % 10, image[2:].sum() // 400 % 10])
                file.write(frame(encode_example(fields, {"image": image, "label": digits})))


class Seen(keras.layers.Layer):
    """Passes pictures on, and has a checksum of all that it was trained on, in their order."""

    def build(self, shape):
        self.sum = self.add_weight(
            shape=[], dtype="int64", initializer="zeros", trainable=False, name="sum"
        )

    def call(self, image, training=False):
        if training:
            pixels = tf.reshape(tf.cast(image, tf.int64), [-1])
            places = tf.range(1, tf.size(pixels, tf.int64) + 1)
            self.sum.assign(31 * self.sum + tf.reduce_sum(places * pixels))
        return tf.cast(image, tf.float32) / 255


def net_fn(params):
    del params
    return keras.Sequential(
        [
            keras.Input([4, 6, 3], dtype="uint8"),
            Seen(dtype="float32", autocast=False),
            keras.layers.Conv2D(8, 3, padding="same"),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(10),
        ]
    )


def model_fn(features, labels, net, mode):
    logits = net(features["image"], training=mode == ModeKeys.TRAIN)
    if mode == ModeKeys.PREDICT:
        return EstimatorSpec(mode, predictions={"probabilities": tf.nn.softmax(logits)})
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels[:, 0], logits=logits)
    metrics = {"accuracy": tf.equal(tf.argmax(logits, axis=-1), labels[:, 0])}
    return EstimatorSpec(
        mode, loss=tf.reduce_mean(losses), eval_metric_ops=metrics, train_metric_ops=metrics
    )


def signatures_fn(net):
    @tf.function(input_signature=[tf.TensorSpec([None, 4, 6, 3], tf.uint8)], autograph=False)
    def serve(image):
        return {"logits": net(image)}

    return {"serving_default": serve}


def estimator(model_dir: pathlib.Path, **options) -> Estimator:
    return Estimator(
        model_fn,
        model_dir,
        net_fn=net_fn,
        optimizer_fn=lambda params: keras.optimizers.Adam(0.01),
        config=RunConfig(
            **{"save_summary_steps": 4, "log_step_count_steps": 4, "ema_decay": 0.9, **options}
        ),
    )


def input_fns(data: pathlib.Path) -> tuple:
    shuffle._WINDOW_BYTES = _WINDOW_BYTES
    train, test = (sorted(data.glob(f"{split}-*.tfrecord")) for split in ("train", "test"))
    info = data / "data_info.csv"
    return (
        input_fn_maker(train, info, shuffle=True, batch_size=8, epoch=None, drop_remainder=True),
        input_fn_maker(test, info, batch_size=4),
    )


def train(data: pathlib.Path, model_dir: pathlib.Path, variant: str) -> None:
    """The command that is run again and again."""
    train_input_fn, test_input_fn = input_fns(data)
    train_and_evaluate(
        estimator(model_dir, **VARIANTS[variant]),
        TrainSpec(train_input_fn, max_steps=MAX_STEPS),
        EvalSpec(
            test_input_fn,
            every_steps=8,
            exporters=[
                LatestExporter("latest", signatures_fn, exports_to_keep=2),
                BestExporter("best", signatures_fn, metric="loss", higher_is_better=False),
            ],
            keep_best=KeepBest("loss", higher_is_better=False),
        ),
    )


def result(model_dir: pathlib.Path) -> dict:
    """All that must not depend on whether a run was disturbed, by name."""
    (index,) = model_dir.glob(f"ckpt-{MAX_STEPS}.index")
    found = {f"ckpt/{key}": value for key, value in tensors(index.with_suffix("")).items()}
    found["checkpoints"] = sorted(path.name for path in model_dir.glob("ckpt-*"))
    for row in history.rows(model_dir):
        row.pop("examples_per_sec", None)
        found.setdefault(f"history/{row['kind']}", []).append(row)
    found["metrics"] = json.loads((model_dir / "eval" / "metrics.json").read_text())
    for path in sorted(model_dir.rglob("best.json")):
        record = json.loads(path.read_text())
        record.pop("version", None)  # The time.
        found[str(path.relative_to(model_dir))] = record
    for index in (model_dir / "best").glob("*.index"):
        for key, value in tensors(index.with_suffix("")).items():
            found[f"best/{index.name}/{key}"] = value
    for exporter in ("latest", "best"):
        versions = [path for path in (model_dir / "export" / exporter).iterdir() if path.is_dir()]
        for number, version in enumerate(sorted(versions, key=lambda path: int(path.name))):
            origin = json.loads((version / "assets.extra" / "exported_from.json").read_text())
            del origin["index_sha256"]
            name = f"export/{exporter}/{number}"
            found[name] = origin
            for key, value in tensors(version / "variables" / "variables").items():
                found[f"{name}/{key}"] = value
    return found


def tensors(checkpoint: pathlib.Path) -> dict:
    """All values in a checkpoint by their keys: weights, optimizer, averages, seeds, step, input.

    Without what depends on the process: how Keras numbers layers, the times in `hooks`.
    """
    reader = tf.train.load_checkpoint(str(checkpoint))
    return {
        key: reader.get_tensor(key)
        for key in reader.get_variable_to_shape_map()
        if not key.startswith(_OF_THE_PROCESS)
    }


def differences(one: dict, other: dict) -> list[str]:
    """The names of what is not the same, bit by bit."""
    return sorted(
        name
        for name in one.keys() | other.keys()
        if name not in one or name not in other or not _same(one[name], other[name])
    )


def _same(one, other) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and (
            one.tobytes() == other.tobytes()
        )  # fmt: skip
    return one == other


# Killing

_AIMS = {
    "step": (training_loop.TrainingLoop, "_take_steps"),
    "checkpoint": (checkpoint_hook, "save_checkpoint"),
    "restore": (live_program.LiveProgram, "prepare_to_train"),
    "evaluation": (evaluation, "evaluate"),
    "export": (Estimator, "export_saved_model"),
    "best": (KeepBest, "keep"),
    "history": (history, "append"),
    "cut": (history, "cut_after"),
}


# Of the call that is aimed at, below; 1 for the rest.
_HIGHEST_NUMBER = {
    "step": 12,
    "checkpoint": 5,
    "evaluation": 2,
    "export": 3,
    "best": 2,
    "history": 4,
}


@dataclasses.dataclass(frozen=True)
class Kill:
    """At `share` of the time that call `number` of the aim takes, or of the whole run."""

    aim: str
    number: int = 0
    share: float = 0.0


def _kill_me(kill: Kill, seconds: float) -> None:
    """Waits in a thread of its own for the call, and then for the moment within it."""
    owner, name = _AIMS[kill.aim]
    calls = itertools.count()
    original = getattr(owner, name)

    def die():
        time.sleep(kill.share * seconds)
        os.kill(os.getpid(), signal.SIGKILL)

    def call(*arguments, **options):
        if next(calls) == kill.number:
            if kill.aim == "history":
                half = '{"kind": "train", "global_step": 4, "loss": 2.3'[: int(47 * kill.share)]
                with open(pathlib.Path(arguments[0]) / "history.jsonl", "a") as file:
                    file.write(half)
            threading.Thread(target=die, daemon=True).start()
        return original(*arguments, **options)

    setattr(owner, name, call)


def _time_calls() -> dict[str, list[float]]:
    """Wraps all that is aimed at; returns seconds, which fill up as it is called."""
    seconds = {aim: [] for aim in _AIMS}

    def timed(original, durations):
        def call(*arguments, **options):
            began = time.monotonic()
            try:
                return original(*arguments, **options)
            finally:
                durations.append(time.monotonic() - began)

        return call

    for aim, (owner, name) in _AIMS.items():
        setattr(owner, name, timed(getattr(owner, name), seconds[aim]))
    return seconds


def _forked(folder: pathlib.Path, function) -> int:
    """Runs `function` in a process of its own; returns its id."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        descriptor = os.open(folder / _LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        logging.use_absl_handler()
        logging.set_verbosity(logging.INFO)
        function()
        status = 0
    except BaseException:
        logging.exception("the run failed")
    finally:
        os._exit(status)


def _ended(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def main(folder: pathlib.Path, variant: str, num_kills: int, seed: int) -> None:
    data, whole = folder / "data", folder / "whole"
    write_data(data)
    seconds = _seconds_undisturbed(folder, lambda: train(data, whole, variant))
    kills = list(itertools.islice(_draw(seed), num_kills))
    for number in itertools.count():
        model_dir = folder / f"run-{number}"
        run = functools.partial(train, data, model_dir, variant)
        while _is_killed(folder, run, kills[0] if kills else None, seconds):
            left = sorted(path.name for path in model_dir.glob("*"))
            told = {"run": number, **dataclasses.asdict(kills.pop(0)), "left": left}
            print(json.dumps(told), flush=True)
        told = {"run": number, "differences": _differences_of(folder, whole, model_dir)}
        print(json.dumps(told), flush=True)
        if not kills:
            return
        # It ended before the call came; in the next run, from nothing, the first such call does.
        kills[0] = dataclasses.replace(kills[0], number=0)


def _seconds_undisturbed(folder: pathlib.Path, run) -> dict[str, float]:
    """Runs `run`; says how long it takes, and what is aimed at in it."""
    timing = folder / "seconds.json"

    def timed():
        began = time.monotonic()
        seconds = _time_calls()
        run()
        seconds["any"] = [time.monotonic() - began]
        timing.write_text(json.dumps(seconds))

    _check(folder, _forked(folder, timed))
    return {aim: np.median(values) for aim, values in json.loads(timing.read_text()).items()}


def _differences_of(folder: pathlib.Path, whole: pathlib.Path, model_dir: pathlib.Path) -> list:
    found = folder / "differences.json"  # To read checkpoints may start threads: not here.
    _check(
        folder,
        _forked(
            folder,
            lambda: found.write_text(json.dumps(differences(result(whole), result(model_dir)))),
        ),
    )
    return json.loads(found.read_text())


def _check(folder: pathlib.Path, process: int) -> None:
    if _ended(process) != 0:
        raise RuntimeError((folder / _LOG).read_text()[-3000:])


def _is_killed(folder: pathlib.Path, run, kill: Kill | None, seconds: dict[str, float]) -> bool:
    """Runs `run` in a process of its own, which `kill` ends, unless it is through before."""

    def prepared():
        if kill is not None and kill.aim != "any":
            _kill_me(kill, seconds[kill.aim])
        run()

    process = _forked(folder, prepared)
    if kill is not None and kill.aim == "any":
        time.sleep(kill.share * seconds["any"])
        os.kill(process, signal.SIGKILL)
    status = _ended(process)
    if status not in (0, -signal.SIGKILL):
        raise RuntimeError((folder / _LOG).read_text()[-3000:])
    return status != 0


def _draw(seed: int) -> Iterator[Kill]:
    """Without end: a kill at any moment, and one at each thing that is aimed at, by turns."""
    rng = np.random.default_rng(seed)
    for aim in itertools.cycle(_AIMS):
        for drawn in ("any", aim):
            number = int(rng.integers(_HIGHEST_NUMBER.get(drawn, 1)))
            yield Kill(drawn, number, float(rng.uniform()))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

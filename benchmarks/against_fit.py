r"""Training with the Estimator, as train.py does it, beside Keras' `model.fit`.

  python benchmarks/against_fit.py --flagfile=configs/quick.flags         # five minutes
  python benchmarks/against_fit.py --flagfile=configs/quick.flags --rounds=5 --steps=100      # two

All train one network on one dataset with batches of the same size, in turns: each steps as often as
the others, then waits. So a slow minute of the machine is one of all. Each has a process of its
own, as how many threads TensorFlow gives an op is settled once in a process; in the third one
TensorFlow starts as it does by default (tensorflow_start.py).

  estimator    what train.py runs with these flags: shifts, dropout, all hooks, a log line and a
               summary each 100 steps.
  fit          `fit` with the same input function, shifts, dropout, precision, optimizer and oneDNN,
               a loss and the metric "accuracy" of Keras, a line an epoch (verbose=2).
  fit_default  what `fit` does by default: float32, Adam, no shifts, PNG files from a folder by
               keras.utils.image_dataset_from_directory, a bar that shows the progress.

None of them writes a checkpoint meanwhile, and none chooses among candidates. `jit_compile` has its
default, on a CPU off. The flags of train.py are flags of this program too, and hold for all three:
--net, --batch_size, --data_dir.
"""

import contextlib
import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

import numpy as np
from absl import flags, logging

import command_line
import tensorflow_start
import train
from benchmarks.taking_turns import Turns, ratio
from benchmarks.turn_process import TurnsElsewhere, training_elsewhere

_NEVER = 10**9  # Steps.


def main(_: list[str]) -> None:
    """Measures, keeps the figures."""
    if _ALONE.value:
        _run_alone(_ALONE.value)
        return
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}  # The user's: no oneDNN of ours.
    tensorflow_start.import_quietly()
    from benchmarks import ledger

    logging.set_verbosity(logging.WARNING)  # The lines are made all the same, and go nowhere.
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        trainings = {
            "estimator": _estimator(_config(folder / "model")),
            **{
                name: training_elsewhere(
                    [sys.executable, *sys.argv, f"--alone={name}"], environment, _ROUNDS.value + 1
                )
                for name in ("fit", "fit_default")
            },
        }
        turns = Turns(list(trainings))
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            turns.run({name: _bound(run, turns, name) for name, run in trainings.items()})
    config = train.config_of_flags()
    num_images = _STEPS.value * config.batch_size
    figures = {
        "rounds": _ROUNDS.value,
        "steps_a_round": _STEPS.value,
        **{
            f"{name}_images_per_second": num_images / float(np.median(seconds[1:]))
            for name, seconds in turns.seconds.items()
        },
        **{
            f"estimator_to_{name}": ratio(turns.seconds["estimator"], turns.seconds[name])
            for name in ("fit", "fit_default")
        },
        # Seconds of all threads, which other programs on the machine lengthen less.
        **{
            f"{name}_cpu_ms_a_step": 1000 * float(np.median(seconds[1:])) / _STEPS.value
            for name, seconds in turns.cpu_seconds.items()
        },
        **{
            f"estimator_to_{name}_by_cpu": ratio(
                turns.cpu_seconds["estimator"], turns.cpu_seconds[name]
            )
            for name in ("fit", "fit_default")
        },
    }
    if _RECORD.value:
        title = f"Training `{config.net}`, batches of {config.batch_size}: Estimator against fit"
        ledger.record(_NAME.value, title, figures)
    else:
        ledger.show(figures)


def _bound(run, turns: Turns, name: str):
    return lambda: run(turns, name)


def _config(model_dir: pathlib.Path):
    return dataclasses.replace(
        train.config_of_flags(),
        model_dir=str(model_dir),
        save_checkpoints_steps=_NEVER,
        candidates=1,
    )


def _estimator(config):
    """The very functions that train.py calls, and a hook that waits for its turn."""
    from model.estimator import Hook
    from training.data import input_fns, load_data
    from training.hooks import run_hooks
    from training.prepare import prepare

    dataset = load_data(config)
    estimator = prepare(config, dataset)
    hooks = run_hooks(config, dataset).training

    def run(turns: Turns, name: str) -> None:
        last_step = (_ROUNDS.value + 1) * _STEPS.value

        class TurnHook(Hook):
            def after_create(self, run):
                turns.begin(name)

            def after_run(self, run, values):
                if run.global_step == last_step:
                    turns.finish(name)
                elif run.global_step % _STEPS.value == 0:
                    turns.next_round(name)

        estimator.train(input_fns(config)[0], max_steps=last_step, hooks=[*hooks, TurnHook()])

    return run


def _fit(config):
    from model.optimizer import make_optimizer
    from model.schedule import make_schedule
    from training.data import input_fns, load_data
    from training.prepare import describe, model_params

    params = model_params(config, describe(config, load_data(config)))
    model = fit_model(params.network, config.shift_rows, config.shift_columns)
    batches = input_fns(config)[0]().map(lambda features, label: (features["image"], label))
    rate = make_schedule(
        params.schedule, params.learning_rate, params.warmup_steps, params.total_steps
    )
    return _fitting(model, batches, make_optimizer(params, rate), verbose=2)


def _run_alone(name: str) -> None:
    """One of the others, in a process of its own."""
    turns = TurnsElsewhere(sys.stdin, sys.stdout)
    with (
        tempfile.TemporaryDirectory() as folder,
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
    ):
        if name == "fit":
            tensorflow_start.use_onednn()
            run = _fit(_config(pathlib.Path(folder)))
        else:
            run = _fit_default(_config(pathlib.Path(folder)), pathlib.Path(folder, "pictures"))
        run(turns, name)


def _fit_default(config, folder: pathlib.Path):
    """Labels are read from file names, as numbers, which is what that function of Keras takes."""
    import keras
    import tensorflow as tf

    from model.captcha_estimator import network_config
    from training.data import load_data
    from training.prepare import describe

    dump = ["records", "dump", config.data_dir, "--split=train", f"--n={_NUM_PNG.value}"]
    subprocess.run(
        [sys.executable, *dump, f"--out={folder}"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    network = network_config(describe(config, load_data(config)))  # float32.
    model = fit_model(network, shift_rows=0, shift_columns=0)
    height, width, _ = network.image_shape
    files = sorted(folder.glob("*.png"))  # As keras.utils sorts them.
    pictures = keras.utils.image_dataset_from_directory(
        folder,
        labels=[int(file.stem.rpartition("_")[2]) for file in files],
        label_mode="int",
        batch_size=config.batch_size,
        image_size=(height, width),
        verbose=False,
    )
    places = tf.constant([10**place for place in reversed(range(network.num_positions))])
    digits = pictures.map(lambda image, label: (image, label[:, None] // places % 10))
    return _fitting(model, digits.repeat(), keras.optimizers.Adam(), verbose="auto")


def fit_model(config, shift_rows: int, shift_columns: int):
    """Our network as one writes it for `fit`.

    Args:
      config: A `NetworkConfig`.
      shift_rows: Of the training pictures, random, at most.
      shift_columns: The same to the sides.

    Returns:
      A model from images `[N, H, W, 3]` to logits float32 `[N, L, K]`.
    """
    import keras
    import tensorflow as tf

    from model.augment import random_shift
    from model.networks import build_network

    class Shift(keras.layers.Layer):
        def call(self, image, training=False):
            if not training:
                return image
            seed = tf.random.uniform([2], maxval=2**31 - 1, dtype=tf.int32)
            return random_shift(image, max_rows=shift_rows, max_columns=shift_columns, seed=seed)

    image = keras.Input(config.image_shape, name="image", dtype="uint8")
    x = Shift(dtype="uint8", name="shift")(image) if shift_rows or shift_columns else image
    logits = build_network(config)(x)  # [L * N, K]
    by_position = keras.ops.reshape(logits, (config.num_positions, -1, config.num_classes))
    return keras.Model(image, keras.ops.transpose(by_position, (1, 0, 2)))


def _fitting(model, batches, optimizer, verbose):
    import keras

    model.compile(
        optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )

    def run(turns: Turns, name: str) -> None:
        class TurnCallback(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                turns.begin(name)

            def on_epoch_end(self, epoch, logs=None):
                if epoch < _ROUNDS.value:
                    turns.next_round(name)
                else:
                    turns.finish(name)

        model.fit(
            batches,
            epochs=_ROUNDS.value + 1,
            steps_per_epoch=_STEPS.value,
            callbacks=[TurnCallback()],
            verbose=verbose,
        )

    return run


if __name__ == "__main__":
    # Here and not above: a test that imports two such programs would define some flags twice.
    _ROUNDS = flags.DEFINE_integer(
        "rounds", 7, "Rounds that count; one more warms up.", lower_bound=1
    )
    _STEPS = flags.DEFINE_integer("steps", 200, "Steps in a round.", lower_bound=1)
    _NUM_PNG = flags.DEFINE_integer("num_png", 10000, "PNG files in the folder.", lower_bound=64)
    _RECORD = flags.DEFINE_bool("record", True, "Keep the figures in benchmarks/results.")
    _NAME = flags.DEFINE_string(
        "name", "against_fit", "Of the entry in the ledger; another one for another machine."
    )
    _ALONE = flags.DEFINE_enum(
        "alone", None, ["fit", "fit_default"], "Run by this program itself: only this one."
    )
    train.define_flags()
    command_line.run(main)

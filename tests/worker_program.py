"""One process that trains the captcha network through the Estimator, alone or as a worker.

    python tests/worker_program.py '{"data_dir": ..., "model_dir": ..., "losses": FILE}'

TF_CONFIG says which worker it is. Each step adds a line `step loss` to `losses`, which is the
worker's own. The fields of `Job` are the arguments; ends as the project's programs do.
"""

import dataclasses
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import command_line
import tensorflow_start


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """What to do."""

    data_dir: str
    model_dir: str
    losses: str
    strategy: str = "one_device"
    num_logical_devices: int = 1  # Of this process; for `strategy` "mirrored".
    max_steps: int | None = 30
    batch_size: int = 64
    epochs: int | None = None
    shift_rows: int = 2
    shift_columns: int = 4
    dropout: float | None = None
    dropout_from_step: int = 10
    candidates: int = 1
    candidates_from_step: int = 0
    learning_rate: float = 1.2e-3  # Reached by a warm-up of 300 steps, as train.py has it.
    clip: float | None = 1.0  # Of the gradient's norm.
    dtype_policy: str = "float32"
    save_checkpoints_steps: int = 10
    log_step_count_steps: int = 5
    accumulate_gradients: int = 1
    steps_per_loop: int = 1
    evaluate_every_steps: int | None = None
    export: bool = False
    stop_at_step: int | None = None  # Asked for by a hook of worker `stop_on` alone.
    stop_on: int = 0
    seconds_a_step: float = 0.0  # Slept, so that a test can kill it in the middle.
    writes: str | None = None  # A file that lists what this process writes into `model_dir`.


def main(arguments: list[str]) -> None:
    tensorflow_start.import_quietly()
    job = Job(**json.loads(arguments[0]))
    if job.writes is not None:
        _tell_of_writes(job)
    run(job)


def run(job: Job) -> None:
    import keras
    import tensorflow as tf

    from model.estimator import Estimator, EvalSpec, RunConfig, TrainSpec, train_and_evaluate
    from model.estimator.strategies import make_strategy
    from model.model_fn import model_fn
    from model.networks import NetworkConfig, build_network
    from model.params import ModelParams
    from model.schedule import WarmupCosine

    if job.num_logical_devices > 1:
        devices = [tf.config.LogicalDeviceConfiguration()] * job.num_logical_devices
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, devices)
        strategy = tf.distribute.MirroredStrategy(
            [f"CPU:{index}" for index in range(job.num_logical_devices)]
        )
    else:
        strategy = make_strategy(job.strategy)
    network = NetworkConfig(
        image_shape=(30, 100, 3),
        num_positions=4,
        num_classes=10,
        dropout=job.dropout,
        dtype_policy=job.dtype_policy,
    )
    learning_rate = WarmupCosine(job.learning_rate, warmup_steps=300, total_steps=14000)
    estimator = Estimator(
        model_fn,
        job.model_dir,
        net_fn=lambda params: build_network(params.network),
        optimizer_fn=lambda params: keras.optimizers.Adam(learning_rate, global_clipnorm=job.clip),
        config=RunConfig(
            save_checkpoints_steps=job.save_checkpoints_steps,
            log_step_count_steps=job.log_step_count_steps,
            save_summary_steps=job.log_step_count_steps,
            train_distribute=strategy,
            accumulate_gradients=job.accumulate_gradients,
            steps_per_loop=job.steps_per_loop,
        ),
        params=ModelParams(
            network=network,
            shift_rows=job.shift_rows,
            shift_columns=job.shift_columns,
            dropout_from_step=job.dropout_from_step,
            candidates=job.candidates,
            candidates_from_step=job.candidates_from_step,
        ),
    )
    train_spec = TrainSpec(
        _input_fn(job, "train"), max_steps=job.max_steps, hooks=[_make_hook(job)]
    )
    if job.evaluate_every_steps is None:
        estimator.train(train_spec.input_fn, max_steps=job.max_steps, hooks=train_spec.hooks)
        return
    eval_spec = EvalSpec(
        _input_fn(job, "test"),
        every_steps=job.evaluate_every_steps,
        exporters=[_exporter()] if job.export else (),
    )
    print(json.dumps(train_and_evaluate(estimator, train_spec, eval_spec)))


def _input_fn(job: Job, split: str):
    from records.input_fn import input_fn_maker
    from training.data import in_groups

    data_dir = pathlib.Path(job.data_dir)
    info = data_dir / "data_info.csv"
    if split == "test":
        return input_fn_maker(data_dir / "test", info, batch_size=100)
    input_fn = input_fn_maker(
        data_dir / "train",
        info,
        shuffle=True,
        batch_size=job.batch_size * job.candidates,
        epoch=job.epochs,
        seed=0,
        drop_remainder=job.epochs is None,
    )
    return input_fn if job.candidates == 1 else in_groups(input_fn, job.batch_size)


def _exporter():
    import tensorflow as tf

    from model.estimator import LatestExporter

    def signatures(net):
        @tf.function(input_signature=[tf.TensorSpec([None, 30, 100, 3], tf.uint8)])
        def logits(image):
            return {"logits": tf.reshape(net(image, training=False), [-1, 4, 10])}

        return {"serving_default": logits}

    return LatestExporter("latest", signatures)


def _make_hook(job: Job):
    from model.estimator import Hook

    class Recorder(Hook):
        def after_run(self, run, values):
            losses = values["loss"].numpy()
            first = run.global_step - len(losses) + 1
            with open(job.losses, "a") as file:
                for step, loss in enumerate(losses, start=first):
                    file.write(f"{step} {float(loss)!r}\n")
            time.sleep(job.seconds_a_step)
            if job.stop_at_step == run.global_step and job.stop_on == _task_index():
                run.request_stop("the test asked for it")

    return Recorder()


def _tell_of_writes(job: Job) -> None:
    """What Python writes. Checkpoints and events are TensorFlow's, whose files have other signs."""
    flags = os.O_WRONLY | os.O_RDWR | os.O_CREAT

    def look(event, arguments):
        writes = event in ("os.mkdir", "os.rename", "os.remove") or (
            event == "open" and (arguments[2] or 0) & flags
        )
        if writes and str(arguments[0]).startswith(job.model_dir):
            os.write(file, f"{event} {arguments[0]}\n".encode())

    file = os.open(job.writes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sys.addaudithook(look)


def _task_index() -> int:
    return json.loads(os.environ.get("TF_CONFIG", '{"task": {"index": 0}}'))["task"]["index"]


if __name__ == "__main__":
    command_line.run(main, "JOB")

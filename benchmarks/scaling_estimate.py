"""What training on 8, 64 and 512 workers would cost, on paper, from what one costs here.

  python benchmarks/scaling_estimate.py     # five to ten minutes

Measured: a training step of 64 captchas, the rate of reading, 1, 2 and 4 workers on the cores of
this machine, the memory of a batch in parts. On paper: a ring sends 2 (n - 1) / n times the bytes
of the gradients through each worker's link in 2 (n - 1) messages. docs/distributed.md explains.
"""

import multiprocessing
import pathlib
import resource
import sys
import tempfile
import time

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import numpy as np

import command_line
import tensorflow_start

_BATCH_SIZE = 64  # Of one worker: weak scaling, the batch grows with the workers.
_SHAPE = (30, 100, 3)
_NETWORKS = ("small", "wide", "book")
_NUM_WORKERS = (8, 64, 512)
_NUM_CAPTCHAS = 20000
_ROUNDS = 5
# Name: bytes a second, and seconds a message, both of one link. Round figures of their makers' and
# of common practice, not measured.
_LINKS = {
    "10_gbit_ethernet": (1.25e9, 50e-6),
    "100_gbit_ethernet": (12.5e9, 20e-6),
    "400_gbit_infiniband": (50e9, 5e-6),
}
_ACCELERATOR_STEP_SECS = 0.005  # Of a GPU; an assumption, none was measured.


def main(_: list[str]) -> None:
    """Measures, calculates, keeps the figures."""
    tensorflow_start.import_quietly()
    from benchmarks import ledger

    with tempfile.TemporaryDirectory() as folder:
        data_dir = _write_data(pathlib.Path(folder))
        figures = {**_processes(folder, data_dir), **_memory()}
        reading, steps = _medians(data_dir)
    figures["read_64_captchas_ms"] = 1000 * reading
    for name, (seconds, num_parameters) in steps.items():
        num_bytes = 4 * num_parameters
        sent = [2 * (num - 1) / num * num_bytes / 1e6 for num in _NUM_WORKERS]
        figures[f"{name}_step_here_ms"] = 1000 * seconds
        figures[f"{name}_mb_that_each_sends_a_step"] = _of_each(sent)
        for link, (bandwidth, latency) in _LINKS.items():
            waits = [all_reduce_seconds(num_bytes, num, bandwidth, latency) for num in _NUM_WORKERS]
            figures[f"{name}_{link}_ms_a_step"] = _of_each([1000 * wait for wait in waits])
            for step, of in ((seconds, "here"), (_ACCELERATOR_STEP_SECS, "5_ms")):
                figures[f"{name}_{link}_efficiency_steps_{of}"] = _of_each(
                    [step / (step + wait) for wait in waits]
                )
        figures[f"{name}_workers_where_reading_takes_a_step_here"] = seconds / reading
    figures["workers_where_reading_takes_5_ms"] = _ACCELERATOR_STEP_SECS / reading
    title = (
        f"Scaling to {_of_each(_NUM_WORKERS)} workers of {_BATCH_SIZE} captchas: steps, reading, "
        "processes and memory measured here, links on paper"
    )
    ledger.record("scaling_estimate", title, figures)


def _of_each(values) -> str:
    return " / ".join(f"{value:.3g}" for value in values)


def all_reduce_seconds(num_bytes: float, num: int, bandwidth: float, latency: float) -> float:
    """Of a ring of `num` workers, with nothing else going on; bandwidth in bytes a second."""
    return 2 * (num - 1) / num * num_bytes / bandwidth + 2 * (num - 1) * latency


def _write_data(folder: pathlib.Path) -> pathlib.Path:
    from data_gen.generate import GenerateConfig, generate
    from data_gen.style import Style

    out = folder / "captcha_data"
    generate(GenerateConfig(style=Style(), num_train=_NUM_CAPTCHAS, num_test=100, out_dir=out))
    return out


def _processes(folder: str, data_dir: pathlib.Path) -> dict[str, float]:
    """Examples a second of 1, 2 and 4 workers that share this machine's cores, to one device's."""
    from model.estimator import history
    from tests.worker_processes import Workers

    def rate(name: str, num: int, strategy: str) -> float:
        run = pathlib.Path(folder) / name
        job = {"max_steps": 60, "log_step_count_steps": 20, "save_checkpoints_steps": 1000}
        with Workers(run, num, data_dir=str(data_dir), strategy=strategy, **job) as workers:
            if any(workers.wait()):
                raise RuntimeError(workers.log(0))
        rows = history.rows(run / "model", "train")
        return rows[-1]["examples_per_sec"]  # Of the last 20 steps.

    one = rate("one", 1, "one_device")
    rates = {num: rate(str(num), num, "multi_worker") for num in (1, 2, 4)}
    return {
        "small_one_device_images_per_second": one,
        **{f"small_{num}_workers_here_rate_to_one_device": rates[num] / one for num in rates},
    }


def _memory() -> dict[str, float]:
    """Peak memory of a process that trains on large batches, whole and in parts."""
    spawn = multiprocessing.get_context("spawn")
    figures = {}
    for parts in (1, 8):
        with spawn.Pool(1) as pool:
            figures[f"wide_batch_1024_in_{parts}_parts_peak_mb"] = pool.apply(_peak_mb, (parts,))
    return figures


def _peak_mb(parts: int) -> float:
    tensorflow_start.import_quietly()
    import keras
    import tensorflow as tf

    from model.estimator import Estimator, RunConfig
    from model.model_fn import model_fn
    from model.networks import build_network
    from model.params import ModelParams

    def input_fn():
        batch = ({"image": tf.zeros([1024, *_SHAPE], tf.uint8)}, tf.zeros([1024, 4], tf.int64))
        return tf.data.Dataset.from_tensors(batch).repeat()

    with tempfile.TemporaryDirectory() as model_dir:
        Estimator(
            model_fn,
            model_dir,
            net_fn=lambda params: build_network(params.network),
            optimizer_fn=lambda params: keras.optimizers.Adam(1e-4),
            config=RunConfig(accumulate_gradients=parts),
            params=ModelParams(network=_network("wide")),
        ).train(input_fn, steps=2)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _medians(data_dir: pathlib.Path) -> tuple[float, dict[str, tuple[float, int]]]:
    """Seconds of reading a batch, and of a step of each network with its number of parameters.

    In rounds, as the machine may have other things to do. Each has it for itself, as workers of
    an accelerator would: here reading and training share the cores.
    """
    steps = {name: _step(name) for name in _NETWORKS}
    seconds = {name: [] for name in ("reading", *_NETWORKS)}
    for round_number in range(_ROUNDS + 1):
        taken_now = {"reading": _seconds_to_read(data_dir)}
        taken_now |= {name: _seconds_of(update) for name, (update, _) in steps.items()}
        if round_number:  # The first reads from the disk, and traces.
            for name, taken in taken_now.items():
                seconds[name].append(taken)
    medians = {name: float(np.median(taken)) for name, taken in seconds.items()}
    return medians["reading"], {name: (medians[name], steps[name][1]) for name in _NETWORKS}


def _seconds_of(update) -> float:
    started = time.monotonic()
    update().numpy()
    return time.monotonic() - started


def _seconds_to_read(data_dir: pathlib.Path) -> float:
    """Of a batch, shuffled and decoded, the mean over a pass."""
    from records.input_fn import input_fn_maker

    dataset = input_fn_maker(
        data_dir / "train", data_dir / "data_info.csv", shuffle=True, batch_size=_BATCH_SIZE
    )()
    started = time.monotonic()
    num_batches = sum(1 for _ in dataset)
    return (time.monotonic() - started) / num_batches


def _step(name: str):
    """A step of one worker in float32, to be called, and the network's number of parameters."""
    import keras
    import tensorflow as tf

    from model.model_fn import model_fn
    from model.networks import build_network
    from model.params import ModelParams

    params = ModelParams(network=_network(name), shift_rows=2, shift_columns=4)
    net = build_network(params.network)
    optimizer = keras.optimizers.Adam(1e-4)
    optimizer.build(net.trainable_variables)
    rng = np.random.default_rng(0)
    image = tf.constant(rng.integers(0, 256, (_BATCH_SIZE, *_SHAPE), np.uint8))
    labels = tf.constant(rng.integers(0, 10, (_BATCH_SIZE, 4)))

    @tf.function(autograph=False)
    def update():
        with tf.GradientTape() as tape:
            step = tf.constant(1, tf.int64)
            loss = model_fn({"image": image}, labels, net, "train", params, step).loss
        gradients = tape.gradient(loss, [v.value for v in net.trainable_variables])
        optimizer.apply(gradients, net.trainable_variables)
        return loss

    return update, net.count_params()


def _network(name: str):
    from model.networks import NetworkConfig

    return NetworkConfig(name=name, image_shape=_SHAPE, num_positions=4, num_classes=10)


if __name__ == "__main__":
    command_line.run(main)

r"""Which part of this machine's arithmetic a training step uses, and where the rest of it goes.

  python benchmarks/step_profile.py                      # two minutes
  python benchmarks/step_profile.py --net=wide
  python benchmarks/step_profile.py --rounds=2 --steps=5 --norecord   # does it run at all

Operations are counted from the network's shapes (step_flops.py). The peak is measured: the fastest
of some large products of matrices by TensorFlow, which calls oneDNN, in the same run and in turns
with the steps. What the processor could do on paper is more.

Where a step's time goes is told twice, in processes of their own in which TensorFlow runs one op at
a time (on all cores), so that times add up: by oneDNN, for each layer and pass (ONEDNN_VERBOSE),
and by TensorFlow's profiler, for each kind of op. A step that may run two ops at a time is the one
that the fractions are of.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

import numpy as np
from absl import flags, logging

import command_line
import tensorflow_start
from benchmarks.onednn_times import kind_of, times_by_problem
from benchmarks.step_flops import PASSES, count_flops, total_flops

_NET = flags.DEFINE_string("net", "small", "Which network, as in train.py.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 64, "Captchas a step.", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 7, "Rounds of steps and products.", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 20, "Steps in a round.", lower_bound=3)
_RECORD = flags.DEFINE_bool("record", True, "Keep the figures in benchmarks/results.")
_ALONE = flags.DEFINE_string(
    "alone", None, "Run by this program itself: PRECISION:FILE, steps and what their ops took."
)

_PRECISIONS = ("bfloat16", "float32")
_SIDES = (1024, 2048, 4096)  # Of the matrices.
_SHOWN_OPS = 12


def main(_: list[str]) -> None:
    """Measures, keeps the figures."""
    tensorflow_start.import_quietly()
    logging.set_verbosity(logging.WARNING)
    if _ALONE.value:
        _run_alone(*_ALONE.value.split(":", 1))
        return
    from benchmarks import ledger
    from benchmarks.one_step import make_step

    calls, layers = {}, None
    for precision in _PRECISIONS:
        calls[precision], network = make_step(_NET.value, precision, _BATCH_SIZE.value)
        layers = count_flops(network, _BATCH_SIZE.value)
    figures = {f"flops_{one}_g": total_flops(layers, one) / 1e9 for one in PASSES}
    seconds, peaks = _rounds(calls)
    for precision in _PRECISIONS:
        peak = max(peaks[precision])
        rates = total_flops(layers) / np.array(seconds[precision]) / 1e9
        figures[f"{precision}_measured_peak_gflops"] = peak
        figures[f"{precision}_step_ms"] = 1000 * float(np.median(seconds[precision]))
        figures[f"{precision}_step_gflops"] = float(np.median(rates))
        figures[f"{precision}_percent_of_peak"] = (
            f"{100 * np.median(rates) / peak:.0f} "
            f"(from {100 * rates.min() / peak:.0f} to {100 * rates.max() / peak:.0f})"
        )
        figures |= _profile(precision, layers, peak)
    if _RECORD.value:
        title = f"A training step of `{_NET.value}`, {_BATCH_SIZE.value} captchas: part of the peak"
        ledger.record(f"step_profile_{_NET.value}", title, figures)
    else:
        ledger.show(figures)


def _rounds(calls) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds of a step in each round, and of each round the fastest product in 10**9 a second."""
    import tensorflow as tf

    matrices = {
        (precision, side): tf.cast(tf.random.normal([side, side]), precision)
        for precision in _PRECISIONS
        for side in _SIDES
    }
    products = {key: tf.function(lambda matrix: tf.matmul(matrix, matrix)) for key in matrices}
    seconds = {precision: [] for precision in _PRECISIONS}
    peaks = {precision: [] for precision in _PRECISIONS}
    for round_number in range(_ROUNDS.value + 1):
        for precision in _PRECISIONS:
            started = time.monotonic()
            for _ in range(_STEPS.value):
                calls[precision]()
            step_seconds = (time.monotonic() - started) / _STEPS.value
            rates = []
            for side in _SIDES:
                started = time.monotonic()
                # A TensorFlow without a GPU has the result when it returns.
                products[precision, side](matrices[precision, side])[0, 0].numpy()
                rates.append(2 * side**3 / (time.monotonic() - started) / 1e9)
            if round_number:  # The first one traces, and allocates memory.
                seconds[precision].append(step_seconds)
                peaks[precision].append(max(rates))
    return seconds, peaks


def _profile(precision: str, layers, peak: float) -> dict[str, float | str]:
    """Milliseconds by layer, by kind of oneDNN's work, and by kind of op."""
    with tempfile.TemporaryDirectory() as folder:
        lines, _ = _alone(precision, pathlib.Path(folder) / "none", verbose=True)
        _, ops = _alone(precision, pathlib.Path(folder) / "ops", verbose=False)
    times = times_by_problem(lines, ops["num_steps"])
    figures: dict[str, float | str] = {}
    for group in layers_by_shape(layers):
        passes = []
        for one in PASSES:
            milliseconds = times.pop(group[0].shapes[one], 0.0)
            if milliseconds:
                flops = sum(layer.of_pass(one) for layer in group)
                share = 100 * flops / (milliseconds / 1000) / 1e9 / peak
                passes.append(f"{one} {milliseconds:.2f} ms ({share:.0f} %)")
        name = "+".join(layer.name for layer in group)
        figures[f"{precision}_{name}_time_and_percent_of_peak"] = ", ".join(passes)
        figures.setdefault(f"{precision}_layers_ms", 0.0)
        figures[f"{precision}_layers_ms"] += sum(float(one.split(" ")[1]) for one in passes)
    kinds: dict[str, float] = {}
    for problem, milliseconds in times.items():  # What is of no layer.
        kind = kind_of(problem)
        kinds[kind] = kinds.get(kind, 0.0) + milliseconds
    for kind, milliseconds in kinds.items():
        name = "matmul_of_the_optimizer" if kind == "matmul" else kind
        figures[f"{precision}_{name}_ms"] = milliseconds
    total = sum(ops["ms"].values())
    for kind, milliseconds in sorted(ops["ms"].items(), key=lambda pair: -pair[1])[:_SHOWN_OPS]:
        figures[f"{precision}_op_{kind.removeprefix('_Mkl')}"] = (
            f"{milliseconds:.2f} ms, {100 * milliseconds / total:.0f} %, "
            f"{ops['calls'][kind]:.0f} calls"
        )
    figures[f"{precision}_all_ops_ms"] = total
    return figures


def layers_by_shape(layers) -> list[list]:
    """Layers that oneDNN cannot tell apart together, in their order."""
    groups: dict[str, list] = {}
    for layer in layers:
        groups.setdefault(layer.shapes["forward"], []).append(layer)
    return list(groups.values())


def _alone(precision: str, path: pathlib.Path, *, verbose: bool) -> tuple[list[str], dict]:
    """Runs `_run_alone` in another process; its standard output, and what it wrote."""
    result = subprocess.run(
        [
            sys.executable,
            "benchmarks/step_profile.py",
            f"--net={_NET.value}",
            f"--batch_size={_BATCH_SIZE.value}",
            f"--steps={_STEPS.value}",
            f"--alone={precision}:{path}",
        ],
        cwd=ROOT,
        env={**os.environ, **({"ONEDNN_VERBOSE": "profile_exec"} if verbose else {})},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return result.stdout.splitlines(), json.loads(path.read_text())


def _run_alone(precision: str, path: str) -> None:
    """Some steps, one op at a time; writes what the profiler saw of them."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    from benchmarks.one_step import make_step
    from model.estimator.profile_summary import op_times

    tf.config.threading.set_inter_op_parallelism_threads(1)
    step, _ = make_step(_NET.value, precision, _BATCH_SIZE.value)
    with tempfile.TemporaryDirectory() as folder:
        step()
        tf.profiler.experimental.start(folder)
        for _ in range(_STEPS.value):
            step()
        tf.profiler.experimental.stop()
        (profile,) = pathlib.Path(folder).glob("plugins/profile/*/*.xplane.pb")
        space = xplane_pb2.XSpace()
        space.ParseFromString(profile.read_bytes())
    by_type, _ = op_times(space)
    found = {
        "num_steps": _STEPS.value + 2,  # With those before the profile.
        "ms": {kind: ms / _STEPS.value for kind, (ms, _) in by_type.items()},
        "calls": {kind: calls / _STEPS.value for kind, (_, calls) in by_type.items()},
    }
    pathlib.Path(path).write_text(json.dumps(found))


if __name__ == "__main__":
    command_line.run(main)

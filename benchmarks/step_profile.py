r"""Which part of this machine's arithmetic a training step uses, and where the rest of it goes.

  python benchmarks/step_profile.py                      # two minutes
  python benchmarks/step_profile.py --net=wide
  python benchmarks/step_profile.py --precision=bfloat16     # alone, also where it is emulated
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
from training.config import TrainConfig

_NET = flags.DEFINE_string("net", TrainConfig.net, "Which network, as in train.py.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 64, "Captchas a step.", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 7, "Rounds of steps and products.", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 20, "Steps in a round.", lower_bound=3)
_PRECISION = flags.DEFINE_multi_enum(
    "precision",
    None,
    ["bfloat16", "float32"],
    "What to measure. By default both, or float32 alone where bfloat16 is emulated.",
)
_RECORD = flags.DEFINE_bool("record", True, "Keep the figures in benchmarks/results.")
_ALONE = flags.DEFINE_string(
    "alone", None, "Run by this program itself: PRECISION:FILE, steps and what their ops took."
)

_SIDES = (1024, 2048, 4096)  # Of the matrices.
_PRODUCTS = 2  # Of each size in a round.
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

    precisions = _PRECISION.value or _precisions_of_the_machine()
    calls, layers = {}, None
    for precision in precisions:
        calls[precision], network = make_step(_NET.value, precision, _BATCH_SIZE.value)
        layers = count_flops(network, _BATCH_SIZE.value)
    figures = {f"flops_{one}_g": total_flops(layers, one) / 1e9 for one in PASSES}
    steps, products = _rounds(calls)
    for precision in precisions:
        # The fastest product is the peak: what slows one is another program.
        peak, cpu_peak = products[precision].max(axis=0)
        seconds, cpu_seconds = steps[precision].T
        figures[f"{precision}_measured_peak_gflops"] = float(peak)
        figures[f"{precision}_step_ms"] = 1000 * float(np.median(seconds))
        figures[f"{precision}_step_cpu_ms"] = 1000 * float(np.median(cpu_seconds))
        for name, times, fastest in (
            ("percent_of_peak", seconds, peak),
            # While a core computes; where one waits for the other, that does not count.
            ("percent_of_peak_by_cpu", cpu_seconds, cpu_peak),
        ):
            percent = 100 * total_flops(layers) / times / 1e9 / fastest
            figures[f"{precision}_{name}"] = (
                f"{np.median(percent):.0f} (from {percent.min():.0f} to {percent.max():.0f})"
            )
        figures |= _profile(precision, layers, float(peak))
    if _RECORD.value:
        title = f"A training step of `{_NET.value}`, {_BATCH_SIZE.value} captchas: part of the peak"
        ledger.record(f"step_profile_{_NET.value}", title, figures)
    else:
        ledger.show(figures)


def _precisions_of_the_machine() -> list[str]:
    from model.precision import dtype_policy

    return ["float32"] if dtype_policy("auto") == "float32" else ["bfloat16", "float32"]


def _rounds(calls) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What steps took, and how fast products were, by precision, in rounds taken in turn.

    Returns:
      `[rounds, 2]`, of a step seconds and CPU seconds; and of the fastest product of each round
      10**9 operations a second and a CPU second.
    """
    precisions = list(calls)
    products = {
        (precision, side): _product(precision, side) for precision in precisions for side in _SIDES
    }
    steps = {precision: [] for precision in precisions}
    rates = {precision: [] for precision in precisions}
    for round_number in range(_ROUNDS.value + 1):
        for precision in precisions:
            step = _timed(calls[precision], _STEPS.value)
            rate = [
                2 * side**3 / 1e9 / _timed(products[precision, side], _PRODUCTS) for side in _SIDES
            ]
            if round_number:  # The first one traces, and allocates memory.
                steps[precision].append(step)
                rates[precision].append(np.max(rate, axis=0))
    return (
        {precision: np.array(found) for precision, found in steps.items()},
        {precision: np.array(found) for precision, found in rates.items()},
    )


def _product(precision: str, side: int):
    import tensorflow as tf

    matrix = tf.cast(tf.random.normal([side, side]), precision)
    product = tf.function(lambda matrix: tf.matmul(matrix, matrix))

    def multiply() -> None:
        product(matrix)[0, 0].numpy()  # A number of the result: so a GPU is waited for too.

    return multiply


def _timed(call, times: int) -> np.ndarray:
    """Seconds and CPU seconds of a call: the mean of some."""
    wall, cpu = time.monotonic(), time.process_time()
    for _ in range(times):
        call()
    return np.array([time.monotonic() - wall, time.process_time() - cpu]) / times


def _profile(precision: str, layers, peak: float) -> dict[str, float | str]:
    """Milliseconds by layer, by kind of oneDNN's work, and by kind of op."""
    with tempfile.TemporaryDirectory() as folder:
        lines, _ = _alone(precision, pathlib.Path(folder) / "none", verbose=True)
        _, ops = _alone(precision, pathlib.Path(folder) / "ops", verbose=False)
    times = times_by_problem(lines, ops["num_steps"])
    figures: dict[str, float | str] = {}
    layers_ms = 0.0
    for group in layers_by_shape(layers):
        passes = []
        for one in PASSES:
            milliseconds = times.pop(group[0].shapes[one], 0.0)
            layers_ms += milliseconds
            if milliseconds:
                flops = sum(layer.of_pass(one) for layer in group)
                share = 100 * flops / (milliseconds / 1000) / 1e9 / peak
                passes.append(f"{one} {milliseconds:.2f} ms ({share:.0f} %)")
        name = "+".join(layer.name for layer in group)
        figures[f"{precision}_{name}_time_and_percent_of_peak"] = ", ".join(passes)
    figures[f"{precision}_all_layers_ms"] = layers_ms
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

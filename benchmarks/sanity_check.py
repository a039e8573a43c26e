"""How long `train.py --sanity` takes to say that a network can learn, over several seeds.

python benchmarks/sanity_check.py --data_dir=captcha_data --seeds=10
"""

import pathlib
import statistics
import sys

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from absl import flags

import command_line
import tensorflow_start
from training.config import TrainConfig

_DATA = flags.DEFINE_string("data_dir", "captcha_data", "Dataset.")
_SEEDS = flags.DEFINE_integer("seeds", 10, "Each has its own 64 captchas and its own weights.")
_OTHERS = flags.DEFINE_bool("others", True, "Other networks too, once each: two minutes.")
_DEFAULT = TrainConfig.net
_OTHER_NETWORKS = (("small", 1.2e-3), ("wide", 1.2e-3), ("vgg11", 3e-4), ("book", 3e-4))


def main(_: list[str]) -> None:
    """Runs it for each seed, and for other networks once, with seed 0."""
    tensorflow_start.import_quietly()
    from benchmarks import ledger

    results = [_run(_DEFAULT, 1.2e-3, seed) for seed in range(_SEEDS.value)]
    seconds = [result.seconds for result in results]
    figures = {
        f"{_DEFAULT}: passed": f"{sum(result.passed for result in results)} of {len(results)}",
        f"{_DEFAULT}: steps": f"{min(r.steps for r in results)} to {max(r.steps for r in results)}",
        f"{_DEFAULT}: seconds, median": statistics.median(seconds),
        f"{_DEFAULT}: seconds, largest": max(seconds),
    }
    for net, rate in _OTHER_NETWORKS if _OTHERS.value else ():
        result = _run(net, rate, 0)
        figures[f"{net}, learning rate {rate:g}"] = (
            f"{'passed' if result.passed else 'failed'}, {result.steps} steps, "
            f"{result.seconds:.0f} seconds"
        )
    ledger.record("sanity_check", "Learning 64 captchas by heart", figures)


def _run(net: str, rate: float, seed: int):
    from model.sanity import run_sanity
    from training.data import input_fns, load_data
    from training.prepare import describe, model_params

    config = TrainConfig(data_dir=_DATA.value, net=net, learning_rate=rate, seed=seed)
    params = model_params(config, describe(config, load_data(config)))
    return run_sanity(params, input_fns(config)[0])


if __name__ == "__main__":
    command_line.run(main)

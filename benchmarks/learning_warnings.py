"""Trainings that learn and trainings made to fail: which of them is warned of, and at which step.

  python benchmarks/learning_warnings.py --data_dir=captcha_data
  python benchmarks/learning_warnings.py --cases=3,7                    # two of them, not kept

Healthy runs must not be warned of, and each of the others must: a warning that comes always is as
useless as one that never comes. Everything but what is named is as in configs/quick.flags.
"""

import dataclasses
import pathlib
import re
import sys
import tempfile

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from absl import flags, logging

import command_line
import tensorflow_start

_DATA = flags.DEFINE_string("data_dir", "captcha_data", "Dataset of 20,000 captchas or more.")
_STEPS = flags.DEFINE_integer("steps", 1500, "Of a healthy run; the others have two thirds.")
_NUMBERS = flags.DEFINE_list("cases", [], "Numbers of some, from 0; nothing is kept then.")

_NUM_FEW = 320  # Pictures of a training set that is learnt by heart.
_RUN_STEPS = 3500  # The learning rate falls as in a whole run.


@dataclasses.dataclass(frozen=True)
class Case:
    """One training: flags beside the defaults, and what is done to data or network."""

    name: str
    flags: dict
    change: str = ""  # "labels", "few" or "weights".
    seed: int = 0


CASES = (
    *(Case(f"healthy, seed {seed}", {}, seed=seed) for seed in (0, 1, 2)),
    Case("learning rate 0.5", {"learning_rate": 0.5}),
    Case("dropout 0.9 from the first step", {"dropout": 0.9, "dropout_from_step": 0}),
    Case("labels of other pictures", {}, "labels"),
    Case(f"{_NUM_FEW} training pictures", {}, "few"),
    Case("weights that begin at zero", {}, "weights"),
)


def main(_: list[str]) -> None:
    """Runs all cases and keeps what was warned of."""
    tensorflow_start.import_quietly()
    from benchmarks import ledger

    some = [CASES[int(number)] for number in _NUMBERS.value]
    figures = {}
    for case in some or CASES:
        healthy = case.name.startswith("healthy")
        steps = _STEPS.value if healthy else 2 * _STEPS.value // 3
        warnings, metrics = _warnings_of(case, steps)
        figures[f"{case.name}: warnings"] = ", ".join(warnings) or "none"
        if metrics is not None:
            figures[f"{case.name}: character_accuracy"] = metrics["character_accuracy"]
            figures["captchas evaluated, each run"] = int(metrics["n"])
    if some:
        ledger.show(figures)
    else:
        ledger.record("learning_warnings", "Which trainings are warned of, and when", figures)


def _warnings_of(case: Case, steps: int) -> tuple[list[str], dict[str, float] | None]:
    """What it said, and at which step; and its metrics, unless its loss was no number any more."""
    import tensorflow as tf

    from model.estimator import EvalSpec, StopAtStepHook, TrainSpec, train_and_evaluate
    from model.estimator.basic_hooks import NotFiniteError
    from model.warning_hook import WarningHook
    from training.config import TrainConfig
    from training.data import input_fns, load_data
    from training.hooks import run_hooks
    from training.prepare import prepare

    seen = []
    warn = logging.warning
    logging.warning = lambda text, *values: (seen.append(text % values), warn(text, *values))
    try:
        with tempfile.TemporaryDirectory() as model_dir:
            config = TrainConfig(
                **{
                    "data_dir": _DATA.value,
                    "model_dir": model_dir,
                    "max_steps": _RUN_STEPS,
                    "dropout": 0.0,
                    "seed": case.seed,
                    "eval_steps": steps // 3,
                    **case.flags,
                }
            )
            train_input_fn, test_input_fn = input_fns(config)
            num_batches = _NUM_FEW // config.batch_size
            changed = {
                "labels": lambda: train_input_fn().map(lambda x, y: (x, tf.roll(y, 1, axis=0))),
                "few": lambda: train_input_fn().take(num_batches).repeat(),
            }
            dataset = load_data(config)
            estimator = prepare(config, dataset)
            if case.change == "weights":
                for variable in estimator.net.trainable_variables:
                    variable.assign(tf.zeros_like(variable))
            hooks = run_hooks(config, dataset)
            metrics, ended = None, []
            specs = (
                TrainSpec(
                    changed.get(case.change, train_input_fn),
                    max_steps=config.max_steps,
                    hooks=[
                        *(hook for hook in hooks.training if isinstance(hook, WarningHook)),
                        StopAtStepHook(last_step=steps),
                    ],
                ),
                EvalSpec(
                    test_input_fn,
                    every_steps=config.eval_steps,
                    hooks=[hook for hook in hooks.evaluation if isinstance(hook, WarningHook)],
                ),
            )
            try:
                metrics = train_and_evaluate(estimator, *specs)
            except NotFiniteError as error:
                ended = [f"ended, {error}".partition(". ")[0]]
    finally:
        logging.warning = warn
    told = [re.match(r"learn \| step +(\d+) \| ([^:]+)", line) for line in seen]
    return [*(f"{match[2]} (step {match[1]})" for match in told if match), *ended], metrics


if __name__ == "__main__":
    command_line.run(main)

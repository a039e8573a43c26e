"""One run: trains, evaluates, reports, as the config says."""

import dataclasses

from data_gen.live import LiveData
from model.causes import advice
from model.estimator import (
    Estimator,
    EvalSpec,
    KeepBest,
    NoImprovement,
    ReduceOnPlateau,
    TrainSpec,
    train_and_evaluate,
)
from model.estimator.basic_hooks import NotFiniteError
from model.estimator.stop_rules import parse_target
from model.hyper_parameters import write_hyper_parameters
from model.sanity import run_sanity
from records.description import DatasetDescription
from records.input_fn import READING_ERRORS
from report.collector import Collector
from training.budget import BudgetHook, OverBudgetError, with_budget, within_budget
from training.config import TrainConfig
from training.data import input_fns, load_data, raise_if_of_the_data
from training.evaluated import evaluation_name
from training.hooks import RunHooks, run_hooks
from training.prepare import describe, model_params, prepare
from training.reporting import write_run_report
from training.result import print_result

_METRIC = "sequence_accuracy"  # What is best, and no better, is told by it.


def run(config: TrainConfig) -> dict[str, float]:
    """Trains and evaluates as `config.mode` says, writes the report and prints the result.

    Returns:
      The last evaluation: `loss`, `character_accuracy`, `sequence_accuracy`, `n`, `global_step`;
      empty with mode "train", with `sanity`, and on all workers but the chief.

    Raises:
      ValueError: If the dataset is missing, damaged, or not what `model_dir` was trained with; with
        `sanity`, if the network does not learn.
    """
    if config.sanity:
        _check_sanity(config)
        return {}
    dataset = load_data(config)
    try:
        if config.mode == "evaluate":
            return _evaluate(config, prepare(config, dataset), dataset)
        config = with_budget(config)
        try:
            return _train(config, dataset)
        except OverBudgetError as error:
            step = error.step
        # Here and not above: an exception that is handled holds on to all of the first attempt.
        return _train(within_budget(config, step), dataset)
    except NotFiniteError as error:
        raise ValueError(f"{error} {advice('not_finite')}.") from error
    except READING_ERRORS as error:
        raise_if_of_the_data(config, error)
        raise


def _check_sanity(config: TrainConfig) -> None:
    """Touches no model_dir."""
    config = dataclasses.replace(config, candidates=1)  # All of the 64 are to be learnt.
    params = model_params(config, describe(config, load_data(config)))
    result = run_sanity(params, input_fns(config)[0])
    result.raise_if_failed()
    print(result.verdict)


def _train(config: TrainConfig, dataset: DatasetDescription | LiveData) -> dict[str, float]:
    """As `config.mode` says, from the newest checkpoint on if there is one."""
    estimator = prepare(config, dataset)
    hooks = run_hooks(config, dataset)
    hooks.training.append(BudgetHook(config))
    if config.mode == "train":
        train_input_fn, _ = input_fns(config)
        estimator.train(train_input_fn, max_steps=config.max_steps, hooks=hooks.training)
        return {}
    return _train_and_evaluate(config, estimator, dataset, hooks)


def _train_and_evaluate(
    config: TrainConfig,
    estimator: Estimator,
    dataset: DatasetDescription | LiveData,
    hooks: RunHooks,
) -> dict[str, float]:
    train_input_fn, test_input_fn = input_fns(config)
    stop_rules = []
    if config.target is not None:
        stop_rules.append(parse_target(config.target))
    if config.patience_steps is not None:
        stop_rules.append(NoImprovement(_METRIC, config.patience_steps))
    metrics = train_and_evaluate(
        estimator,
        TrainSpec(train_input_fn, max_steps=config.max_steps, hooks=hooks.training),
        EvalSpec(
            test_input_fn,
            every_steps=config.eval_steps,
            hooks=hooks.evaluation,
            stop_rules=stop_rules,
            keep_best=KeepBest(_METRIC),
            learning_rate_rule=ReduceOnPlateau(_METRIC) if config.schedule == "plateau" else None,
        ),
    )
    if not estimator.is_chief:
        return {}
    if hooks.collector.is_empty:  # The run had ended before.
        estimator.evaluate(test_input_fn, hooks=[hooks.collector])
    write_hyper_parameters(config.model_dir, dataclasses.asdict(config), metrics)
    report = write_run_report(config, dataset, hooks.collector.collected, name=None)
    print_result(config, metrics, report)
    return metrics


def _evaluate(
    config: TrainConfig, estimator: Estimator, dataset: DatasetDescription | LiveData
) -> dict[str, float]:
    _, test_input_fn = input_fns(config)
    collector = Collector()
    name = evaluation_name(config, dataset)
    metrics = estimator.evaluate(test_input_fn, name=name, hooks=[collector])
    report = write_run_report(config, dataset, collector.collected, name=name)
    print_result(config, metrics, report)
    return metrics

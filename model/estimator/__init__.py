"""An Estimator for TensorFlow 2: `tf.estimator`'s meanings over a Keras 3 network.

It trains, evaluates, predicts and exports what a `model_fn` describes, on one device or on many,
saves as it goes and resumes where it stopped. It imports nothing of this project.
docs/estimator.md is its manual.
"""

from model.estimator.basic_hooks import LoggingHook, NanHook, StopAtStepHook, SummaryHook
from model.estimator.best_checkpoint import KeepBest, best_checkpoint
from model.estimator.checkpoint_hook import CheckpointHook
from model.estimator.checkpoints import latest_checkpoint
from model.estimator.estimator import Estimator
from model.estimator.exporters import BestExporter, FinalExporter, LatestExporter
from model.estimator.fitting_variables import checkpoint_values, fitting_variables
from model.estimator.graph_hook import GraphHook
from model.estimator.histogram_hook import HistogramHook
from model.estimator.hooks import Hook, Run, SavingListener
from model.estimator.plateau import ReduceOnPlateau
from model.estimator.profiler_hook import ProfilerHook
from model.estimator.run_config import RunConfig
from model.estimator.scaled_schedule import ScaledSchedule
from model.estimator.spec import EstimatorSpec, ModeKeys
from model.estimator.stop_rules import NoImprovement, TargetReached, TimeLimitHook
from model.estimator.strategies import make_strategy
from model.estimator.training import EvalSpec, TrainSpec, train_and_evaluate
from model.estimator.warm_start import WarmStartSettings

__all__ = [
    "BestExporter",
    "CheckpointHook",
    "Estimator",
    "EstimatorSpec",
    "EvalSpec",
    "FinalExporter",
    "GraphHook",
    "HistogramHook",
    "Hook",
    "KeepBest",
    "LatestExporter",
    "LoggingHook",
    "ModeKeys",
    "NanHook",
    "NoImprovement",
    "ProfilerHook",
    "ReduceOnPlateau",
    "Run",
    "RunConfig",
    "SavingListener",
    "ScaledSchedule",
    "StopAtStepHook",
    "SummaryHook",
    "TargetReached",
    "TimeLimitHook",
    "TrainSpec",
    "WarmStartSettings",
    "best_checkpoint",
    "checkpoint_values",
    "fitting_variables",
    "latest_checkpoint",
    "make_strategy",
    "train_and_evaluate",
]

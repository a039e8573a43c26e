"""An Estimator for TensorFlow 2: `tf.estimator`'s meanings over a Keras 3 network.

It trains, evaluates, predicts and exports what a `model_fn` describes, saves as it goes and resumes
where it stopped. It imports nothing of this project.
"""

from model.estimator.estimator import Estimator
from model.estimator.run_config import RunConfig
from model.estimator.spec import EstimatorSpec, ModeKeys
from model.estimator.training import EvalSpec, TrainSpec, train_and_evaluate

__all__ = [
    "Estimator",
    "EstimatorSpec",
    "EvalSpec",
    "ModeKeys",
    "RunConfig",
    "TrainSpec",
    "train_and_evaluate",
]

"""How a batch is spread over the cores of a CPU: a part of it for each, with one thread an op.

TensorFlow spreads each op of a step over all cores, one op after the other, and gradients of
kernels gain little by it. Parts of a batch, each on a core of its own, do not wait for each other
before their gradients are added up (BUILD_NOTES.md, "Speed of a training step").
"""

import tensorflow as tf

from records.cores import num_cores
from tensorflow_start import give_ops_threads
from training.config import TrainConfig

# By itself. More cores would get fewer than 16 rows of a batch of 64 each, which was not measured.
_MOST_PARTS = 4


def cpu_parts(config: TrainConfig) -> int:
    """In how many parts a batch is trained on side by side, from `config.cpu_parts`.

    To be called before anything else of TensorFlow runs, as ops get their number of threads here.
    Where TensorFlow runs already they keep it, and a batch stays whole unless `config` says else.

    Returns:
      0 in the config becomes as many as there are cores, up to 4; 1 with fewer rows than that in a
      batch, on a GPU, with a strategy, and where nothing is trained.
    """
    num = config.cpu_parts or _as_many_as_cores(config)
    if num == 1 or num < num_cores():
        return num
    is_faster = give_ops_threads(1)
    return num if is_faster or config.cpu_parts else 1


def _as_many_as_cores(config: TrainConfig) -> int:
    num = num_cores()
    is_alone = config.strategy == "one_device" and not tf.config.list_physical_devices("GPU")
    is_trained = config.mode != "evaluate"
    return num if is_trained and is_alone and num <= min(_MOST_PARTS, config.batch_size) else 1

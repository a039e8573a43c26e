"""How a batch is spread over cores: only where that was found to be faster, and never by force."""

import json
import subprocess
import sys

import pytest
import tensorflow as tf
from worker_processes import ROOT

from training import cpu_parts as module
from training.config import TrainConfig
from training.cpu_parts import cpu_parts


class Threads:
    """In the place of `tf.config.threading`; refuses once TensorFlow runs, as that does."""

    def __init__(self, runs):
        self.runs = runs
        self.intra = 0

    def set_intra_op_parallelism_threads(self, number):
        if self.runs and number != self.intra:
            raise RuntimeError("Intra op parallelism cannot be modified after initialization.")
        self.intra = number


@pytest.mark.parametrize(
    ("cores", "gpus", "runs", "options", "parts", "threads"),
    [
        (1, 0, False, {}, 1, 0),
        (2, 0, False, {}, 2, 1),
        (4, 0, False, {}, 4, 1),
        (5, 0, False, {}, 1, 0),
        (2, 1, False, {}, 1, 0),
        (2, 0, True, {}, 1, 0),
        (2, 0, False, {"mode": "evaluate"}, 1, 0),
        (2, 0, False, {"strategy": "multi_worker"}, 1, 0),
        (2, 0, False, {"strategy": "mirrored"}, 1, 0),
        (2, 0, False, {"batch_size": 1}, 1, 0),
        (2, 0, False, {"batch_size": 2}, 2, 1),
        (2, 0, False, {"cpu_parts": 1}, 1, 0),
        (8, 0, False, {"cpu_parts": 8}, 8, 1),
        (8, 0, False, {"cpu_parts": 2}, 2, 0),
        (2, 0, True, {"cpu_parts": 2}, 2, 0),
    ],
    ids=[
        *("one_core", "two_cores", "four_cores", "many_cores", "a_gpu", "tensorflow_runs"),
        *("evaluates", "workers", "gpus", "one_captcha", "two_captchas"),
        *("asked_for_one", "asked_for_all", "asked_for_fewer", "asked_for_but_tensorflow_runs"),
    ],
)
def test_a_part_a_core_where_it_is_faster(monkeypatch, cores, gpus, runs, options, parts, threads):
    faked = Threads(runs)
    monkeypatch.setattr(module, "num_cores", lambda: cores)
    monkeypatch.setattr(tf.config, "threading", faked)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind] * gpus)
    assert cpu_parts(TrainConfig(**options)) == parts
    assert faked.intra == threads


_PROGRAM = """
import json
from training.config import TrainConfig
from training.cpu_parts import cpu_parts
config = TrainConfig()
told = [cpu_parts(config)]
import tensorflow as tf
tf.constant(1) + 1  # It runs from here on.
told += [cpu_parts(config), tf.config.threading.get_intra_op_parallelism_threads()]
print(json.dumps(told))
"""


@pytest.mark.slow
def test_a_second_training_of_a_process_has_the_parts_of_the_first():
    program = "from records import cores; cores.num_cores = lambda: 2\n" + _PROGRAM
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [2, 2, 1]

"""Trains a network, ours or a peer, and reads the test captchas as it goes.

All of them go through the same Estimator, over the same input, with the same log lines, events and
checkpoints, so the harness favours none. What is timed is training alone: the clock stands still
while test captchas are read, while a checkpoint is written and while TensorFlow traces.
"""

import dataclasses
import itertools
from collections.abc import Iterator

from absl import logging

from benchmarks.peer_networks import PEERS, PeerParams, Sizes, peer_model_fn
from model.estimator import Estimator, Hook
from model.precision import dtype_policy
from training.config import TrainConfig
from training.data import input_fns, load_data
from training.prepare import prepare, run_config

_SHORTEST_INTERVAL_SECONDS = 10
_INTERVAL = 0.1  # Of the training time so far: what a time read off the curve is too long by.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """How well the test captchas were read after some training."""

    seconds: float
    images: int
    sequence_accuracy: float
    character_accuracy: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trainee:
    """A network about to be trained, and the flags of its input."""

    estimator: Estimator
    config: TrainConfig
    precision: str
    source: str
    max_steps: int | None  # None: as long as there is time.


class Stopwatch(Hook):
    """Stops a training after some seconds of it, and adds up how long all of them took."""

    def __init__(self):
        """The clock stands still."""
        self.seconds = 0.0
        self.stop_at = 0.0
        self.steps = 0
        self._started = 0.0
        self._loss = None

    def after_create(self, run):
        """Starts the clock."""
        self._started = run.clock()

    def after_run(self, run, values):
        """Asks for the end when it is time."""
        self._loss = values["loss"]
        if self.seconds + run.clock() - self._started >= self.stop_at:
            run.request_stop("to read the test captchas")

    def end(self, run):
        """Stops the clock, once the last step has really been taken."""
        if self._loss is not None:
            self._loss.numpy()
        self.seconds += run.clock() - self._started
        self.steps = run.global_step


def prepare_ours(config: TrainConfig) -> Trainee:
    """What `train.py` would train with these flags."""
    estimator = prepare(config, load_data(config))
    return Trainee(
        estimator=estimator,
        config=config,
        precision=dtype_policy(config.precision),
        source=f"--net={config.net}",
        max_steps=config.max_steps,
    )


def prepare_peer(name: str, config: TrainConfig) -> Trainee:
    """One of `PEERS`; of the flags its data, seed, cadence and `precision`, unless that is auto.

    Raises:
      ValueError: If captchas of this data vary in length.
    """
    data = load_data(config)
    if data.has_blank:
        raise ValueError(
            "`data_dir` must hold captchas of one length, as the peers read only those, received "
            f"{config.data_dir!r}. Choose another."
        )
    peer = PEERS[name]
    policy = dtype_policy(peer.precision if config.precision == "auto" else config.precision)
    sizes = Sizes(
        image_shape=data.image_shape,
        num_positions=data.num_positions,
        num_classes=len(data.alphabet),
        dtype_policy=policy,
    )
    estimator = Estimator(
        peer_model_fn,
        config.model_dir,
        net_fn=lambda params: params.peer.build(params.sizes),
        optimizer_fn=lambda params: params.peer.make_optimizer(),
        config=run_config(config, strategy=None),
        params=PeerParams(peer=peer, sizes=sizes),
    )
    return Trainee(
        estimator=estimator,
        config=dataclasses.replace(config, batch_size=peer.batch_size),
        precision=policy,
        source=peer.source,
        max_steps=None,
    )


def readings(trainee: Trainee, seconds: float, enough: float) -> Iterator[Reading]:
    """Trains until the time is up, its steps are done, or `enough` whole captchas are read.

    Args:
      trainee: With an empty model_dir.
      seconds: Of training.
      enough: Fraction of whole captchas.

    Yields:
      A reading each tenth of the time so far, or each ten seconds.
    """
    train_input_fn, test_input_fn = input_fns(trainee.config)
    watch = Stopwatch()
    for count in itertools.count(1):
        interval = max(_SHORTEST_INTERVAL_SECONDS, _INTERVAL * watch.seconds)
        watch.stop_at = min(watch.seconds + interval, seconds)
        trainee.estimator.train(train_input_fn, max_steps=trainee.max_steps, hooks=[watch])
        metrics = trainee.estimator.evaluate(test_input_fn)
        reading = Reading(
            seconds=watch.seconds,
            images=watch.steps * trainee.config.batch_size,
            sequence_accuracy=metrics["sequence_accuracy"],
            character_accuracy=metrics["character_accuracy"],
        )
        logging.info(
            "peers | %4d | %7.1f s | %9d images | %.4f whole | %.4f characters",
            count,
            *dataclasses.astuple(reading),
        )
        yield reading
        is_over = watch.seconds >= seconds or trainee.estimator.stop_reason is None
        if is_over or reading.sequence_accuracy >= enough:
            return

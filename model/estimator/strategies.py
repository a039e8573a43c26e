"""Names for the strategies of tf.distribute that a training can run under, and what they need."""

import contextlib
import functools
import json
import os
import re
import signal
from collections.abc import Iterator

import tensorflow as tf
from tensorflow.python.eager import context

from model.estimator.training_log import log

STRATEGIES = ("one_device", "mirrored", "multi_worker")
_TF_CONFIG = "TF_CONFIG"
_TASKS = ("chief", "worker")
# TensorFlow's own 10 are over when a busy or virtual machine stands still for a moment.
_HEARTBEAT_SECS = 60


def make_strategy(name: str) -> tf.distribute.Strategy | None:
    """The strategy called `name`.

    Call it before anything else of TensorFlow runs: several workers find each other here.

    Args:
      name: "one_device"; "mirrored", all GPUs of this machine; "multi_worker", the workers that the
        environment variable TF_CONFIG lists, of which this process is one:
        https://www.tensorflow.org/guide/distributed_training#setting_up_the_tf_config_environment_variable

    Returns:
      The strategy; None for "one_device", which needs none.

    Raises:
      ValueError: If there is none of that name, or TF_CONFIG is missing or wrong.
    """
    if name not in STRATEGIES:
        raise ValueError(
            f"`strategy` must be one of {', '.join(STRATEGIES)}, received {name!r}. Choose one."
        )
    if name == "one_device":
        return None
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    _check_tf_config(os.environ.get(_TF_CONFIG))
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    cluster = resolver.cluster_spec().as_dict()
    # It waits without limit: launchers may start the others much later.
    log("start | %s %d waits for all of %s", resolver.task_type, resolver.task_id, cluster)
    try:
        with _heartbeat(_HEARTBEAT_SECS):
            strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except (RuntimeError, tf.errors.OpError) as error:
        raise ValueError(
            "the workers of TF_CONFIG must find each other before anything else runs, received "
            f"{str(error).splitlines()[0]!r}. Look whether all of them were started and reach each "
            "other's ports."
        ) from error
    # TensorFlow has put a handler of its own in the place of this one, which only takes a note.
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
    return strategy


@contextlib.contextmanager
def _heartbeat(seconds: int) -> Iterator[None]:
    """A worker that was not heard of for `seconds` is lost, for strategies made in here.

    TensorFlow has no public name for it: the strategy calls this method without the argument.
    """
    here = context.context()
    here.configure_coordination_service = functools.partial(
        here.configure_coordination_service, heartbeat_timeout_in_ms=1000 * seconds
    )
    try:
        yield
    finally:
        del here.configure_coordination_service  # The class's own is there again.


def num_workers(strategy: tf.distribute.Strategy | None) -> int:
    """How many processes train together."""
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None:
        return 1
    jobs = resolver.cluster_spec().as_dict()
    return max(1, sum(len(jobs.get(task, ())) for task in _TASKS))


def worker_index(strategy: tf.distribute.Strategy | None) -> int:
    """Which of `num_workers` this process is, from 0; the chief is 0."""
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None or resolver.task_type is None:
        return 0
    num_chiefs = len(resolver.cluster_spec().as_dict().get("chief", ()))
    return resolver.task_id + (num_chiefs if resolver.task_type == "worker" else 0)


def is_chief(strategy: tf.distribute.Strategy | None) -> bool:
    """Whether this process is the one worker that writes files: the chief, or else worker 0."""
    return worker_index(strategy) == 0


@contextlib.contextmanager
def scope(strategy: tf.distribute.Strategy | None) -> Iterator[None]:
    """In which a network and its optimizer are built; None: nothing special.

    Layers that change variables while they train need to be told what becomes of the replicas' own
    values, and Keras does not say: a mean of what has fractions (statistics of a batch), and else
    the first replica's (the state of a seed, which is the same in all).
    """
    if strategy is None:
        yield
        return
    with strategy.scope(), tf.variable_creator_scope(_aggregated):
        yield


def _aggregated(next_creator, **options) -> tf.Variable:
    if options.get("aggregation") in (None, tf.VariableAggregation.NONE):
        value, dtype = options.get("initial_value"), options.get("dtype")
        if dtype is None:
            dtype = tf.convert_to_tensor(value() if callable(value) else value).dtype
        options["aggregation"] = (
            tf.VariableAggregation.MEAN
            if tf.as_dtype(dtype).is_floating
            else tf.VariableAggregation.ONLY_FIRST_REPLICA
        )
    return next_creator(**options)


def _check_tf_config(text: str | None) -> None:
    if not text:
        raise ValueError(
            "the environment variable TF_CONFIG must list the workers, received none. Set it in "
            'each, for example \'{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": '
            '{"type": "worker", "index": 0}}\'; docs/distributed.md.'
        )
    try:
        config = json.loads(text)
        cluster, task = dict(config["cluster"]), config["task"]
        kind, index = task["type"], int(task["index"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            "TF_CONFIG must be JSON with `cluster` and `task` {type, index}, received "
            f"{text!r} ({type(error).__name__}: {error}). See docs/distributed.md."
        ) from error
    unknown = sorted(cluster.keys() - set(_TASKS))
    if unknown:
        raise ValueError(
            f"TF_CONFIG must list chief and workers only, received {', '.join(unknown)}. Training "
            "is synchronous and the chief evaluates: start the others as workers."
        )
    for name, hosts in cluster.items():
        if not isinstance(hosts, list) or not all(_is_address(host) for host in hosts):
            raise ValueError(
                f"`cluster` of TF_CONFIG must have lists of HOST:PORT, received {hosts!r} for "
                f"{name}. Give each process a port that the others can reach."
            )
    hosts = [host for name in _TASKS for host in cluster.get(name, ())]
    if len(set(hosts)) < len(hosts) or len(cluster.get("chief", ())) > 1:
        raise ValueError(
            "`cluster` of TF_CONFIG must list each process once, and one chief at most, received "
            f"{cluster}. Without a chief, worker 0 is it."
        )
    if kind not in cluster or not 0 <= index < len(cluster[kind]):
        raise ValueError(
            f"the task of TF_CONFIG must be one of its cluster, received {kind} {index} of "
            f"{cluster}. Give each process its own type and index."
        )


def _is_address(host) -> bool:
    return isinstance(host, str) and re.fullmatch(r"\S+:\d+", host) is not None

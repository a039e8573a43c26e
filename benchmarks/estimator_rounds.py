"""How much memory a process needs for one more round of training, evaluating and predicting.

  python benchmarks/estimator_rounds.py               # 100 rounds, some minutes
  python benchmarks/estimator_rounds.py --rounds=40 --nokeep   # only printed

What users of tf.estimator disliked most: each evaluation built and loaded everything again, and the
process grew. A round here is some steps with a checkpoint, a summary, an evaluation and a
prediction; every tenth one exports too. The figure is the slope of the resident memory over the
rounds after the first 20, in which TensorFlow fills its caches.
"""

import gc
import pathlib
import sys
import tempfile

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import numpy as np
from absl import flags

import command_line
import tensorflow_start

_WARM_UP_ROUNDS = 20
_STEPS_A_ROUND = 5
_ROUNDS_AN_EXPORT = 10
_STATUS = pathlib.Path("/proc/self/status")


def main(_: list[str]) -> None:
    """Runs the rounds, keeps or prints the figures."""
    if flags.FLAGS.rounds < 2 * _WARM_UP_ROUNDS:
        raise ValueError(
            f"`rounds` must be at least {2 * _WARM_UP_ROUNDS}, received {flags.FLAGS.rounds}, as "
            f"the first {_WARM_UP_ROUNDS} are not counted. Raise --rounds."
        )
    tensorflow_start.import_quietly()
    from benchmarks import ledger

    with tempfile.TemporaryDirectory() as folder:
        kilobytes = measure(pathlib.Path(folder), flags.FLAGS.rounds)
    counted = kilobytes[_WARM_UP_ROUNDS:]
    slope, _ = np.polyfit(np.arange(len(counted)), counted, 1)
    figures = {
        "rounds": len(kilobytes),
        "resident_mb_after_round_1": kilobytes[0] / 1000,
        f"resident_mb_after_round_{_WARM_UP_ROUNDS}": counted[0] / 1000,
        "resident_mb_at_the_end": kilobytes[-1] / 1000,
        "slope_kb_a_round": float(slope),
    }
    if flags.FLAGS.keep:
        ledger.record("estimator_rounds", "Memory over rounds of train and evaluate", figures)
    else:
        ledger.show(figures)


def measure(folder: pathlib.Path, num_rounds: int) -> list[int]:
    """Resident kB after each round of one Estimator in `folder`."""
    from absl import logging

    logging.set_verbosity(logging.WARNING)
    estimator = _estimator(folder / "model")
    found = []
    for number in range(num_rounds):
        estimator.train(_train_input_fn, steps=_STEPS_A_ROUND)
        estimator.evaluate(_test_input_fn)
        next(estimator.predict(_test_input_fn))
        if number % _ROUNDS_AN_EXPORT == 0:
            estimator.export_saved_model(folder / "export", _signatures)
        gc.collect()
        found.append(_resident_kilobytes())
    return found


def _resident_kilobytes() -> int:
    (line,) = [line for line in _STATUS.read_text().splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1])


def _estimator(model_dir: pathlib.Path):
    import keras
    import tensorflow as tf

    from model.estimator import Estimator, EstimatorSpec, ModeKeys, RunConfig

    def net_fn(_):
        return keras.Sequential(
            [
                keras.Input([16]),
                keras.layers.Reshape([4, 4, 1]),
                keras.layers.Conv2D(8, 3, padding="same", activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dropout(0.5),
                keras.layers.Dense(2),
            ]
        )

    def model_fn(features, labels, net, mode):
        logits = net(features["x"], training=mode == ModeKeys.TRAIN)
        if mode == ModeKeys.PREDICT:
            return EstimatorSpec(mode, predictions={"logits": logits})
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        metrics = {"accuracy": tf.equal(tf.argmax(logits, axis=-1), labels)}
        loss = tf.reduce_mean(losses)
        return EstimatorSpec(mode, loss=loss, eval_metric_ops=metrics, train_metric_ops=metrics)

    return Estimator(
        model_fn,
        model_dir,
        net_fn=net_fn,
        optimizer_fn=lambda _: keras.optimizers.Adam(0.01),
        config=RunConfig(save_summary_steps=_STEPS_A_ROUND, ema_decay=0.9),
    )


def _signatures(net):
    import tensorflow as tf

    spec = tf.TensorSpec([None, 16])
    return {"serving_default": tf.function(lambda x: {"y": net(x)}, input_signature=[spec])}


def _dataset():
    import tensorflow as tf

    x = np.random.default_rng((5, 0)).normal(size=[100, 16]).astype(np.float32)
    y = (x[:, :8].sum(axis=1) > x[:, 8:].sum(axis=1)).astype(np.int64)
    return tf.data.Dataset.from_tensor_slices(({"x": x}, y))


def _train_input_fn():
    return _dataset().shuffle(40).repeat().batch(8)


def _test_input_fn():
    return _dataset().batch(32)


if __name__ == "__main__":
    flags.DEFINE_integer("rounds", 100, "Rounds of train, evaluate and predict.")
    flags.DEFINE_bool("keep", True, "Write the figures to results/ and RESULTS.md.")
    command_line.run(main)

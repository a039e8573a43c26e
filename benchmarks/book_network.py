"""The book's network, as printed and as mended, on the same data: which one leaves chance?

  python benchmarks/book_network.py --data_dir=captcha_data --steps=1500    # 25 minutes on 2 cores

As printed (article 004) means: sigmoid in front of the softmax, labels flattened without being
transposed, pixels from 0 to 255, the layers' default initialisation, Adam at 1e-3 and no warm-up;
"same" pools, as with the printed ones nothing of a height of 30 is left. Mended is
configs/book.flags, whose learning rate falls to its end in as many steps.
"""

import itertools
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import numpy as np
from absl import flags, logging

import command_line
import tensorflow_start

_DATA = flags.DEFINE_string("data_dir", "captcha_data", "Dataset, as data_gen wrote it.")
_STEPS = flags.DEFINE_integer("steps", 1500, "Of each network.", lower_bound=2)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 64, "Captchas a step.", lower_bound=1)

_EVAL_BATCH_SIZE = 250
_LOG_EVERY = 50


def main(_: list[str]) -> None:
    """Trains both, evaluates both on the test set, keeps the figures."""
    tensorflow_start.import_quietly()
    from benchmarks import ledger

    printed = _train_as_printed()
    mended = _train_mended()
    ledger.record(
        "book_network",
        "The book's network, as printed and as mended",
        {
            "steps_each": _STEPS.value,
            "batch_size": _BATCH_SIZE.value,
            "n_test": printed["n"],
            "chance_loss": 2.302585,
            "printed_training_loss_at_the_end": printed["training_loss"],
            "printed_character_accuracy": printed["character_accuracy"],
            "printed_sequence_accuracy": printed["sequence_accuracy"],
            "mended_test_loss": mended["loss"],
            "mended_character_accuracy": mended["character_accuracy"],
            "mended_sequence_accuracy": mended["sequence_accuracy"],
        },
    )


def _train_as_printed() -> dict[str, float]:
    """The last training loss, and the accuracies on the test set of n captchas."""
    import keras
    import tensorflow as tf

    from model.logit_order import logits_by_example

    net = _printed_network()
    optimizer = keras.optimizers.Adam(1e-3)

    @tf.function
    def train_step(image, labels):
        with tf.GradientTape() as tape:
            # Called as printed, without training=True: its dropout never happens.
            outputs = net(tf.cast(image, tf.float32))
            targets = tf.reshape(labels, [-1])  # Not transposed, as printed.
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=outputs)
            )
        gradients = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(gradients, net.trainable_variables, strict=True))
        return loss

    losses = []
    batches = iter(_input_fn("train", shuffle=True, batch_size=_BATCH_SIZE.value, epoch=None)())
    for step, (features, labels) in enumerate(itertools.islice(batches, _STEPS.value), start=1):
        loss = train_step(features["image"], labels)
        if step % _LOG_EVERY == 0 or step == _STEPS.value:
            losses.append(float(loss))
            logging.info("printed | step %6d of %d | loss %.4f", step, _STEPS.value, losses[-1])
    hits = []
    for features, labels in _input_fn("test", batch_size=_EVAL_BATCH_SIZE)():
        outputs = net(tf.cast(features["image"], tf.float32))
        digits = tf.argmax(logits_by_example(outputs, 4), axis=-1)
        hits.append(tf.equal(digits, labels).numpy())  # [batch, 4]
    hits = np.concatenate(hits)
    return {
        "training_loss": losses[-1],
        "character_accuracy": float(hits.mean()),
        "sequence_accuracy": float(hits.all(axis=1).mean()),
        "n": len(hits),
    }


def _printed_network():
    import keras

    from model.networks import NETWORKS

    image = x = keras.Input((30, 100, 3))
    for widths in NETWORKS["book"].blocks:
        for filters in widths:
            x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D(2, padding="same")(x)
    x = keras.layers.Flatten()(x)
    for units in NETWORKS["book"].dense_units:
        x = keras.layers.Dense(units, activation="relu")(x)
        x = keras.layers.Dropout(NETWORKS["book"].dropout)(x)
    heads = [keras.layers.Dense(10, activation="sigmoid")(x) for _ in range(4)]
    return keras.Model(image, keras.layers.Concatenate(axis=0)(heads))


def _train_mended() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as model_dir:
        subprocess.run(
            [
                sys.executable,
                "train.py",
                "--flagfile=configs/book.flags",
                f"--data_dir={_DATA.value}",
                f"--model_dir={model_dir}",
                f"--max_steps={_STEPS.value}",
                f"--batch_size={_BATCH_SIZE.value}",
            ],
            check=True,
        )
        return json.loads((pathlib.Path(model_dir) / "eval" / "metrics.json").read_text())


def _input_fn(split: str, **options):
    from records.input_fn import input_fn_maker

    folder = pathlib.Path(_DATA.value)
    return input_fn_maker(folder / split, folder / "data_info.csv", **options)


if __name__ == "__main__":
    command_line.run(main)

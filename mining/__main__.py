r"""Lists the captchas of a live stream that a trained network is not sure of, to train on them.

  python export --model_dir=models/captcha --out=exports/captcha --tflite=int8_full
  python mining --saved_model=exports/captcha/VERSION/assets.extra/model_int8_full.tflite \
      --data_dir='live:default?seed=1' --n=2500000 --out=runs/hard.json
  python train.py --flagfile=configs/hard.flags --max_steps=STEPS     # It says how many.

A SavedModel does as well, at two thirds of the speed. The list has the numbers of all captchas that
are read with less than --max_confidence, and of each --every-th one, so that what is easy is not
forgotten. It is written each minute or so and when the program is stopped; the same command goes on
where it ends.
"""

import math
import pathlib
import sys

# `python mining` puts mining/ itself on the import path.
sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from absl import flags

import command_line

_BATCH_SIZE = 64  # Of configs/hard.flags.
_FLAGS = ("saved_model", "data_dir", "n", "out", "max_confidence", "every")


def _define_flags() -> None:
    flags.DEFINE_string(
        "saved_model", "exports/captcha", "What reads them, as predict.py takes it."
    )
    flags.DEFINE_string("data_dir", "live:default?seed=1", "A live stream, as train.py takes it.")
    flags.DEFINE_integer("n", 5_000_000, "Captchas to look at.")
    flags.DEFINE_string("out", "runs/hard.json", "The list.")
    flags.DEFINE_float(
        "max_confidence", 0.95, "Captchas are listed that are read with less, in (0, 1]."
    )
    flags.DEFINE_integer("workers", None, "Processes; by default one a core.")
    flags.DEFINE_integer("every", 100, "Each so-many-th is listed however sure; 0: none is.")


def main(_: list[str]) -> None:
    """Flags to a config to one call."""
    # Here and not above: --help and a mistyped flag answer at once.
    from mining.miner import MiningConfig, mine

    options = {name: flags.FLAGS[name].value for name in _FLAGS}
    if flags.FLAGS.workers is not None:
        options["num_workers"] = flags.FLAGS.workers
    config = MiningConfig(**options)
    hard = mine(config)
    separator = "&" if "?" in config.data_dir else "?"
    print(
        f"{config.out}, {len(hard.numbers)} of {hard.end} captchas\n"
        f"next: python train.py --flagfile=configs/hard.flags "
        f"--data_dir='{config.data_dir}{separator}only={config.out}' "
        f"--max_steps={math.ceil(len(hard.numbers) / _BATCH_SIZE)}"
    )


if __name__ == "__main__":
    _define_flags()
    command_line.run(main)

"""Trains a network that reads captchas, evaluates it, and goes on where a stopped run left off.

python train.py --flagfile=configs/captcha.flags
python train.py --flagfile=configs/captcha.flags --data_dir=my_data --model_dir=models/my
python train.py --flagfile=models/captcha/flags.txt          # the same run again, or its rest
python train.py --flagfile=configs/captcha.flags --data_dir='live:default?seed=0'  # no files
python train.py --flagfile=configs/captcha.flags --budget_minutes=0   # all steps, however long
python train.py --flagfile=configs/captcha.flags --sanity    # can it learn at all? A minute.
python train.py --flagfile=models/captcha/flags.txt --mode=evaluate --data_dir=other_data
"""

import dataclasses

from absl import flags

import command_line
import tensorflow_start
from training.config import TrainConfig

_DEFINE = {bool: flags.DEFINE_bool, int: flags.DEFINE_integer, float: flags.DEFINE_float}


def define_flags() -> None:
    """A flag for each field of `TrainConfig`."""
    for field in dataclasses.fields(TrainConfig):
        meaning, choices = field.metadata["help"], field.metadata["choices"]
        if choices:
            flags.DEFINE_enum(field.name, field.default, choices, meaning)
        else:
            # "float | None" is a float flag without a default.
            kinds = [kind for kind in _DEFINE if kind.__name__ in str(field.type)]
            define = _DEFINE[kinds[0]] if kinds else flags.DEFINE_string
            define(field.name, field.default, meaning)


def main(_: list[str]) -> None:
    """Flags to a config to one call."""
    config = config_of_flags()
    tensorflow_start.import_quietly()
    run(config)


def config_of_flags() -> TrainConfig:
    """What the flags say."""
    names = [field.name for field in dataclasses.fields(TrainConfig)]
    return TrainConfig(**{name: flags.FLAGS[name].value for name in names})


def run(config: TrainConfig) -> dict[str, float]:
    """Does what `config` says; see `training.run`."""
    # Here and not above: --help and a mistyped flag answer at once, TensorFlow takes 3 s to load.
    from training.run import run as run_training

    return run_training(config)


if __name__ == "__main__":
    define_flags()
    command_line.run(main)

"""Trains a network that reads captchas, evaluates it, and goes on where a stopped run left off.

python train.py --flagfile=configs/captcha.flags
python train.py --flagfile=configs/captcha.flags --data_dir=my_data --model_dir=models/my
python train.py --flagfile=models/captcha/flags.txt          # the same run again, or its rest
python train.py --flagfile=configs/captcha.flags --data_dir='live:default?seed=0'  # no files
"""

import dataclasses
import os
import pathlib

from absl import flags, logging

import command_line
import tensorflow_start

MODES = ("train_and_evaluate", "train", "evaluate")
_EVAL_BATCH_SIZE = 250
_LIVE = "live:"  # In front of a style: see data_gen/live.py.


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One run of this program; each field is a flag.

    Raises:
      ValueError: If a number is out of range. The network, the rate and the shifts are checked
        where they are used, before the first step too.
    """

    data_dir: str = "captcha_data"
    model_dir: str = "models/captcha"
    mode: str = "train_and_evaluate"
    net: str = "small"
    max_steps: int = 14000
    batch_size: int = 64
    learning_rate: float = 1.2e-3
    warmup_steps: int = 300
    dropout: float | None = None
    dropout_from_step: int = 1500
    shift_rows: int = 2
    shift_columns: int = 4
    precision: str = "auto"
    seed: int = 0
    save_checkpoints_steps: int = 1000
    eval_steps: int = 2000
    log_steps: int = 100
    verify_hashes: bool = True

    def __post_init__(self):
        for name in (
            "max_steps",
            "batch_size",
            "save_checkpoints_steps",
            "eval_steps",
            "log_steps",
        ):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"`{name}` must be at least 1, received {getattr(self, name)}. Raise --{name}."
                )
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"`seed` must be in [0, 2**31), received {self.seed}. Choose another.")
        if self.mode not in MODES:
            raise ValueError(
                f"`mode` must be one of {', '.join(MODES)}, received {self.mode!r}. Choose one."
            )


def _define_flags() -> None:
    default = TrainConfig()
    string, integer, real = flags.DEFINE_string, flags.DEFINE_integer, flags.DEFINE_float
    string(
        "data_dir",
        default.data_dir,
        "Dataset, as data_gen wrote it; or live:STYLE?seed=0, captchas drawn while it trains.",
    )
    string("model_dir", default.model_dir, "Folder of checkpoints, metrics, TensorBoard events.")
    flags.DEFINE_enum("mode", default.mode, MODES, "What to do.")
    string("net", default.net, "small, wide, book, vgg11, vgg13, vgg16 or vgg19.")
    integer(
        "max_steps",
        default.max_steps,
        "Steps in all, over every run in model_dir; the learning rate has fallen to its end there.",
    )
    integer("batch_size", default.batch_size, "Captchas a step.")
    real("learning_rate", default.learning_rate, "The highest, reached by warm-up.")
    integer("warmup_steps", default.warmup_steps, "Steps in which the learning rate rises.")
    real("dropout", default.dropout, "In [0, 1). By default the network's own.")
    integer(
        "dropout_from_step",
        default.dropout_from_step,
        "Dropout begins here: from the first step it can hold the loss at chance for ever.",
    )
    integer("shift_rows", default.shift_rows, "Random shifts up and down, at most, in pixels.")
    integer("shift_columns", default.shift_columns, "Random shifts left and right, at most.")
    string(
        "precision", default.precision, "auto (bfloat16 if the machine has it), float32, bfloat16."
    )
    integer("seed", default.seed, "Of weights, order of the data, dropout and shifts.")
    integer("save_checkpoints_steps", default.save_checkpoints_steps, "Steps between checkpoints.")
    integer("eval_steps", default.eval_steps, "Steps between evaluations on the test set.")
    integer("log_steps", default.log_steps, "Steps between log lines.")
    flags.DEFINE_bool(
        "verify_hashes",
        default.verify_hashes,
        "Compare every shard with its SHA-256 before the first step.",
    )


def main(_: list[str]) -> None:
    """Flags to a config to one call."""
    names = [field.name for field in dataclasses.fields(TrainConfig)]
    config = TrainConfig(**{name: flags.FLAGS[name].value for name in names})
    tensorflow_start.import_quietly()
    run(config)


def run(config: TrainConfig) -> dict[str, float]:
    """Trains and evaluates as `config.mode` says, and prints the result.

    Returns:
      The last evaluation: `loss`, `character_accuracy`, `sequence_accuracy`, `n`, `global_step`;
      empty with mode "train".

    Raises:
      ValueError: If the dataset is missing, damaged, or not what `model_dir` was trained with.
    """
    # Here and not above: --help and a mistyped flag answer at once, TensorFlow takes 3 s to load.
    from model.estimator import EvalSpec, TrainSpec, train_and_evaluate
    from records.input_fn import READING_ERRORS

    estimator = prepare(config)
    train_input_fn, test_input_fn = input_fns(config)
    try:
        if config.mode == "evaluate":
            metrics = estimator.evaluate(test_input_fn)
        elif config.mode == "train":
            estimator.train(train_input_fn, max_steps=config.max_steps)
            metrics = {}
        else:
            metrics = train_and_evaluate(
                estimator,
                TrainSpec(train_input_fn, max_steps=config.max_steps),
                EvalSpec(test_input_fn, every_steps=config.eval_steps),
            )
    except READING_ERRORS as error:
        _raise_if_of_the_data(config, error)
        raise
    if metrics:
        _print_result(config, metrics)
    return metrics


def prepare(config: TrainConfig):
    """The Estimator for this data and model_dir; all that can be wrong is refused here."""
    from model.captcha_estimator import captcha_estimator, network_config
    from model.description import (
        ModelDescription,
        check_same,
        has_description,
        load_description,
        save_description,
    )
    from model.estimator import RunConfig
    from model.params import ModelParams
    from model.precision import dtype_policy
    from model.trained_on import TrainedOn, check_trained_on, save_trained_on

    dataset = _load_data(config)
    description = ModelDescription(
        net=config.net,
        image_shape=dataset.image_shape,
        alphabet=dataset.alphabet,
        num_positions=dataset.num_positions,
        has_blank=dataset.has_blank,
    )
    if has_description(config.model_dir) or config.mode == "evaluate":
        check_same(load_description(config.model_dir), description, config.model_dir)
    data = TrainedOn(
        data_dir=config.data_dir, generator=dataset.generator, identity=dataset.identity
    )
    if config.mode != "evaluate":
        check_trained_on(data, config.model_dir)
    params = ModelParams(
        network=network_config(
            description,
            dropout=config.dropout,
            dtype_policy=dtype_policy(config.precision),
            seed=config.seed,
        ),
        learning_rate=config.learning_rate,
        warmup_steps=min(config.warmup_steps, config.max_steps - 1),
        total_steps=config.max_steps,
        dropout_from_step=config.dropout_from_step,
        shift_rows=config.shift_rows,
        shift_columns=config.shift_columns,
        seed=config.seed,
    )
    run_config = RunConfig(
        save_checkpoints_steps=config.save_checkpoints_steps,
        log_step_count_steps=config.log_steps,
        save_summary_steps=config.log_steps,
        tf_random_seed=config.seed,
    )
    estimator = captcha_estimator(params, config.model_dir, run_config)
    if config.mode != "evaluate":
        os.makedirs(config.model_dir, exist_ok=True)
        save_description(description, config.model_dir)
        save_trained_on(data, config.model_dir)
        _save_flags(config)
    logging.info(
        "config | %s | %d parameters | %s | %s captchas to train on, %d to test on",
        config.net,
        estimator.net.count_params(),
        params.network.dtype_policy,
        "new" if config.data_dir.startswith(_LIVE) else dataset.num_examples("train"),
        dataset.num_examples("test"),
    )
    return estimator


def _load_data(config: TrainConfig):
    """What says of the data how large, long and many they are; a damaged dataset is refused."""
    from records.description import check_hashes, check_sizes, load_description

    if config.data_dir.startswith(_LIVE):
        from data_gen.live import parse_live

        return parse_live(config.data_dir)
    dataset = load_description(config.data_dir)
    check_sizes(dataset)
    if config.verify_hashes:
        check_hashes(dataset)
    return dataset


def input_fns(config: TrainConfig):
    """The input functions of training, which never ends, and of the test set."""
    from records.input_fn import input_fn_maker

    if config.data_dir.startswith(_LIVE):
        from data_gen.live import parse_live
        from data_gen.live_input import live_input_fn

        data = parse_live(config.data_dir)
        return (
            live_input_fn(data, "train", config.batch_size),
            live_input_fn(data, "test", _EVAL_BATCH_SIZE, data.num_test),
        )
    data_dir = pathlib.Path(config.data_dir)
    train_input_fn = input_fn_maker(
        data_dir / "train",
        data_dir / "data_info.csv",
        shuffle=True,
        batch_size=config.batch_size,
        epoch=None,
        seed=config.seed,
        drop_remainder=True,
    )
    test_input_fn = input_fn_maker(
        data_dir / "test", data_dir / "data_info.csv", batch_size=_EVAL_BATCH_SIZE
    )
    return train_input_fn, test_input_fn


def _raise_if_of_the_data(config: TrainConfig, error: Exception) -> None:
    """Says what is wrong with the data, which TensorFlow's own error does not; it names no record.

    Raises:
      ValueError: If the dataset is damaged, or is another one than training began with.
    """
    import tensorflow as tf

    from records.verify import verify_dataset

    if config.data_dir.startswith(_LIVE):
        return  # Nothing is read.
    for problem in verify_dataset(config.data_dir):
        raise ValueError(
            f"{config.data_dir}: {problem} All of them: python records verify {config.data_dir}"
        ) from error
    if isinstance(error, tf.errors.InvalidArgumentError):
        return  # The data is whole, so it is not about the data: a mistake of ours.
    raise ValueError(
        f"`data_dir` must be the dataset that {config.model_dir} was trained on so far, as it "
        f"goes on from its place in it, received {config.data_dir!r} that has no such place "
        f"({error.message}). Train into another --model_dir."
    ) from error


def _save_flags(config: TrainConfig) -> None:
    """Writes `flags.txt`, a flagfile that repeats this run."""
    lines = [
        f"--{name}={value}"
        for name, value in dataclasses.asdict(config).items()
        if value is not None
    ]
    path = pathlib.Path(config.model_dir) / "flags.txt"
    partial = path.with_suffix(".partial")
    partial.write_text("\n".join(lines) + "\n")
    os.replace(partial, path)


def _print_result(config: TrainConfig, metrics: dict[str, float]) -> None:
    from model.metrics import wilson_interval

    n = int(metrics["n"])
    print(
        f"{config.model_dir}, step {int(metrics['global_step'])}, on {n} test captchas of "
        f"{config.data_dir}:"
    )
    for name in ("character_accuracy", "sequence_accuracy"):
        low, high = wilson_interval(metrics[name], n)
        what = "single characters" if name == "character_accuracy" else "whole captchas"
        print(f"  {name:<18} {metrics[name]:.4f}  95 % interval {low:.4f} to {high:.4f}  ({what})")
    print(f"next: python export --model_dir={config.model_dir} --out=exports/captcha")


if __name__ == "__main__":
    _define_flags()
    command_line.run(main)

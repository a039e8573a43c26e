"""The options of a training run; each field is a flag of train.py."""

import dataclasses

MODES = ("train_and_evaluate", "train", "evaluate")
OPTIMIZERS = ("muon", "adam")
SCHEDULES = ("cosine", "step", "plateau", "constant")
_LIVE = "live:"  # In front of a style: see data_gen/live.py.
_AT_LEAST_1 = (
    "max_steps",
    "batch_size",
    "candidates",
    "save_checkpoints_steps",
    "eval_steps",
    "log_steps",
    "accumulate_gradients",
    "steps_per_loop",
)


def _flag(default, meaning: str, choices: tuple[str, ...] = ()):
    """A field that is a flag: its default, what --help says, and what it may be."""
    return dataclasses.field(default=default, metadata={"help": meaning, "choices": choices})


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One run of train.py.

    Raises:
      ValueError: If a number is out of range. What other parts of the program know better (the
        network's name, the rate, the shifts) they check, before the first step too.
    """

    data_dir: str = _flag(
        "captcha_data",
        "Dataset, as data_gen wrote it; or live:STYLE?seed=0, captchas drawn while it trains.",
    )
    model_dir: str = _flag("models/captcha", "Folder of checkpoints, metrics, TensorBoard events.")
    mode: str = _flag("train_and_evaluate", "What to do.", MODES)
    sanity: bool = _flag(
        False, "Only look, in a minute, whether this network can learn 64 of these captchas."
    )

    net: str = _flag(
        "attention_small",
        "attention_small, attention_fine, attention, small, medium, wide, large, attention_large, "
        "attention_fine_large, book, vgg11, vgg13, vgg16 or vgg19.",
    )
    dropout: float | None = _flag(None, "In [0, 1). By default the network's own.")
    dropout_from_step: int = _flag(
        1500,
        "Dropout begins here: from the first step it can hold the loss at chance for ever.",
    )
    shift_rows: int = _flag(2, "Random shifts up and down, at most, in pixels.")
    shift_columns: int = _flag(4, "Random shifts left and right, at most.")
    cutmix: float = _flag(
        0.0,
        "In [0, 1]: so many of the captchas swap their right parts, cut in a gap between two "
        "characters, with others. For few labelled pictures.",
    )
    candidates: int = _flag(
        1,
        "Of so many captchas a step trains on the one that the network is least sure of; the log "
        "shows loss and accuracy of those.",
    )
    candidates_from_step: int = _flag(
        0,
        "Candidates begin here: before, nearly every captcha teaches something. From here on a "
        "step takes some three times as long.",
    )
    doubt_from_step: int | None = _flag(
        None,
        "From here on train on no captcha that the network is sure has a wrong label: for labels "
        "typed by people.",
    )
    warm_start_from: str | None = _flag(
        None,
        "A model_dir or an export whose weights a new run begins with, as far as they fit; or "
        "several with commas between them, of networks that side by side are as wide as this one.",
    )

    max_steps: int = _flag(
        14000,
        "Steps in all, over every run in model_dir; the learning rate has fallen to its end there.",
    )
    batch_size: int = _flag(64, "Captchas a step, over all devices and workers together.")
    optimizer: str = _flag(
        "muon",
        "muon, which learns from fewer captchas; or adam.",
        OPTIMIZERS,
    )
    learning_rate: float = _flag(1.2e-3, "The highest, reached by warm-up.")
    warmup_steps: int = _flag(300, "Steps in which the learning rate rises.")
    schedule: str = _flag(
        "cosine",
        "How the learning rate falls: cosine; step, to a tenth at half and at three quarters; "
        "plateau, to a half when evaluations stop improving; or constant.",
        SCHEDULES,
    )
    gradient_clip: float | None = _flag(
        None, "Scales gradients down to this L2 norm over all weights, where they are longer."
    )
    weight_decay: float = _flag(
        0.0, "Times the learning rate, what kernels lose of themselves in each step."
    )
    label_smoothing: float = _flag(
        0.0,
        "In [0, 1): so much of each label is spread over all classes. The loss in the log is of "
        "those, and does not come near 0; evaluations have labels as they are.",
    )
    label_smoothing_until_step: int | None = _flag(
        None, "From here on labels are as they are, so that it becomes sure of what it reads."
    )
    ema_decay: float | None = _flag(
        None, "Evaluate and export a moving average of the weights, with this decay: 0.999."
    )
    precision: str = _flag("auto", "auto (bfloat16 if the machine has it), float32, bfloat16.")
    seed: int = _flag(0, "Of weights, order of the data, dropout, shifts and cuts.")

    target: str | None = _flag(
        None, "Stop once an evaluation reaches it, for example sequence_accuracy=0.995."
    )
    patience_steps: int | None = _flag(
        None, "Stop after so many steps without a better sequence_accuracy."
    )
    max_minutes: float | None = _flag(None, "Stop after so many minutes of this command.")
    budget_minutes: float = _flag(
        0.0,
        "Take fewer steps where this machine would take longer than so many minutes for all of "
        "max_steps, and let the learning rate fall to its end in those. 0: take all.",
    )

    strategy: str = _flag(
        "one_device",
        "one_device; mirrored, all GPUs of this machine; multi_worker, those of TF_CONFIG "
        "(docs/distributed.md).",
        ("one_device", "mirrored", "multi_worker"),
    )
    accumulate_gradients: int = _flag(
        1, "Compute each batch in so many parts, one after the other, to need less memory."
    )
    cpu_parts: int = _flag(
        0,
        "Compute each batch in so many parts side by side, with one thread an op if they are as "
        "many as there are cores. 0: one a core on a CPU of up to 4, else the batch as a whole.",
    )
    steps_per_loop: int = _flag(1, "Steps in one call of TensorFlow.")

    save_checkpoints_steps: int = _flag(1000, "Steps between checkpoints.")
    eval_steps: int = _flag(2000, "Steps between evaluations on the test set.")
    log_steps: int = _flag(100, "Steps between log lines.")
    profile: str | None = _flag(
        None, "Record what these steps spend their time on, for example 100:110."
    )
    verify_hashes: bool = _flag(True, "Compare every shard with its SHA-256 before the first step.")

    def __post_init__(self):
        for name in _AT_LEAST_1:
            if getattr(self, name) < 1:
                raise ValueError(
                    f"`{name}` must be at least 1, received {getattr(self, name)}. Raise --{name}."
                )
        if self.cpu_parts < 0:
            raise ValueError(
                f"`cpu_parts` must be at least 0, received {self.cpu_parts}. Use --cpu_parts=1 to "
                "compute a batch as a whole."
            )
        for name in ("patience_steps", "max_minutes", "gradient_clip"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(
                    f"`{name}` must be more than 0, received {value}. Raise --{name} or leave it "
                    "out."
                )
        if not self.budget_minutes >= 0:
            raise ValueError(
                f"`budget_minutes` must be at least 0, received {self.budget_minutes}. Use "
                "--budget_minutes=0 to take all of max_steps."
            )
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"`seed` must be in [0, 2**31), received {self.seed}. Choose another.")
        for field in dataclasses.fields(self):
            choices = field.metadata["choices"]
            if choices and getattr(self, field.name) not in choices:
                raise ValueError(
                    f"`{field.name}` must be one of {', '.join(choices)}, received "
                    f"{getattr(self, field.name)!r}. Choose one."
                )

    @property
    def is_live(self) -> bool:
        """Whether captchas are drawn while it trains, and no files are read."""
        return self.data_dir.startswith(_LIVE)

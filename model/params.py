"""What a training run of the captcha network is made of, apart from its data."""

import dataclasses

from model.networks import NetworkConfig

OPTIMIZERS = ("muon", "adam")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelParams:
    """The network, its optimizer and its augmentation.

    Raises:
      ValueError: If a shift is negative or not smaller than the picture, `weight_decay`,
        `dropout_from_step` or `candidates_from_step` is negative, the optimizer is unknown,
        `candidates`, `doubt_from_step` or `label_smoothing_until_step` is below 1,
        `label_smoothing` is not in [0, 1), or `cutmix` is not in [0, 1] or above 0 for captchas of
        one character or of several lengths.
    """

    network: NetworkConfig
    optimizer: str = "muon"  # Or "adam", see `model.optimizer`.
    learning_rate: float = 1.2e-3  # The peak, see `model.schedule`.
    warmup_steps: int = 300
    total_steps: int = 1
    schedule: str = "cosine"  # One of `model.schedule.SCHEDULES`.
    gradient_clip: float | None = None  # Longest L2 norm over all weights; None: as they are.
    weight_decay: float = 0.0  # Times the learning rate it is what kernels lose in a step.
    # Share of each target that is spread evenly over all classes (Szegedy et al., 2016,
    # https://arxiv.org/abs/1512.00567).
    label_smoothing: float = 0.0
    # From here on labels are as they are, so that confidence comes back; None: to the end.
    label_smoothing_until_step: int | None = None
    shift_rows: int = 0  # Random shifts of training pictures, largest, in pixels.
    shift_columns: int = 0
    # Share of pairs of captchas that swap their right parts, see `model.cutmix`.
    cutmix: float = 0.0
    # Of so many captchas a step trains on the one it is least sure of, see `training_examples`.
    candidates: int = 1
    candidates_from_step: int = 0  # Before, it trains on captchas as they come.
    # Dropout holds the loss at ln K for thousands of steps; once it has left, dropout helps
    # (BUILD_NOTES.md, "What breaks the plateau").
    dropout_from_step: int = 0
    # From here on labels that the network is sure are wrong count for nothing, see
    # `model.trusted_labels`; None: never.
    doubt_from_step: int | None = None
    seed: int = 0  # Of shifts and cuts.

    def __post_init__(self):
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(
                f"`optimizer` must be one of {', '.join(OPTIMIZERS)}, received "
                f"{self.optimizer!r}. Choose one."
            )
        height, width, _ = self.network.image_shape
        for name, value, side in (
            ("shift_rows", self.shift_rows, height),
            ("shift_columns", self.shift_columns, width),
        ):
            if not 0 <= value < side:
                raise ValueError(
                    f"`{name}` must be in [0, {side}), received {value}. Use 0 for no shifts."
                )
        if self.candidates < 1:
            raise ValueError(
                f"`candidates` must be at least 1, received {self.candidates}. Use 1 to train on "
                "all captchas alike."
            )
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(
                f"`label_smoothing` must be in [0, 1), received {self.label_smoothing}. Use 0 for "
                "labels as they are."
            )
        if self.label_smoothing_until_step is not None and self.label_smoothing_until_step < 1:
            raise ValueError(
                "`label_smoothing_until_step` must be at least 1, received "
                f"{self.label_smoothing_until_step}. Use --label_smoothing=0 for none."
            )
        if not 0 <= self.cutmix <= 1:
            raise ValueError(
                f"`cutmix` must be in [0, 1], received {self.cutmix}. Use 0 for captchas as they "
                "are."
            )
        if self.cutmix > 0 and (self.network.has_blank or self.network.num_positions < 2):
            raise ValueError(
                f"`cutmix` must be 0 for captchas of one character or of several lengths, received "
                f"{self.cutmix}. Set --cutmix=0."
            )
        if not self.weight_decay >= 0:
            raise ValueError(
                f"`weight_decay` must be at least 0, received {self.weight_decay}. Use 0 for none."
            )
        for name in ("candidates_from_step", "dropout_from_step"):
            if getattr(self, name) < 0:
                raise ValueError(
                    f"`{name}` must be at least 0, received {getattr(self, name)}. Use 0 to begin "
                    "with the first step."
                )
        if self.doubt_from_step is not None and self.doubt_from_step < 1:
            raise ValueError(
                f"`doubt_from_step` must be at least 1, received {self.doubt_from_step}. A network "
                "must have learnt from its labels before it can doubt them."
            )

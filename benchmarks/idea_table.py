"""What was tried to make the network better or faster, one change of the base at a time."""

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import keras
import tensorflow as tf

from benchmarks import idea_augment, idea_networks
from model.networks import NETWORKS, Architecture, NetworkConfig

_DEFAULT_DENSE = (256,)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Idea:
    """A change of the base, which `benchmarks/idea_training.py` has."""

    what: str  # One line for people.
    flags: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # Fields of `TrainConfig`.
    architecture: Architecture | None = None  # None: the network's of the flags.
    network: Callable[[NetworkConfig], keras.Model] | None = None  # None: of the architecture.
    # (image [N, H, W, 3], seed int [2], rows int64 [N]) to an image of the same shape.
    augment: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor] | None = None
    # Times the steps of the base, whose number of captchas seen it keeps with another batch size.
    steps_factor: float = 1.0
    kernel_ratio: float | None = None  # Of Muon; None: its default.
    activation: str | None = None  # None: the network's of the flags.
    head_factor: float = 1.0  # Times the network's are the initial weights of its heads.
    # (rows, columns) each picture is shifted by when it is read, and the answers' mean taken.
    read_shifts: tuple[tuple[int, int], ...] = ()


def _widths(*blocks: tuple[int, ...], dense: tuple[int, ...] = _DEFAULT_DENSE) -> Architecture:
    """Of these widths, all else as `small` has it."""
    return dataclasses.replace(NETWORKS["small"], blocks=blocks, dense_units=dense)


_SHIFTS = {"shift_rows": 2, "shift_columns": 4}

IDEAS: Mapping[str, Idea] = MappingProxyType(
    {
        "base": Idea(what="what the others change"),
        "base_seed_1": Idea(what="the same from another seed", flags={"seed": 1}),
        # Optimizer.
        "adam": Idea(what="Adam, warm-up 300", flags={"optimizer": "adam", "warmup_steps": 300}),
        "adam_2x": Idea(
            what="Adam at twice the rate",
            flags={"optimizer": "adam", "warmup_steps": 300, "learning_rate": 2.4e-3},
        ),
        "adam_3x": Idea(
            what="Adam at 3.3 times the rate",
            flags={"optimizer": "adam", "warmup_steps": 300, "learning_rate": 4e-3},
        ),
        "muon_half": Idea(what="Muon's updates half as long", kernel_ratio=2.0),
        "muon_double": Idea(what="Muon's updates twice as long", kernel_ratio=8.0),
        "no_weight_decay": Idea(what="no weight decay", flags={"weight_decay": 0.0}),
        "weight_decay": Idea(what="weight decay 0.1", flags={"weight_decay": 0.1}),
        "weight_decay_1": Idea(what="weight decay 1", flags={"weight_decay": 1.0}),
        "weight_decay_4": Idea(what="weight decay 4", flags={"weight_decay": 4.0}),
        "warmup_300": Idea(what="warm-up 300 in place of 100", flags={"warmup_steps": 300}),
        "ema": Idea(what="moving average of the weights, 0.998", flags={"ema_decay": 0.998}),
        "clip": Idea(what="gradient clipped to norm 1", flags={"gradient_clip": 1.0}),
        "constant": Idea(what="the rate never falls", flags={"schedule": "constant"}),
        "falls_in_steps": Idea(
            what="the rate falls to a tenth at half and at three quarters",
            flags={"schedule": "step"},
        ),
        # Batch.
        "batch_32": Idea(what="batches of 32", flags={"batch_size": 32}, steps_factor=2.0),
        "batch_128": Idea(what="batches of 128", flags={"batch_size": 128}, steps_factor=0.5),
        # Which captchas to train on.
        "candidates_4": Idea(what="the least sure of 4", flags={"candidates": 4}),
        "candidates_8": Idea(
            what="the least sure of 8 from the first step on",
            flags={"candidates": 8, "candidates_from_step": 0},
        ),
        "candidates_8_later": Idea(
            what="the least sure of 8, from step 800 on",
            flags={"candidates": 8, "candidates_from_step": 800},
        ),
        "candidates_16": Idea(what="the least sure of 16", flags={"candidates": 16}),
        # Regularisation.
        "label_smoothing": Idea(what="label smoothing 0.05", flags={"label_smoothing": 0.05}),
        "dropout": Idea(
            what="dropout 0.2 from step 600", flags={"dropout": 0.2, "dropout_from_step": 600}
        ),
        "no_dropout": Idea(what="no dropout", flags={"dropout": 0.0}),
        "dropout_half": Idea(
            what="dropout 0.5 from step 300", flags={"dropout": 0.5, "dropout_from_step": 300}
        ),
        # Augmentation in the graph.
        "shifts": Idea(what="shifts of up to 2 rows and 4 columns", flags=_SHIFTS),
        "cutmix": Idea(what="half of the captchas swap their right parts", flags={"cutmix": 0.5}),
        "channels": Idea(
            what="red, green, blue in random order", augment=idea_augment.channel_order
        ),
        "affine": Idea(what="slight scaling, shear, shift", augment=idea_augment.affine),
        "elastic": Idea(what="neighbouring points moved alike", augment=idea_augment.elastic),
        "slightly_elastic": Idea(
            what="neighbouring points moved alike, a third as far",
            augment=idea_augment.slightly_elastic,
        ),
        "dots": Idea(what="15 more dots", augment=idea_augment.dots),
        "holes": Idea(what="three rectangles left out", augment=idea_augment.holes),
        "contrast": Idea(what="each channel paler", augment=idea_augment.contrast),
        "noise": Idea(what="normal noise of deviation 6", augment=idea_augment.noise),
        # Shape of the network.
        "one_conv_early": Idea(
            what="one convolution in the second block",
            architecture=_widths((16,), (32,), (64,) * 2, (128,) * 2),
        ),
        "half_first": Idea(
            what="8 channels in the first block",
            architecture=_widths((8,), (32,) * 2, (64,) * 2, (128,) * 2),
        ),
        "wider": Idea(
            what="one and a half times as wide",
            architecture=_widths((24,), (48,) * 2, (96,) * 2, (192,) * 2, dense=(384,)),
        ),
        "wide": Idea(
            what="twice as wide, as --net=wide",
            architecture=_widths((32,), (64,), (128,) * 2, (256,) * 2, dense=(512,)),
        ),
        "dense_512": Idea(
            what="512 units in the dense layer, as --net=medium",
            flags={"net": "medium"},
        ),
        "attention": Idea(
            what="heads that look twice at their own character, as --net=attention",
            flags={"net": "attention"},
        ),
        "attention_once": Idea(
            what="heads that look once at their own character",
            architecture=dataclasses.replace(NETWORKS["attention"], glimpses=1),
        ),
        "attention_smoothed": Idea(
            what="heads that look twice, and label smoothing 0.05",
            flags={"net": "attention", "label_smoothing": 0.05},
        ),
        "columns_25": Idea(
            what="attention over 25 columns, smoothed: the third pool is 2x1",
            flags={"label_smoothing": 0.05},
            architecture=dataclasses.replace(
                NETWORKS["attention"], pools=((2, 2), (2, 2), (2, 1), (2, 4))
            ),
        ),
        "by_content": Idea(
            what="attention by what a column holds, too, smoothed",
            flags={"label_smoothing": 0.05},
            architecture=dataclasses.replace(NETWORKS["attention"], looks_by_content=True),
        ),
        "fine_not_by_content": Idea(
            what="--net=attention_fine, smoothed, not by what a column holds",
            flags={"label_smoothing": 0.05},
            architecture=dataclasses.replace(NETWORKS["attention_fine"], looks_by_content=False),
        ),
        "fine": Idea(
            what="--net=attention_fine, over 50 columns, smoothed",
            flags={"net": "attention_fine", "label_smoothing": 0.05},
        ),
        "deeper": Idea(
            what="three convolutions in the last two blocks",
            architecture=_widths((16,), (32,) * 2, (64,) * 3, (128,) * 3),
        ),
        "deeper_512": Idea(
            what="the same, and 512 units in the dense layer",
            architecture=_widths((16,), (32,) * 2, (64,) * 3, (128,) * 3, dense=(512,)),
        ),
        "deeper_early_512": Idea(
            what="three convolutions in the second block, 512 units",
            architecture=_widths((16,), (32,) * 3, (64,) * 2, (128,) * 2, dense=(512,)),
        ),
        "wide_candidates_8": Idea(
            what="twice as wide, the least sure of 8",
            flags={"net": "wide", "candidates": 8},
        ),
        "batch_norm": Idea(
            what="batch normalisation of convolutions",
            network=idea_networks.batch_normalised,
            flags={"dropout_from_step": 0},  # A switch that is a tensor is more than it can take.
        ),
        "strided": Idea(
            what="a stride in the place of the first pool", network=idea_networks.strided
        ),
        "halved": Idea(what="half the resolution", network=idea_networks.halved),
        # How it reads.
        "read_shifted": Idea(
            what="mean of five readings, a pixel apart",
            read_shifts=((0, 0), (0, -1), (0, 1), (-1, 0), (1, 0)),
        ),
        # What it begins with.
        "relu": Idea(what="ReLU, which can die", activation="relu"),
        "large_heads": Idea(
            what="heads begin ten times as large, as Keras has them", head_factor=10
        ),
        "relu_large_heads": Idea(
            what="ReLU, and heads ten times as large", activation="relu", head_factor=10
        ),
        "no_dense": Idea(
            what="no dense layer before the heads",
            architecture=_widths((16,), (32,) * 2, (64,) * 2, (128,) * 2, dense=()),
        ),
    }
)

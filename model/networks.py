"""Named VGG networks from one table of block widths, and how one is built for a picture's size.

Every network has the shape that the book gives it: blocks of 3x3 convolutions with a 2x2 pool
after each, dense layers, and one softmax head for each character, side by side. Some heads see what
`model.glimpses` shows them besides.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import keras
import numpy as np

from model.dropout import SwitchedDropout
from model.glimpses import glimpses
from model.heads import glimpse_logits, position_logits
from model.leaky_relu import leaky_relu
from model.standardise import PerImageStandardisation


@dataclasses.dataclass(frozen=True, kw_only=True)
class Architecture:
    """Widths of a VGG network."""

    blocks: tuple[tuple[int, ...], ...]  # Channels of each convolution, a pool after each block.
    dense_units: tuple[int, ...]
    dropout: float  # After each dense layer.
    activation: str = "relu"  # Of every convolution and dense layer, a key of `ACTIVATIONS`.
    # How often each head looks at the last block's map, channels of what it sees there, columns
    # that are seen as one, and whether where it looks depends on what stands there.
    glimpses: int = 0
    glimpse_channels: int = 128
    glimpse_width: int = 3
    looks_by_content: bool = False
    pools: tuple[tuple[int, int], ...] = ()  # Rows and columns of each; (): 2x2 all.


# A leaky one cannot die. With 36 classes all but a few ReLUs of one layer did, and the network
# stayed at chance (BUILD_NOTES.md, "What breaks the plateau").
ACTIVATIONS: Mapping[str, Callable] = MappingProxyType(
    {"relu": keras.activations.relu, "leaky_relu": leaky_relu}
)
_VGG_DENSE = (4096, 4096)
# Of 100 columns 50 are left to look at, where four 2x2 pools leave 13.
_FINE_POOLS = ((2, 1), (2, 2), (2, 1), (2, 7))

NETWORKS: Mapping[str, Architecture] = MappingProxyType(
    {
        # Chosen by measurement, see BUILD_NOTES.md "The default network".
        "small": Architecture(
            blocks=((16,), (32, 32), (64, 64), (128, 128)),
            dense_units=(256,),
            dropout=0.2,
            activation="leaky_relu",
        ),
        # The same with twice the dense units, for alphabets larger than ten digits: see
        # BUILD_NOTES.md "Letters".
        "medium": Architecture(
            blocks=((16,), (32, 32), (64, 64), (128, 128)),
            dense_units=(512,),
            dropout=0.2,
            activation="leaky_relu",
        ),
        # Heads that look at their own character: see BUILD_NOTES.md "Where heads look".
        "attention": Architecture(
            blocks=((16,), (32, 32), (64, 64), (128, 128)),
            dense_units=(128,),
            dropout=0.2,
            activation="leaky_relu",
            glimpses=2,
        ),
        # The same over four times as many columns: see there, too. For long trainings.
        "attention_fine": Architecture(
            blocks=((16,), (24, 24), (48, 48), (96, 96)),
            dense_units=(128,),
            dropout=0.2,
            activation="leaky_relu",
            glimpses=2,
            glimpse_width=5,
            looks_by_content=True,
            pools=_FINE_POOLS,
        ),
        # The default: a fifth of its operations. See there, "The default network".
        "attention_small": Architecture(
            blocks=((8,), (16, 16), (32, 32), (64, 64)),
            dense_units=(64,),
            dropout=0.2,
            activation="leaky_relu",
            glimpses=2,
            glimpse_channels=64,
            looks_by_content=True,
            pools=((2, 2), (2, 2), (2, 1), (2, 4)),
        ),
        # Twice as wide, at half the speed.
        "wide": Architecture(
            blocks=((32,), (64,), (128, 128), (256, 256)),
            dense_units=(512,),
            dropout=0.2,
            activation="leaky_relu",
        ),
        # Two of `medium` side by side: --warm_start_from=FIRST,SECOND begins as both of them.
        "large": Architecture(
            blocks=((32,), (64, 64), (128, 128), (256, 256)),
            dense_units=(1024,),
            dropout=0.2,
            activation="leaky_relu",
        ),
        # Two of `attention` side by side, in the same way.
        "attention_large": Architecture(
            blocks=((32,), (64, 64), (128, 128), (256, 256)),
            dense_units=(256,),
            dropout=0.2,
            activation="leaky_relu",
            glimpses=4,
            glimpse_channels=256,
        ),
        # And two of `attention_fine`.
        "attention_fine_large": Architecture(
            blocks=((32,), (48, 48), (96, 96), (192, 192)),
            dense_units=(256,),
            dropout=0.2,
            activation="leaky_relu",
            glimpses=4,
            glimpse_channels=256,
            glimpse_width=5,
            looks_by_content=True,
            pools=_FINE_POOLS,
        ),
        # Article 004, with its unusual fourth block.
        "book": Architecture(
            blocks=((64, 64), (128, 128), (128, 128, 128), (256, 128, 128), (512, 512, 512)),
            dense_units=_VGG_DENSE,
            dropout=0.5,
        ),
        # Article 003, and Simonyan and Zisserman, https://arxiv.org/abs/1409.1556, table 1.
        "vgg11": Architecture(
            blocks=((64,), (128,), (256,) * 2, (512,) * 2, (512,) * 2),
            dense_units=_VGG_DENSE,
            dropout=0.5,
        ),
        "vgg13": Architecture(
            blocks=((64,) * 2, (128,) * 2, (256,) * 2, (512,) * 2, (512,) * 2),
            dense_units=_VGG_DENSE,
            dropout=0.5,
        ),
        "vgg16": Architecture(
            blocks=((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3),
            dense_units=_VGG_DENSE,
            dropout=0.5,
        ),
        "vgg19": Architecture(
            blocks=((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4),
            dense_units=_VGG_DENSE,
            dropout=0.5,
        ),
    }
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """What a network is built from.

    Raises:
      ValueError: If the name is none of `NETWORKS` or a number is out of range.
    """

    name: str = "attention_small"
    image_shape: tuple[int, int, int]  # Height, width, 3.
    num_positions: int
    num_classes: int
    has_blank: bool = False  # Whether the last class stands for no character.
    activation: str | None = None  # None: the architecture's own.
    dropout: float | None = None  # None: the architecture's own.
    dtype_policy: str = "float32"  # Or "mixed_bfloat16": computes in bfloat16, keeps float32.
    seed: int = 0  # Of the initial weights and of dropout.

    def __post_init__(self):
        if self.name not in NETWORKS:
            raise ValueError(
                f"`net` must be one of {', '.join(NETWORKS)}, received {self.name!r}. Choose one."
            )
        if self.activation not in (None, *ACTIVATIONS):
            raise ValueError(
                f"`activation` must be one of {', '.join(ACTIVATIONS)}, received "
                f"{self.activation!r}. Choose one."
            )
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise ValueError(
                f"`dropout` must be in [0, 1), received {self.dropout}. Use 0 for none."
            )

    @property
    def blank(self) -> int | None:
        """The class that stands for no character, if there is one."""
        return self.num_classes - 1 if self.has_blank else None


def convolve(
    x: keras.KerasTensor,
    filters: int,
    *,
    activation: Callable | None,
    seed: int,
    dtype: str,
    name: str,
    strides: int = 1,
) -> keras.KerasTensor:
    """A 3x3 convolution with its activation: `[N, H, W, C]` to `[N, H / strides, ..., filters]`."""
    return keras.layers.Conv2D(
        filters,
        3,
        strides=strides,
        padding="same",
        activation=activation,
        # He, https://arxiv.org/abs/1502.01852: keeps the variance through ReLU layers.
        # Glorot, which Keras defaults to, halves it in each.
        kernel_initializer=keras.initializers.HeNormal(seed=seed),
        dtype=dtype,
        name=name,
    )(x)


def pool(
    x: keras.KerasTensor, window: tuple[int, int], *, dtype: str, name: str
) -> keras.KerasTensor:
    """The largest of each 2x2 or other window: `[N, H, W, C]` to `[N, H / 2, ...]`, rounded up."""
    # "same": a height of 30 goes 15, 8, 4, 2, 1. The book's "valid" pools take it to 0.
    return keras.layers.MaxPooling2D(window, padding="same", dtype=dtype, name=name)(x)


def build_network(
    config: NetworkConfig,
    architecture: Architecture | None = None,
    *,
    convolve: Callable[..., keras.KerasTensor] = convolve,
    pool: Callable[..., keras.KerasTensor] = pool,
) -> keras.Model:
    """Builds the network with fresh weights.

    Args:
      config: What it reads, its name and its seed.
      architecture: Widths to try out; None: those of the name.
      convolve: What stands for a convolution, called as `model.networks.convolve` is.
      pool: What follows a block, called as `model.networks.pool` is.

    Returns:
      A model from image, uint8 (or any real dtype) `[N, H, W, 3]` in [0, 255], to logits, float32
      `[L * N, K]`: all first characters, then all second ones. Standardisation is part of it, so
      that training and serving cannot differ. Equal configs give equal weights.
    """
    architecture = architecture or NETWORKS[config.name]
    dropout = architecture.dropout if config.dropout is None else config.dropout
    activation = ACTIVATIONS[config.activation or architecture.activation]
    seeds = _layer_seeds(config.seed)
    image = keras.Input(config.image_shape, name="image", dtype="uint8")
    x = PerImageStandardisation(dtype=config.dtype_policy, name="standardise")(image)
    windows = architecture.pools or ((2, 2),) * len(architecture.blocks)
    for block, (widths, window) in enumerate(zip(architecture.blocks, windows, strict=True), 1):
        for layer, filters in enumerate(widths, start=1):
            x = convolve(
                x,
                filters,
                activation=activation,
                seed=next(seeds),
                dtype=config.dtype_policy,
                name=f"conv{block}_{layer}",
            )
        feature_map, x = x, pool(x, window, dtype=config.dtype_policy, name=f"pool{block}")
    x = keras.layers.Flatten(dtype=config.dtype_policy, name="flatten")(x)
    for layer, units in enumerate(architecture.dense_units, start=1):
        x = keras.layers.Dense(
            units,
            activation=activation,
            kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
            dtype=config.dtype_policy,
            name=f"fc{layer}",
        )(x)
        x = SwitchedDropout(
            dropout, seed=next(seeds), dtype=config.dtype_policy, name=f"dropout{layer}"
        )(x)
    logits = position_logits(
        x,
        num_positions=config.num_positions,
        num_classes=config.num_classes,
        seeds=[next(seeds) for _ in range(config.num_positions)],
    )
    if architecture.glimpses:
        seen = glimpses(
            feature_map,
            x,
            num_positions=config.num_positions,
            num_glimpses=architecture.glimpses,
            channels=architecture.glimpse_channels,
            width=architecture.glimpse_width,
            by_content=architecture.looks_by_content,
            activation=activation,
            seeds=[next(seeds) for _ in range(3 if architecture.looks_by_content else 2)],
            dtype=config.dtype_policy,
        )
        seen = SwitchedDropout(
            dropout, seed=next(seeds), dtype=config.dtype_policy, name="dropout_glimpses"
        )(seen)
        shared = glimpse_logits(seen, num_classes=config.num_classes, seed=next(seeds))
        logits = keras.layers.Add(dtype="float32", name="logits")([logits, shared])
    return keras.Model(image, logits, name=config.name)


def _layer_seeds(seed: int) -> Iterator[int]:
    """A seed for each layer, in the order in which they are built."""
    generator = np.random.default_rng(seed)
    while True:
        yield int(generator.integers(2**31))

"""Networks that were tried in the place of `small`: its widths and heads, something else between.

All take image uint8 `[N, H, W, 3]` to float32 logits `[L * N, K]`, as `model.networks` builds them.
"""

import keras
import numpy as np
from keras import layers

from benchmarks.fused_batch_normalization import FusedBatchNormalization
from model.heads import position_logits
from model.leaky_relu import leaky_relu
from model.networks import NETWORKS, NetworkConfig
from model.standardise import PerImageStandardisation


def batch_normalised(config: NetworkConfig) -> keras.Model:
    """Batch normalisation (Ioffe and Szegedy, https://arxiv.org/abs/1502.03167) of convolutions."""
    return _network(config, is_normalised=True)


def strided(config: NetworkConfig) -> keras.Model:
    """The first convolution takes every second pixel, and no pool follows it."""
    return _network(config, is_strided=True)


def halved(config: NetworkConfig) -> keras.Model:
    """Pictures of half the resolution, the means of 2x2 pixels, and one pool less."""
    return _network(config, is_halved=True)


def _network(
    config: NetworkConfig,
    *,
    is_normalised: bool = False,
    is_strided: bool = False,
    is_halved: bool = False,
) -> keras.Model:
    dtype = config.dtype_policy
    architecture = NETWORKS["small"]
    seeds = iter(np.random.default_rng(config.seed).integers(2**31, size=100).tolist())
    image = keras.Input(config.image_shape, name="image", dtype="uint8")
    x = PerImageStandardisation(dtype=dtype)(image)
    if is_halved:
        x = layers.AveragePooling2D(2, padding="same", dtype=dtype)(x)
    for block, widths in enumerate(architecture.blocks):
        replaces_pool = block == 0 and (is_strided or is_halved)
        for filters in widths:
            x = layers.Conv2D(
                filters,
                3,
                strides=2 if replaces_pool and is_strided else 1,
                padding="same",
                use_bias=not is_normalised,
                kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
                dtype=dtype,
            )(x)
            if is_normalised:
                x = FusedBatchNormalization(dtype=dtype)(x)
            x = layers.Activation(leaky_relu, dtype=dtype)(x)
        if not replaces_pool:
            x = layers.MaxPooling2D(2, padding="same", dtype=dtype)(x)
    x = layers.Flatten(dtype=dtype)(x)
    for units in architecture.dense_units:
        x = layers.Dense(
            units,
            activation=leaky_relu,
            kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
            dtype=dtype,
        )(x)
    logits = position_logits(
        x,
        num_positions=config.num_positions,
        num_classes=config.num_classes,
        seeds=[next(seeds) for _ in range(config.num_positions)],
    )
    return keras.Model(image, logits)

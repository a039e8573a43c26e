"""Networks that were tried in the place of `small`: its widths and heads, something else between.

All take image uint8 `[N, H, W, 3]` to float32 logits `[L * N, K]`, as `model.networks` builds them.
"""

import keras

from benchmarks.fused_batch_normalization import FusedBatchNormalization
from model.networks import NetworkConfig, build_network, convolve, pool

_FIRST_CONVOLUTION, _FIRST_POOL = "conv1_1", "pool1"


def batch_normalised(config: NetworkConfig) -> keras.Model:
    """Batch normalisation (Ioffe and Szegedy, https://arxiv.org/abs/1502.03167) of convolutions."""

    def convolve_and_normalise(x, filters, *, activation, **layer):
        x = convolve(x, filters, activation=None, **layer)
        x = FusedBatchNormalization(dtype=layer["dtype"])(x)
        return keras.layers.Activation(activation, dtype=layer["dtype"])(x)

    return build_network(config, convolve=convolve_and_normalise)


def strided(config: NetworkConfig) -> keras.Model:
    """The first convolution takes every second pixel, and no pool follows it."""

    def convolve_with_stride(x, filters, *, name, **layer):
        strides = 2 if name == _FIRST_CONVOLUTION else 1
        return convolve(x, filters, strides=strides, name=name, **layer)

    return build_network(config, convolve=convolve_with_stride, pool=_pool_from_second)


def halved(config: NetworkConfig) -> keras.Model:
    """Pictures of half the resolution, the means of 2x2 pixels, and one pool less."""

    def halve_and_convolve(x, filters, *, name, **layer):
        if name == _FIRST_CONVOLUTION:
            x = keras.layers.AveragePooling2D(2, padding="same", dtype=layer["dtype"])(x)
        return convolve(x, filters, name=name, **layer)

    return build_network(config, convolve=halve_and_convolve, pool=_pool_from_second)


def _pool_from_second(
    x: keras.KerasTensor, window: tuple[int, int], *, dtype: str, name: str
) -> keras.KerasTensor:
    return x if name == _FIRST_POOL else pool(x, window, dtype=dtype, name=name)

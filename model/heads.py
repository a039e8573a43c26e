"""Parallel softmax heads, one for each character. How logits stand: `model.logit_order`."""

from collections.abc import Sequence

import keras

_POSITION = "position_"  # How the layers are called whose weights belong to an alphabet.
SHARED_HEAD = f"{_POSITION}any"  # The one that reads at all positions.


def position_logits(
    features: keras.KerasTensor, *, num_positions: int, num_classes: int, seeds: Sequence[int]
) -> keras.KerasTensor:
    """L dense heads over shared features, concatenated along the batch.

    Args:
      features: `[N, F]`, symbolic.
      num_positions: L.
      num_classes: K.
      seeds: L of them, for the initial weights.

    Returns:
      float32 `[L * N, K]`, raw logits. No sigmoid in front of the softmax, as the book has: it
      would confine them to [0, 1], where no class can get more than e / (e + K - 1) = 0.23.
    """
    heads = [  # Each [N, K].
        _head(num_classes, seed, f"{_POSITION}{position}")(features)
        for position, seed in zip(range(num_positions), seeds, strict=True)
    ]
    return keras.layers.Concatenate(axis=0, dtype="float32", name="positions_first")(heads)


def glimpse_logits(
    glimpses: keras.KerasTensor, *, num_classes: int, seed: int
) -> keras.KerasTensor:
    """What is read in glimpses `[N, L, C]`, by the same weights at each of the L positions.

    Returns:
      float32 `[L * N, K]`, to be added to the logits of the positions.
    """
    logits = _head(num_classes, seed, SHARED_HEAD)(glimpses)  # [N, L, K]
    return keras.ops.reshape(keras.ops.transpose(logits, (1, 0, 2)), (-1, num_classes))


def is_of_head(path: str) -> bool:
    """Whether the weight of this path has a value for each class, and so belongs to an alphabet."""
    return path.startswith(_POSITION)


def _head(num_classes: int, seed: int, name: str) -> keras.layers.Layer:
    return keras.layers.Dense(
        num_classes,
        # A tenth of Glorot's: the loss begins at ln K, and not at twice that, and features are
        # learned before large logits have to be unlearned (BUILD_NOTES.md, "What breaks the
        # plateau").
        kernel_initializer=keras.initializers.VarianceScaling(
            0.01, mode="fan_avg", distribution="uniform", seed=seed
        ),
        # A bfloat16 logit has 8 bits of mantissa: too few for a loss near 0.001.
        dtype="float32",
        name=name,
    )

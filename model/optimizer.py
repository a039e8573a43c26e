"""The optimizer that the parameters of a run name."""

import keras

from model.muon import ConvolutionMuon
from model.params import ModelParams


def make_optimizer(params: ModelParams, learning_rate) -> keras.optimizers.Optimizer:
    """A fresh optimizer.

    Args:
      params: Says which one, and how long a gradient may be.
      learning_rate: Number or schedule: Adam's. Muon takes it as it is for what it leaves to Adam.
    """
    if params.optimizer == "adam":
        return keras.optimizers.Adam(
            learning_rate, global_clipnorm=params.gradient_clip, name="adam"
        )
    return ConvolutionMuon(learning_rate, global_clipnorm=params.gradient_clip)

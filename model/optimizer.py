"""The optimizer that the parameters of a run name.

Weight decay is decoupled from the gradient: Loshchilov and Hutter, https://arxiv.org/abs/1711.05101.
"""

import keras

from model.muon import ConvolutionMuon
from model.params import ModelParams


def make_optimizer(params: ModelParams, learning_rate) -> keras.optimizers.Optimizer:
    """A fresh optimizer.

    Args:
      params: Says which one, and how long a gradient may be.
      learning_rate: Number or schedule: Adam's. Muon takes it as it is for what it leaves to Adam.
    """
    options = {"global_clipnorm": params.gradient_clip}
    decay = params.weight_decay or None  # Keras multiplies by a decay of 0 too.
    if params.optimizer == "adam":
        optimizer = keras.optimizers.Adam(learning_rate, weight_decay=decay, name="adam", **options)
    else:
        optimizer = ConvolutionMuon(learning_rate, weight_decay=decay, **options)
    # A bias is one number that no other can stand in for, and shrinking it regularises nothing.
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer

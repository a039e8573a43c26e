"""Dead units: channels of a ReLU that are 0 whatever the picture, and so never learn again."""

from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from model.estimator.hooks import Run
from model.warning_hook import WarningHook

# Of one layer. Healthy networks of ours have up to 0.56 in the dense layer, where a unit may stand
# for something rare, and up to 0.04 in the convolutions; one that a learning rate of 0.5 has
# switched off has 0.99 and more (BUILD_NOTES.md, "When it warns").
MOST_DEAD = 0.9
_NUM_EXAMPLES = 256  # Fewer, and units for rare things count as dead.


def relu_layers(net: keras.Model) -> list[keras.layers.Layer]:
    """The ReLU layers of a functional model, in order; of one called several times its first call.

    Returns:
      None at all for a network of another kind, whose layers' outputs nobody can ask for.
    """
    if not isinstance(net, keras.Model) or not getattr(net, "inputs", None):
        return []
    return [layer for layer in net.layers if _is_relu(layer) and _is_within(net, layer)]


def dead_shares_fn(net: keras.Model) -> Callable[..., dict[str, float]]:
    """Compiles a look at the ReLU layers of `net`.

    Returns:
      A function of the network's inputs, a batch of N, to the share in [0, 1] of dead units by the
      name of the layer. A unit is a channel: the last dimension of the layer's output. It is dead
      if it is 0 on each of the N and, in a convolution, at each place.
    """
    layers = relu_layers(net)
    if not layers:
        return lambda inputs: {}
    probe = keras.Model(net.inputs, [layer.output for layer in layers])

    @tf.function(autograph=False)
    def shares(inputs):
        outputs = tf.nest.flatten(probe(inputs, training=False))
        return [tf.reduce_mean(tf.cast(_is_dead(output), tf.float32)) for output in outputs]

    return lambda inputs: {
        layer.name: float(share) for layer, share in zip(layers, shares(inputs), strict=True)
    }


def network_inputs(net: keras.Model, features):
    """What `net` is called with, out of a batch of features: a tensor, or a mapping by name.

    Raises:
      ValueError: If none of the features has the name of an input.
    """
    if not isinstance(features, Mapping):
        return features
    names = [tensor.name for tensor in net.inputs]
    if len(names) == len(features) == 1:
        return next(iter(features.values()))
    missing = [name for name in names if name not in features]
    if missing:
        raise ValueError(
            f"features must have the network's inputs, {', '.join(names)}, received "
            f"{', '.join(features)}. Name the keras.Input {missing[0]!r} like its feature."
        )
    inputs = [features[name] for name in names]
    return inputs[0] if len(inputs) == 1 else inputs


class DeadUnitsWarning(WarningHook):
    """Warns if more than `MOST_DEAD` of a layer are dead on the first examples of an input.

    Does nothing for networks that are no functional Keras model.
    """

    name = "dead_units_warning"

    def __init__(
        self,
        input_fn: Callable[[], tf.data.Dataset],
        every_steps: int = 250,
        num_examples: int = _NUM_EXAMPLES,
    ):
        """Looks at `num_examples` of the dataset that `input_fn` makes: real pictures."""
        super().__init__(every_steps)
        self._input_fn = input_fn
        self._num_examples = num_examples
        self._dead_shares = None  # Compiled when first needed.

    def _look(self, run: Run, window: Mapping[str, np.ndarray]) -> None:
        if not run.is_chief:
            return  # One look is enough.
        if self._dead_shares is None:
            self._dead_shares = dead_shares_fn(run.net)
            self._pictures = self._first_inputs(run.net) if relu_layers(run.net) else None
        shares = self._dead_shares(self._pictures)
        dead = {name: share for name, share in shares.items() if share > MOST_DEAD}
        if dead:
            listed = ", ".join(f"{name} {share:.0%}" for name, share in dead.items())
            self._warn(run, "dead_units", f"most units are dead, 0 on every picture: {listed}")

    def _first_inputs(self, net: keras.Model):
        dataset = self._input_fn().map(lambda features, *_: network_inputs(net, features))
        return next(iter(dataset.unbatch().batch(self._num_examples)))


def _is_dead(output: tf.Tensor) -> tf.Tensor:
    """Bool `[channels]`."""
    return tf.logical_not(tf.reduce_any(output > 0, axis=range(output.shape.rank - 1)))


def _is_relu(layer: keras.layers.Layer) -> bool:
    if isinstance(layer, keras.layers.ReLU):
        return True
    return getattr(layer, "activation", None) is keras.activations.relu


def _is_within(net: keras.Model, layer: keras.layers.Layer) -> bool:
    """Whether the layer's (first) output follows from the network's own inputs."""
    try:
        return keras.Model(net.inputs, layer.output) is not None
    except (AttributeError, ValueError):  # Never called, or first in another network.
        return False

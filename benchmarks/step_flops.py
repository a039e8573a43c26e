"""Floating-point operations of a training step, counted from the shapes of a network's layers.

A product and its sum are two operations. Of each convolution and dense layer there are as many
forward, backward by its inputs and backward by its weights; the first layer has none by its inputs,
as nobody asks for the gradient of a picture. Windows at a border count whole, as is usual, though
no zero is multiplied there. What is left out (pools, ReLU, the means of glimpses, standardisation,
the optimizer) is a few operations a value.
"""

import dataclasses
import math

PASSES = ("forward", "by_inputs", "by_weights")


@dataclasses.dataclass(frozen=True)
class LayerFlops:
    """One layer of a step."""

    name: str
    shapes: dict[str, str]  # Pass to what oneDNN calls a problem of this shape.
    flops: int  # Of each pass.
    has_inputs_pass: bool

    def of_pass(self, name: str) -> int:
        """Operations of one of `PASSES`."""
        return 0 if name == "by_inputs" and not self.has_inputs_pass else self.flops


def count_flops(network, batch_size: int) -> list[LayerFlops]:
    """Operations of each layer of a Keras model that multiplies, in the order of the model."""
    found = []
    for layer in network.layers:
        if not hasattr(layer, "kernel"):
            continue
        kernel = tuple(layer.kernel.shape)
        if len(kernel) == 4:
            flops, shapes = _convolution(layer, kernel, batch_size)
        else:
            rows = batch_size * math.prod(layer.output.shape[1:-1])  # Of glimpses, one a position.
            flops, shapes = _dense(kernel, rows)
        found.append(LayerFlops(layer.name, shapes, flops, has_inputs_pass=bool(found)))
    return found


def total_flops(layers: list[LayerFlops], name: str | None = None) -> int:
    """Operations of a step, or of one of its `PASSES`."""
    return sum(layer.of_pass(one) for layer in layers for one in PASSES if name in (None, one))


def _convolution(layer, kernel, batch_size: int) -> tuple[int, dict[str, str]]:
    _, height, width, _ = layer.input.shape
    places = math.prod(layer.output.shape[1:3])
    shape = f"ic{kernel[2]}oc{kernel[3]}_ih{height}_iw{width}"
    return 2 * batch_size * places * math.prod(kernel), {
        "forward": f"convolution forward {shape}",
        "by_inputs": f"convolution by_inputs {shape}",
        "by_weights": f"convolution by_weights {shape}",
    }


def _dense(kernel, n: int) -> tuple[int, dict[str, str]]:
    inputs, units = kernel
    return 2 * n * inputs * units, {
        "forward": f"matmul {n}x{inputs}:{inputs}x{units}",
        "by_inputs": f"matmul {n}x{units}:{units}x{inputs}",
        "by_weights": f"matmul {inputs}x{n}:{n}x{units}",
    }

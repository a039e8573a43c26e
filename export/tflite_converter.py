"""The network as a TFLite flatbuffer."""

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from export.held_output import held_output

# Standardisation and softmax.
_IN_FLOATS = (
    *("CAST", "MEAN", "SUB", "SQUARED_DIFFERENCE", "SQRT", "RSQRT", "MAXIMUM", "DIV", "MUL"),
    *("SUM", "SOFTMAX"),
)


def to_tflite(
    read: tf.types.experimental.PolymorphicFunction,
    variables: Sequence[tf.Variable],
    variant: str,
    pictures: np.ndarray | None = None,
) -> bytes:
    """Converts `light_network(...)`.

    Args:
      read: What to convert.
      variables: All that it uses.
      variant: See `export.variants`.
      pictures: uint8 `[P, H, W, 3]`, to measure ranges on; int8_full needs them.
    """
    # Plain variables in a plain module: an object that holds the Keras model converts to NaN.
    module = tf.Module()
    module.net_variables = list(variables)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [read.get_concrete_function()], module
    )
    if variant != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    with held_output():
        return converter.convert() if variant != "int8_full" else _calibrated(converter, pictures)


def _calibrated(converter: tf.lite.TFLiteConverter, pictures: np.ndarray) -> bytes:
    """Layers in integers, with ranges measured on `pictures`."""

    def batches() -> Iterator[list[np.ndarray]]:
        return ([picture[None]] for picture in pictures)

    converter.representative_dataset = batches
    # Pictures differ in contrast, so that in 8 bits a faint one's deviation would be 0.
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=list(_IN_FLOATS))
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=batches, debug_options=options
    )
    return debugger.get_nondebug_quantized_model()

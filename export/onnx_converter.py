"""The network as an ONNX model."""

import pathlib
import tempfile

import numpy as np
import tensorflow as tf

from export.held_output import held_output
from export.light_reader import IMAGE

_OPSET = 18  # onnxruntime since 1.14.
_CALIBRATION_BATCH = 32


def to_onnx(
    read: tf.types.experimental.PolymorphicFunction,
    variant: str,
    pictures: np.ndarray | None = None,
) -> bytes:
    """Converts `light_network(...)`.

    Args:
      read: What to convert.
      variant: See `export.variants`.
      pictures: uint8 `[P, H, W, 3]`, to measure ranges on; int8 needs them.
    """
    import tf2onnx

    with held_output():
        model, _ = tf2onnx.convert.from_function(
            read, input_signature=read.input_signature, opset=_OPSET
        )
        network = model.SerializeToString()
        return network if variant == "float32" else _in_8_bits(network, pictures)


def _in_8_bits(network: bytes, pictures: np.ndarray) -> bytes:
    from onnxruntime import quantization

    class Pictures(quantization.CalibrationDataReader):
        def __init__(self):
            self._batches = iter(range(0, len(pictures), _CALIBRATION_BATCH))

        def get_next(self):
            start = next(self._batches, None)
            return None if start is None else {IMAGE: pictures[start : start + _CALIBRATION_BATCH]}

    with tempfile.TemporaryDirectory() as folder:
        whole, small = pathlib.Path(folder) / "whole.onnx", pathlib.Path(folder) / "small.onnx"
        whole.write_bytes(network)
        quantization.quantize_static(
            whole,
            small,
            Pictures(),
            # What the time goes to. The standardisation stays in floats, as pixels differ in range.
            op_types_to_quantize=["Conv", "MatMul", "MaxPool"],
            per_channel=True,
            # Weights in 7 bits. Processors without VNNI add two products of 8 bits up in 16, where
            # those of larger weights do not fit: such a file read nothing on AVX2.
            reduce_range=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
        return small.read_bytes()

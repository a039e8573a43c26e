"""How the numbers of a `.tflite` or `.onnx` file may be kept, and how near each must stay.

float32: as trained.
float16: weights in half the room, unpacked to float32 when the file is loaded. TFLite only.
int8: weights in 8 bits, in .onnx 7, and activations in 8. TFLite finds each picture's own ranges
  while it reads; onnxruntime does that ten times slower than float32, so its ranges are measured on
  training pictures when it is exported.
int8_full: TFLite with ranges that are measured on training pictures as well, for devices that
  compute in integers only.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from export.light_file import ONNX, TFLITE


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variant:
    """What is asked of one.

    Attributes:
      largest_difference: Of any probability from the network's own. 1: not asked for.
      mean_difference: Of all probabilities.
      needs_pictures: Formats that measure ranges on training pictures.
    """

    largest_difference: float
    mean_difference: float
    needs_pictures: tuple[str, ...] = ()


VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        "float32": Variant(largest_difference=1e-4, mean_difference=1e-4),
        # Half floats keep 11 bits, so logits move by about 1e-3 of their size.
        "float16": Variant(largest_difference=0.05, mean_difference=1e-3),
        # One doubtful character may tip over; a network that is broken is far off everywhere.
        "int8": Variant(largest_difference=1, mean_difference=0.02, needs_pictures=(ONNX,)),
        "int8_full": Variant(largest_difference=1, mean_difference=0.02, needs_pictures=(TFLITE,)),
    }
)
OF_FORMAT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {TFLITE: tuple(VARIANTS), ONNX: ("float32", "int8")}
)


def file_name(suffix: str, variant: str) -> str:
    """`model.tflite`, `model_int8.onnx`."""
    return f"model{'' if variant == 'float32' else f'_{variant}'}{suffix}"

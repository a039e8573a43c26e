"""The network of `exported_network` as .tflite and .onnx files, in every variant."""

import pathlib

import exported_network
import numpy as np

from export.light_export import LightFiles, write_light_files
from export.light_file import LightDescription
from export.variants import OF_FORMAT
from model.estimator.tf_variables import tf_variable

NAMES = (
    *("model.tflite", "model_float16.tflite", "model_int8.tflite", "model_int8_full.tflite"),
    *("model.onnx", "model_int8.onnx"),
)
DESCRIPTION = LightDescription(
    image_shape=exported_network.IMAGE_SHAPE,
    alphabet=exported_network.ALPHABET,
    num_positions=exported_network.NUM_POSITIONS,
    has_blank=False,
    variant="float32",
    step=7,
)
ALL = LightFiles(tflite=OF_FORMAT[".tflite"], onnx=OF_FORMAT[".onnx"])


def write(
    net,
    folder: pathlib.Path,
    files: LightFiles = ALL,
    description: LightDescription = DESCRIPTION,
    pictures: np.ndarray | None = None,
) -> pathlib.Path:
    """Writes the files of `NAMES`, or some of them, into `folder`.

    8 bits are measured on `pictures`, by default those of `exported_network`.
    """
    variables = [tf_variable(variable) for variable in net.variables]
    if pictures is None:
        pictures = exported_network.pictures(40, seed=3)
    write_light_files(files, folder, net, variables, description, pictures)
    return folder

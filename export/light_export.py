""".tflite and .onnx files of a network, each read back and compared with it before it counts."""

import dataclasses
import importlib.util
import pathlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from export.light_file import ONNX, TFLITE, LightDescription, write_light_file
from export.light_network import light_network
from export.light_reader import PACKAGES, PROBABILITIES, LightReader
from export.onnx_converter import to_onnx
from export.tflite_converter import to_tflite
from export.variants import OF_FORMAT, VARIANTS, file_name

_NEEDED = {
    TFLITE: {"ai_edge_litert": PACKAGES[TFLITE]},
    ONNX: {"onnxruntime": PACKAGES[ONNX], "onnx": "onnx", "tf2onnx": "tf2onnx"},
}
_NUM_PICTURES = 32  # To compare on.


@dataclasses.dataclass(frozen=True, kw_only=True)
class LightFiles:
    """Which files to write.

    Raises:
      ValueError: If a variant is unknown or a package is missing.
    """

    tflite: tuple[str, ...] = ()  # Variants, see `export.variants`.
    onnx: tuple[str, ...] = ()

    def __post_init__(self):
        for suffix, variants in self.variants.items():
            for variant in variants:
                if variant not in OF_FORMAT[suffix]:
                    raise ValueError(
                        f"`{suffix[1:]}` must be some of {', '.join(OF_FORMAT[suffix])}, received "
                        f"{variant!r}. Choose of these, with commas between them."
                    )
            missing = [
                package
                for module, package in _NEEDED[suffix].items()
                if variants and importlib.util.find_spec(module) is None
            ]
            if missing:
                raise ValueError(
                    f"packages must be installed for --{suffix[1:]}, received an environment "
                    f"without {', '.join(missing)}. pip install {' '.join(missing)} "
                    "-c requirements-dev.lock"
                )

    @property
    def variants(self) -> Mapping[str, tuple[str, ...]]:
        """By format."""
        return {TFLITE: self.tflite, ONNX: self.onnx}

    @property
    def needs_pictures(self) -> bool:
        """Whether ranges are to be measured on training pictures."""
        return any(
            suffix in VARIANTS[variant].needs_pictures
            for suffix, variants in self.variants.items()
            for variant in variants
        )


def write_light_files(
    files: LightFiles,
    folder: pathlib.Path,
    net: Callable[..., tf.Tensor],
    variables: Sequence[tf.Variable],
    description: LightDescription,
    pictures: np.ndarray | None = None,
) -> None:
    """Writes them into `folder`, under their `variants.file_name`s.

    Args:
      files: Which.
      folder: Is there.
      net: As for `export.signatures`.
      variables: All that `net` uses.
      description: Goes with each file; its `variant` is replaced.
      pictures: uint8 `[P, H, W, 3]` of the kind that is read, where `files.needs_pictures`.

    Raises:
      ValueError: If a file does not read what the network reads.
    """
    read = light_network(net, description.image_shape, description.num_positions)
    for suffix, variants in files.variants.items():
        for variant in variants:
            if suffix == TFLITE:
                network = to_tflite(read, variables, variant, pictures)
            else:
                network = to_onnx(read, variant, pictures)
            path = folder / file_name(suffix, variant)
            write_light_file(path, network, dataclasses.replace(description, variant=variant))
            measured = suffix in VARIANTS[variant].needs_pictures
            # Beyond the ranges of its pictures such a file is coarse, and need not be better.
            _check(
                path,
                variant,
                read,
                pictures[:_NUM_PICTURES] if measured else _noise(description.image_shape),
            )


def _noise(image_shape: tuple[int, int, int]) -> np.ndarray:
    """Pictures of noise, of many contrasts."""
    rng = np.random.default_rng((0, *image_shape))
    noise = rng.integers(0, 256, [_NUM_PICTURES, *image_shape])
    contrast = np.linspace(0.05, 1, _NUM_PICTURES).reshape(-1, 1, 1, 1)
    return (noise * contrast).astype(np.uint8)


def _check(path: pathlib.Path, variant: str, read: Callable, pictures: np.ndarray) -> None:
    """Refuses a file that reads something else than the network.

    Raises:
      ValueError: With the difference.
    """
    own = read(pictures)[PROBABILITIES].numpy()
    difference = np.abs(LightReader(path).read_images(pictures).probabilities - own)
    asked = VARIANTS[variant]
    largest, mean = float(difference.max()), float(difference.mean())
    # Not the other way round: NaN is below nothing.
    if not (largest <= asked.largest_difference and mean <= asked.mean_difference):
        raise ValueError(
            f"{path.name} must give the network's probabilities, within "
            f"{asked.largest_difference:g} and {asked.mean_difference:g} on average, received some "
            f"{largest:.3g} and {mean:.3g} away. Nothing was exported; leave this variant out."
        )

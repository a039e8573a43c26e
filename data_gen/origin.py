"""What the pictures of a dataset depend on: enough to make them again, byte for byte."""

import dataclasses
import hashlib
import importlib.metadata
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import PIL.features

from data_gen.example import SPLIT_IDS
from data_gen.style import Style

GENERATOR = "data_gen"
_PACKAGES = ("captcha", "numba", "numpy", "pillow")


def origin(config: Any) -> dict[str, Any]:
    """What provenance.json says of a `GenerateConfig`. No times, no host: equal runs, equal files.

    What it leaves out is in the description of the dataset: the counts, the encoding, the map.
    """
    style = config.style
    return {
        "generator": GENERATOR,
        "seed": config.seed,
        "split_ids": SPLIT_IDS,
        "renderer": config.renderer,
        "style": dataclasses.asdict(style),
        # The style has their paths, these say which files they were.
        "fonts": file_hashes(style.fonts),
        "background_pictures": file_hashes(style.background_paths),
        "versions": versions(),
    }


def style_of(origin: Mapping[str, Any]) -> Style:
    """The style that `origin` wrote down.

    Raises:
      ValueError: If its files are not those that were drawn with, or it is no style.
    """
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in origin["style"].items()
    }
    style = Style(**values)
    for what, paths in (("fonts", style.fonts), ("background_pictures", style.background_paths)):
        for path, wanted, received in zip(paths, origin[what], file_hashes(paths), strict=True):
            if wanted != received:
                raise ValueError(
                    f"{path} must be the file that the dataset was drawn with, SHA-256 "
                    f"{wanted['sha256']}, received {received['sha256']}. Put the original back."
                )
    return style


def file_hashes(paths: Sequence[str]) -> list[dict[str, str]]:
    """Name and SHA-256 of each file."""
    return [
        {
            "file": pathlib.Path(path).name,
            "sha256": hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest(),
        }
        for path in paths
    ]


def versions() -> dict[str, str]:
    """Of everything that draws."""
    return {
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
        "freetype": PIL.features.version("freetype2"),
    }

"""What a trained network reads: kept as `model.json` beside its checkpoints."""

import dataclasses
import json
import os
import pathlib
from typing import Any

_FILE = "model.json"
_IN_EXPORT = pathlib.PurePath("assets.extra", _FILE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """Network, picture size and alphabet. Two equal descriptions can share checkpoints."""

    net: str  # A key of `model.networks.NETWORKS`.
    image_shape: tuple[int, int, int]  # Height, width, 3.
    alphabet: str  # Class k is character k.
    num_positions: int  # Characters of a captcha; of the longest, if they vary.
    has_blank: bool = False  # Whether they vary: class len(alphabet) then stands for none.
    activation: str = "relu"  # Of its layers. The default is what all had that do not say.

    @property
    def num_classes(self) -> int:
        """What the network decides between at a position."""
        return len(self.alphabet) + self.has_blank


def save_description(description: ModelDescription, model_dir: str | os.PathLike) -> None:
    """Writes `model.json`, whole or not at all."""
    path = pathlib.Path(model_dir) / _FILE
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(dataclasses.asdict(description), indent=2) + "\n")
    os.replace(partial, path)


def has_description(model_dir: str | os.PathLike) -> bool:
    """Whether something was trained, or begun, in `model_dir`."""
    return (pathlib.Path(model_dir) / _FILE).exists()


def load_description(model_dir: str | os.PathLike) -> ModelDescription:
    """Reads `model.json`; an older one has no `has_blank` and no `activation`.

    Raises:
      ValueError: If `model_dir` has none, so that nothing was trained there, or it is damaged.
    """
    path = pathlib.Path(model_dir) / _FILE
    try:
        return _described(json.loads(path.read_text()))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ValueError(
            f"`model_dir` must hold a trained model, received {str(model_dir)!r} without {_FILE}. "
            f"Train one: python train.py --flagfile=configs/captcha.flags --model_dir={model_dir}"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} must be as train.py wrote it, received one that cannot be read ({error}). "
            "Put the original back or train into another --model_dir."
        ) from error


def description_in(path: str | os.PathLike) -> ModelDescription:
    """What a model.json of a model_dir or of an export says, which says more than this.

    Raises:
      ValueError: If it cannot be read.
    """
    try:
        values = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        known = {
            field.name: values[field.name]
            for field in dataclasses.fields(ModelDescription)
            if field.name in values
        }
        return _described(known)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} must say what the network beside it reads, received one that cannot be read "
            f"({error}). Put the original back."
        ) from error


def description_beside(checkpoint: str | os.PathLike) -> ModelDescription | None:
    """What the network of a checkpoint reads; None if nothing there says it.

    Args:
      checkpoint: Path without suffix, as `model.estimator.warm_start.checkpoint_of` gives it; of an
        export, that of its variables.

    Raises:
      ValueError: If what says it cannot be read.
    """
    folder = pathlib.Path(checkpoint).parent
    # The best checkpoint is in a folder of its own, below the others.
    for path in (folder / _FILE, folder.parent / _FILE, folder.parent / _IN_EXPORT):
        if path.exists():
            return description_in(path)
    return None


def _described(values: dict[str, Any]) -> ModelDescription:
    return ModelDescription(**{**values, "image_shape": tuple(values["image_shape"])})


def check_same(trained: ModelDescription, wanted: ModelDescription, model_dir: str) -> None:
    """Refuses data or a network that the checkpoints of `model_dir` were not made for.

    Raises:
      ValueError: Names every difference, the trained value first.
    """
    differences = [
        f"{field.name} {getattr(trained, field.name)!r} against {getattr(wanted, field.name)!r}"
        for field in dataclasses.fields(ModelDescription)
        if getattr(trained, field.name) != getattr(wanted, field.name)
    ]
    if differences:
        raise ValueError(
            f"data and network must be those that {model_dir} was trained with, received another: "
            f"{'; '.join(differences)}. Choose another --model_dir, or the data it was trained on."
        )

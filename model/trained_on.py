"""Which data a model was trained on: kept as `trained_on.json` beside its checkpoints.

The place in the data is part of a checkpoint, so training goes on with the same data or not at all.
"""

import dataclasses
import json
import os
import pathlib

_FILE = "trained_on.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainedOn:
    """What is remembered of a dataset."""

    data_dir: str  # As it was called.
    generator: str  # What made it.
    identity: str  # Equal for equal data, wherever it lies.


def check_trained_on(data: TrainedOn, model_dir: str | os.PathLike) -> None:
    """Refuses other data than `model_dir` has been trained on so far.

    Raises:
      ValueError: If there has been training on other data.
    """
    before = load_trained_on(model_dir)
    if before is not None and before.identity != data.identity:
        raise ValueError(
            f"`data_dir` must be the dataset that {model_dir} was trained on so far, "
            f"{before.data_dir!r}, as it goes on from its place in it, received {data.data_dir!r} "
            "with other data. Train into another --model_dir."
        )


def save_trained_on(data: TrainedOn, model_dir: str | os.PathLike) -> None:
    """Writes `trained_on.json`, whole or not at all."""
    path = pathlib.Path(model_dir) / _FILE
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(dataclasses.asdict(data), indent=2) + "\n")
    os.replace(partial, path)


def load_trained_on(model_dir: str | os.PathLike) -> TrainedOn | None:
    """Reads `trained_on.json`; None if nothing was trained there.

    Raises:
      ValueError: If it is damaged.
    """
    path = pathlib.Path(model_dir) / _FILE
    try:
        return TrainedOn(**json.loads(path.read_text()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path} must be as train.py wrote it, received one that cannot be read ({error}). "
            "Put the original back or train into another --model_dir."
        ) from error

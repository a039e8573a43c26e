"""Where an evaluation's results go: to the model's own folder, or to one of the dataset's name."""

import pathlib
import re

from model.trained_on import load_trained_on
from training.config import TrainConfig


def evaluation_name(config: TrainConfig, dataset) -> str | None:
    """None for the data that the model was trained on, else a name made of the dataset's.

    So an evaluation on other data does not take the place of the training's own.
    """
    own = load_trained_on(config.model_dir)
    if own is None or own.identity == dataset.identity:
        return None
    name = config.data_dir if config.is_live else pathlib.Path(config.data_dir).resolve().name
    return re.sub(r"[^\w.=-]+", "_", name).strip("_.") or "other"

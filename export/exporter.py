"""From a trained `model_dir` to a SavedModel in a new version folder."""

import dataclasses
import json
import os
import pathlib
import tempfile
from typing import NamedTuple

from export.signatures import captcha_signatures
from model.captcha_estimator import load_estimator
from model.estimator import best_checkpoint
from model.estimator.checkpoints import newest_whole_checkpoint
from model.trained_on import load_trained_on

CHECKPOINTS = ("newest", "best")  # The last step; or the one that the evaluations liked best.
_DESCRIPTION = "model.json"  # Under assets.extra/: for people; TensorFlow Serving ignores it.
_ENDED_BEFORE = {"newest": "", "best": " evaluation"}
_CHECKPOINT = {"newest": newest_whole_checkpoint, "best": best_checkpoint}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """What to export, and where to; each field is a flag.

    Raises:
      ValueError: If `out` is a file, or `checkpoint` is none of `CHECKPOINTS`.
    """

    model_dir: str = "models/captcha"
    out: str = "exports/captcha"  # Version folders go in here; the highest is the one to serve.
    checkpoint: str = "newest"

    def __post_init__(self):
        if self.checkpoint not in CHECKPOINTS:
            raise ValueError(
                f"`checkpoint` must be one of {', '.join(CHECKPOINTS)}, received "
                f"{self.checkpoint!r}. Choose one."
            )
        if os.path.exists(self.out) and not os.path.isdir(self.out):
            raise ValueError(
                f"`out` must be a folder, received {self.out!r}, a file. Choose another --out."
            )


class Exported(NamedTuple):
    """What was written."""

    path: pathlib.Path  # The version folder.
    step: int  # Of the checkpoint that is in it.


def export_model(config: ExportConfig) -> Exported:
    """Exports a checkpoint of `config.model_dir` under `config.out`.

    The network is float32 in whatever precision it was trained. `assets.extra/model.json` has the
    fields of `ModelDescription`, among them `has_blank`, and the `step`.

    Raises:
      ValueError: If nothing was trained in `model_dir`.
      OSError: If writing fails. No version folder is there then.
    """
    estimator, description = load_estimator(config.model_dir)
    # Looked up once: a training that is still running may write the next one meanwhile.
    checkpoint = _CHECKPOINT[config.checkpoint](config.model_dir)
    if checkpoint is None:
        raise ValueError(
            f"`model_dir` must hold a checkpoint, received {config.model_dir!r} without one: its "
            f"training ended before the first{_ENDED_BEFORE[config.checkpoint]}. Go on: python "
            "train.py "
            f"--flagfile={os.path.join(config.model_dir, 'flags.txt')}"
        )
    step = int(checkpoint.rpartition("-")[2])  # ckpt-<step>
    with tempfile.TemporaryDirectory() as folder:
        described = pathlib.Path(folder) / _DESCRIPTION
        values = {**dataclasses.asdict(description), "step": step}
        trained_on = load_trained_on(config.model_dir)
        if trained_on is not None:
            values["trained_on"] = dataclasses.asdict(trained_on)
        described.write_text(json.dumps(values, indent=2) + "\n")
        path = estimator.export_saved_model(
            config.out,
            lambda net: captcha_signatures(
                net,
                image_shape=description.image_shape,
                alphabet=description.alphabet,
                num_positions=description.num_positions,
            ),
            assets_extra={_DESCRIPTION: described},
            checkpoint_path=checkpoint,
        )
    return Exported(path=pathlib.Path(path), step=step)

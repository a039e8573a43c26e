"""The checkpoint of the best evaluation, in `best/` of the model_dir, out of reach of its removal.

`best/best.json` says which it is (`metric`, `value`, `global_step`, `checkpoint`) and is replaced
when the files of the new one are whole; those of the one before are removed afterwards. So there is
a whole best checkpoint at every moment, once there is one.
"""

import dataclasses
import os
import pathlib
import shutil
from collections.abc import Mapping

from model.estimator.best_record import BestRecord, read_record, write_record
from model.estimator.evaluated_metric import check_direction
from model.estimator.training_log import log

_FOLDER = "best"
_RECORD = "best.json"


def best_checkpoint(model_dir: str | os.PathLike) -> str | None:
    """The path of the best checkpoint, without suffix; None if none has been kept.

    Raises:
      ValueError: If `best.json` is damaged.
    """
    folder = pathlib.Path(model_dir) / _FOLDER
    record = read_record(folder / _RECORD)
    return str(folder / record["checkpoint"]) if record else None


@dataclasses.dataclass(frozen=True)
class KeepBest:
    """Keeps the checkpoint of the best evaluation.

    Attributes:
      metric: A name in what `Estimator.evaluate` returns. NaN is never best.
      higher_is_better: False for an error; the loss requires it.

    Raises:
      ValueError: If a higher loss is called better.
    """

    metric: str
    higher_is_better: bool = True

    def __post_init__(self):
        check_direction(self.metric, higher_is_better=self.higher_is_better)

    def keep(
        self, model_dir: str | os.PathLike, checkpoint_path: str, evaluation: Mapping[str, float]
    ) -> str | None:
        """Keeps `checkpoint_path` if `evaluation` is better than all before.

        May be called again with the same evaluation, after a kill.

        Args:
          model_dir: Of the run.
          checkpoint_path: Of the evaluation, without suffix; in the model_dir.
          evaluation: What `Estimator.evaluate` returned.

        Returns:
          The path where it is kept, without suffix; None if it is not better.

        Raises:
          ValueError: If there is no such metric, or `best.json` is damaged.
          OSError: If the files cannot be written.
        """
        folder = pathlib.Path(model_dir) / _FOLDER
        best = BestRecord(folder / _RECORD, self.metric, higher_is_better=self.higher_is_better)
        is_better = best.is_beaten_by(evaluation)
        if is_better:
            _step_aside(folder, checkpoint_path)
            _put(checkpoint_path, folder)
            best.write(evaluation, checkpoint=pathlib.Path(checkpoint_path).name)
        _remove_others(folder)
        if not is_better:
            return None
        path = best_checkpoint(model_dir)
        log(
            "best  | step %6d | %s %.4f | %s",
            evaluation["global_step"],
            self.metric,
            evaluation[self.metric],
            path,
        )
        return path


def _step_aside(folder: pathlib.Path, checkpoint_path: str) -> None:
    """Gives the best one another name if that of `checkpoint_path` is its own.

    That happens where a run has begun anew: its step 1000 is another than the step 1000 before.
    """
    record = read_record(folder / _RECORD)
    name = pathlib.Path(checkpoint_path).name
    if record is None or record["checkpoint"] != name:
        return
    aside = f"before-{name}"
    _put(str(folder / name), folder, name=aside)
    write_record(folder / _RECORD, {**record, "checkpoint": aside})


def _put(checkpoint_path: str, folder: pathlib.Path, name: str | None = None) -> None:
    """Puts the files of a checkpoint into `folder`; none counts before `best.json` says so."""
    source = pathlib.Path(checkpoint_path)
    folder.mkdir(parents=True, exist_ok=True)
    for file in list(source.parent.glob(f"{source.name}.*")):
        target = folder / f"{name or source.name}{file.name.removeprefix(source.name)}"
        partial = folder / f"partial-{target.name}"
        partial.unlink(missing_ok=True)
        try:
            os.link(file, partial)
        except OSError:  # Another file system than that of the model_dir, or one without links.
            shutil.copyfile(file, partial)
        os.replace(partial, target)


def _remove_others(folder: pathlib.Path) -> None:
    """Removes what is not of the best checkpoint: the one before, and what a kill has left."""
    record = read_record(folder / _RECORD)
    if record is None:
        return
    for file in folder.iterdir():
        if file.name != _RECORD and not file.name.startswith(f"{record['checkpoint']}."):
            file.unlink()

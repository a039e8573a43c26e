"""Exporters: what `train_and_evaluate` exports after an evaluation, by itself.

Each has a folder `export/<name>` in the model_dir, with a numeric version folder an export, which
appears whole or not at all. `assets.extra/exported_from.json` in a version says which checkpoint it
was made of, and how that was evaluated. A checkpoint is exported once: an exporter that was killed
half-way can be called again with the same evaluation.
"""

import abc
import hashlib
import json
import math
import os
import pathlib
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping

from model.estimator.best_record import BestRecord
from model.estimator.checks import check_count
from model.estimator.estimator import Estimator
from model.estimator.evaluated_metric import check_direction
from model.estimator.exporting import SignaturesFn, versions_in
from model.estimator.training_log import log

Assets = Mapping[str, str | os.PathLike]  # Path in `assets.extra/` to path here.

_ORIGIN = "exported_from.json"
_PARTIAL = "partial-"  # How exporting.py, too, begins the names of what is not whole.


class Exporter(abc.ABC):
    """Exports after an evaluation, or does not.

    Attributes:
      name: Of its folder.
    """

    name: str

    @abc.abstractmethod
    def export(
        self,
        estimator: Estimator,
        export_path: str | os.PathLike,
        checkpoint_path: str,
        eval_result: Mapping[str, float],
        is_the_final_export: bool,
    ) -> str | None:
        """Exports if the evaluation asks for it.

        May be called again with the same evaluation, after a kill, and does nothing twice.

        Args:
          estimator: What to export; stands at `checkpoint_path`.
          export_path: This exporter's own folder; perhaps not there yet.
          checkpoint_path: Of the evaluation, without suffix.
          eval_result: What `Estimator.evaluate` returned.
          is_the_final_export: Whether training has ended.

        Returns:
          The path of the version folder; None if nothing was to be exported.
        """


class _VersionsExporter(Exporter):
    """Keeps versions of SavedModels. The constructor is that of all three below."""

    def __init__(
        self,
        name: str,
        signatures_fn: SignaturesFn,
        *,
        assets_extra: Assets | Callable[[Estimator], Assets] | None = None,
        exports_to_keep: int | None = 5,
    ):
        """Nothing is written yet.

        Args:
          name: Of the folder; letters, numbers, "_", "-" and ".".
          signatures_fn: As for `Estimator.export_saved_model`.
          assets_extra: The same, or what makes it from the Estimator when it is needed.
          exports_to_keep: The newest ones; None: all.

        Raises:
          ValueError: If `name` is no plain name, or `exports_to_keep` no count.
        """
        if not re.fullmatch(r"\w[\w.-]*", name):
            raise ValueError(
                f"`name` must be a plain folder name, received {name!r}. Try 'latest'."
            )
        check_count("exports_to_keep", exports_to_keep)
        self.name = name
        self._signatures_fn = signatures_fn
        self._assets_extra = assets_extra
        self._exports_to_keep = exports_to_keep

    def _export_once(
        self, estimator: Estimator, folder: pathlib.Path, checkpoint_path: str, eval_result: Mapping
    ) -> str:
        """Exports unless there is a version of this very checkpoint; returns its path."""
        _remove_leftovers(folder)
        origin = {
            "global_step": int(eval_result["global_step"]),
            # It holds the checksum of every tensor, and so tells weights apart, not just steps.
            "index_sha256": _sha256(f"{checkpoint_path}.index"),
        }
        for version in versions_in(folder):
            if _origin_of(version).items() >= origin.items():
                return str(version)
        assets = self._assets_extra
        with tempfile.TemporaryDirectory() as scratch:
            file = pathlib.Path(scratch) / _ORIGIN
            file.write_text(json.dumps({**origin, **_finite(eval_result)}, indent=2) + "\n")
            path = estimator.export_saved_model(
                folder,
                self._signatures_fn,
                assets_extra={
                    **((assets(estimator) if callable(assets) else assets) or {}),
                    _ORIGIN: file,
                },
                checkpoint_path=checkpoint_path,
            )
        log("export | step %6d | %s", origin["global_step"], path)
        return path

    def _remove_old(self, folder: pathlib.Path) -> None:
        """Removes all versions but the newest; a version disappears at once."""
        if self._exports_to_keep is None:
            return
        for version in versions_in(folder)[: -self._exports_to_keep]:
            gone = version.with_name(f"{_PARTIAL}{version.name}")
            version.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)


class LatestExporter(_VersionsExporter):
    """Exports after every evaluation, and keeps the newest versions."""

    def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
        """See `Exporter.export`."""
        folder = pathlib.Path(export_path)
        path = self._export_once(estimator, folder, checkpoint_path, eval_result)
        self._remove_old(folder)
        return path


class FinalExporter(LatestExporter):
    """Exports when training has ended."""

    def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
        """See `Exporter.export`."""
        if not is_the_final_export:
            return None
        return super().export(
            estimator, export_path, checkpoint_path, eval_result, is_the_final_export
        )


class BestExporter(_VersionsExporter):
    """Exports after an evaluation that is better than all before, in this process or another.

    The best value is kept in `best.json` in the folder: `metric`, `value`, `global_step` and
    `version`. So a restarted run never exports a model that is worse or only as good.
    """

    def __init__(
        self,
        name: str,
        signatures_fn: SignaturesFn,
        *,
        metric: str,
        higher_is_better: bool,
        assets_extra: Assets | Callable[[Estimator], Assets] | None = None,
        exports_to_keep: int | None = 5,
    ):
        """Nothing is written yet.

        Args:
          name: See `LatestExporter`.
          signatures_fn: The same.
          metric: A name in what `Estimator.evaluate` returns. NaN is never best.
          higher_is_better: False for a loss or another error.
          assets_extra: See `LatestExporter`.
          exports_to_keep: The same; the newest one is the best.

        Raises:
          ValueError: As there, or if a higher loss is called better.
        """
        super().__init__(
            name, signatures_fn, assets_extra=assets_extra, exports_to_keep=exports_to_keep
        )
        check_direction(metric, higher_is_better=higher_is_better)
        self._metric = metric
        self._higher_is_better = higher_is_better

    def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
        """See `Exporter.export`."""
        folder = pathlib.Path(export_path)
        best = BestRecord(
            folder / "best.json", self._metric, higher_is_better=self._higher_is_better
        )
        path = None
        if best.is_beaten_by(eval_result):
            path = self._export_once(estimator, folder, checkpoint_path, eval_result)
            # Only now: a kill before this line exports nothing twice, the version is found again.
            best.write(eval_result, version=pathlib.Path(path).name)
        self._remove_old(folder)
        return path


def _origin_of(version: pathlib.Path) -> dict:
    file = version / "assets.extra" / _ORIGIN
    return json.loads(file.read_text()) if file.exists() else {}


def _remove_leftovers(folder: pathlib.Path) -> None:
    """Removes what a killed process left of an export, or of the removal of one."""
    for path in folder.glob(f"{_PARTIAL}*"):
        shutil.rmtree(path, ignore_errors=True)


def _finite(evaluation: Mapping[str, float]) -> dict[str, float | None]:
    """What JSON can hold: it has no NaN."""
    return {name: value if math.isfinite(value) else None for name, value in evaluation.items()}


def _sha256(path: str) -> str:
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()

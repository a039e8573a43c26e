"""The report of a run: `report.html` in its model_dir, with all that it came from."""

import dataclasses
import importlib.metadata
import pathlib
import platform
import sys

from data_gen.live import LiveData
from model.estimator import history
from records.description import DatasetDescription
from report.collected import Collected
from report.page import write_report
from training.config import TrainConfig
from training.processor import processor_name

_PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "captcha", "absl-py")


def write_run_report(
    config: TrainConfig,
    dataset: DatasetDescription | LiveData,
    collected: Collected,
    *,
    name: str | None,
) -> str:
    """Writes `report.html`, or `report_<name>.html` for another dataset than the model's own.

    Returns:
      Its path.
    """
    model_dir = pathlib.Path(config.model_dir)
    path = model_dir / (f"report_{name}.html" if name else "report.html")
    write_report(
        path,
        collected,
        rows=history.rows(model_dir),
        sections={
            "Data": _data(config, dataset),
            "Flags": _flags(config),
            "Environment": _environment(),
        },
        title=f"{config.model_dir} on {config.data_dir}",
        alphabet=dataset.alphabet,
    )
    return str(path)


def _data(config: TrainConfig, dataset) -> list[tuple[str, object]]:
    height, width, _ = dataset.image_shape
    pairs = [
        ("dataset", config.data_dir),
        ("test captchas", dataset.num_examples("test")),
        ("training captchas", dataset.num_examples("train") or "new ones"),
        ("picture", f"{width} x {height} pixels"),
        ("alphabet", dataset.alphabet),
        (
            "characters",
            f"up to {dataset.num_positions}" if dataset.has_blank else dataset.num_positions,
        ),
        ("made by", dataset.generator),
        ("identity (SHA-256)", dataset.identity),
    ]
    if isinstance(dataset, LiveData):
        return [*pairs, ("seed", dataset.seed)]
    origin = {key: value for key, value in dataset.provenance.items() if _is_plain(value)}
    return pairs + [
        (key, value) for key, value in origin.items() if key not in ("seal", "generator")
    ]


def _is_plain(value) -> bool:
    return isinstance(value, str | int | float | bool)


def _flags(config: TrainConfig) -> list[tuple[str, object]]:
    return [(f"--{name}", value) for name, value in dataclasses.asdict(config).items()]


def _environment() -> list[tuple[str, object]]:
    versions = [(package, importlib.metadata.version(package)) for package in _PACKAGES]
    return [
        ("Python", platform.python_version()),
        *versions,
        ("processor", processor_name()),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("command", " ".join(sys.argv)),
    ]

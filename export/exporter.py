"""From a trained `model_dir` to a SavedModel in a new version folder."""

import dataclasses
import json
import os
import pathlib
import tempfile
from collections.abc import Callable, Mapping
from typing import NamedTuple

from export.bfloat16 import in_bfloat16
from export.light_export import LightFiles, write_light_files
from export.light_file import LightDescription
from export.signatures import captcha_signatures
from export.training_pictures import training_pictures
from export.variants import file_name
from model.captcha_estimator import load_estimator
from model.description import ModelDescription
from model.estimator import best_checkpoint
from model.estimator.checkpoints import newest_whole_checkpoint
from model.estimator.tf_variables import tf_variable
from model.trained_on import TrainedOn, load_trained_on

CHECKPOINTS = ("newest", "best")  # The last step; or the one that the evaluations liked best.
PRECISIONS = ("float32", "bfloat16")  # What the SavedModel computes in.
_DESCRIPTION = "model.json"  # Under assets.extra/: for people; TensorFlow Serving ignores it.
_ENDED_BEFORE = {"newest": "", "best": " evaluation"}
_CHECKPOINT = {"newest": newest_whole_checkpoint, "best": best_checkpoint}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """What to export, and where to; each field is a flag.

    Raises:
      ValueError: If `out` is a file, `checkpoint` is none of `CHECKPOINTS`, `precision` none of
        `PRECISIONS`, or `tflite` or `onnx` are no variants.
    """

    model_dir: str = "models/captcha"
    out: str = "exports/captcha"  # Version folders go in here; the highest is the one to serve.
    checkpoint: str = "newest"
    precision: str = "float32"
    tflite: tuple[str, ...] = ()  # Variants of .tflite files to add, see `export.variants`.
    onnx: tuple[str, ...] = ()  # The same, of .onnx files.
    data_dir: str = ""  # To measure ranges on; "": what the network was trained on.

    def __post_init__(self):
        for name, choices in (("checkpoint", CHECKPOINTS), ("precision", PRECISIONS)):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"`{name}` must be one of {', '.join(choices)}, received "
                    f"{getattr(self, name)!r}. Choose one."
                )
        _ = self.light_files
        if os.path.exists(self.out) and not os.path.isdir(self.out):
            raise ValueError(
                f"`out` must be a folder, received {self.out!r}, a file. Choose another --out."
            )

    @property
    def light_files(self) -> LightFiles:
        """What to add to the SavedModel."""
        return LightFiles(tflite=self.tflite, onnx=self.onnx)


class Exported(NamedTuple):
    """What was written."""

    path: pathlib.Path  # The version folder.
    step: int  # Of the checkpoint that is in it.
    light_files: list[pathlib.Path]  # The .tflite and .onnx files in it.


def export_model(config: ExportConfig) -> Exported:
    """Exports a checkpoint of `config.model_dir` under `config.out`.

    The network is float32 in whatever precision it was trained, unless `config.precision` asks for
    bfloat16. `assets.extra/model.json` has the fields of `ModelDescription`, among them
    `has_blank`, and the `step`. The .tflite and .onnx files are beside it, float32 or as their
    variant says: TensorFlow Serving looks at nothing there, and they come with the version folder,
    whole or not at all.

    Raises:
      ValueError: If nothing was trained in `model_dir`, or a .tflite or .onnx file does not read
        what the network reads.
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
    trained_on = load_trained_on(config.model_dir)
    write_light = _light_writer(config, description, step, trained_on)
    with tempfile.TemporaryDirectory() as folder:
        described = pathlib.Path(folder) / _DESCRIPTION
        values = {**dataclasses.asdict(description), "step": step}
        if config.precision != "float32":
            values["precision"] = config.precision
        if trained_on is not None:
            values["trained_on"] = dataclasses.asdict(trained_on)
        described.write_text(json.dumps(values, indent=2) + "\n")
        names = [
            file_name(suffix, variant)
            for suffix, variants in config.light_files.variants.items()
            for variant in variants
        ]

        def signatures_of(net) -> Mapping[str, Callable]:
            # Here, because here is the network with its weights; the files are copied afterwards.
            write_light(net, pathlib.Path(folder))
            return captcha_signatures(
                in_bfloat16(net, description) if config.precision == "bfloat16" else net,
                image_shape=description.image_shape,
                alphabet=description.alphabet,
                num_positions=description.num_positions,
            )

        path = estimator.export_saved_model(
            config.out,
            signatures_of,
            assets_extra={name: pathlib.Path(folder) / name for name in (_DESCRIPTION, *names)},
            checkpoint_path=checkpoint,
        )
    path = pathlib.Path(path)
    return Exported(
        path=path, step=step, light_files=[path / "assets.extra" / name for name in names]
    )


def _light_writer(
    config: ExportConfig,
    description: ModelDescription,
    step: int,
    trained_on: TrainedOn | None,
) -> Callable:
    """What writes the .tflite and .onnx files of a network into a folder.

    Raises:
      ValueError: If pictures are needed and there are none. Nothing is written then.
    """
    files = config.light_files
    pictures = None
    if files.needs_pictures:
        data_dir = config.data_dir or (trained_on.data_dir if trained_on else "")
        pictures = training_pictures(data_dir, description)
    light = LightDescription(
        image_shape=description.image_shape,
        alphabet=description.alphabet,
        num_positions=description.num_positions,
        has_blank=description.has_blank,
        variant="float32",
        step=step,
    )

    def write(net, folder: pathlib.Path) -> None:
        variables = [tf_variable(variable) for variable in net.variables]
        write_light_files(files, folder, net, variables, light, pictures)

    return write

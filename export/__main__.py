"""Exports what was trained as a SavedModel, to be read with or served.

  python export --model_dir=models/captcha --out=exports/captcha
  python export --model_dir=models/captcha --out=exports/captcha --checkpoint=best

Each export is a new version folder under --out, named by the time in seconds; programs that are
given --out take the newest. The last line says which, of which step, and what to do with it.
"""

import logging
import pathlib
import sys

# `python export` puts export/ itself on the import path.
sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from absl import flags

import command_line
import tensorflow_start

_FLAGS = ("model_dir", "out", "checkpoint")


def _define_flags() -> None:
    flags.DEFINE_string("model_dir", "models/captcha", "What train.py wrote.")
    flags.DEFINE_string("out", "exports/captcha", "Folder of versions; a new one is added.")
    flags.DEFINE_enum(
        "checkpoint",
        "newest",
        ("newest", "best"),
        "The newest, or the one whose evaluation had the highest sequence_accuracy.",
    )


def main(_: list[str]) -> None:
    """Flags to a config to one call."""
    # Here and not above: --help and a mistyped flag answer at once, TensorFlow takes 3 s to load.
    tensorflow_start.import_quietly()
    from export.exporter import ExportConfig, export_model

    # TensorFlow would say "Assets written to", and name the folder before it was renamed.
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    config = ExportConfig(**{name: flags.FLAGS[name].value for name in _FLAGS})
    exported = export_model(config)
    print(
        f"{exported.path}, step {exported.step}. "
        f"Next: python predict.py --saved_model={config.out} IMG_OR_DIR..."
    )


if __name__ == "__main__":
    _define_flags()
    command_line.run(main)

"""Exports what was trained as a SavedModel, to be read with or served.

  python export --model_dir=models/captcha --out=exports/captcha
  python export --model_dir=models/captcha --out=exports/captcha --checkpoint=best
  python export --model_dir=models/captcha --out=exports/captcha --tflite --onnx
  python export --model_dir=models/captcha --out=exports/captcha --tflite=float16,int8

Each export is a new version folder under --out, named by the time in seconds; programs that are
given --out take the newest. The last line says which, of which step, and what to do with it.
--tflite and --onnx add files to its assets.extra/ that predict.py reads without TensorFlow; each is
whole by itself and can be copied anywhere.
"""

import logging
import pathlib
import sys

# `python export` puts export/ itself on the import path.
sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from absl import flags

import command_line
import tensorflow_start

_FLAGS = ("model_dir", "out", "checkpoint", "precision", "tflite", "onnx", "data_dir")
_TFLITE_VARIANTS = "float32, float16, int8, int8_full"
_ONNX_VARIANTS = "float32, int8"


class _VariantsParser(flags.ArgumentParser):
    """`--tflite` is float32, `--tflite=float16,int8` is both of these, `--notflite` is none."""

    def parse(self, argument):
        if not isinstance(argument, str):
            return argument
        return {"true": ("float32",), "false": ()}.get(argument, tuple(argument.split(",")))

    def flag_type(self):
        return "variants"


def _define_flags() -> None:
    flags.DEFINE_string("model_dir", "models/captcha", "What train.py wrote.")
    flags.DEFINE_string("out", "exports/captcha", "Folder of versions; a new one is added.")
    flags.DEFINE_enum(
        "checkpoint",
        "newest",
        ("newest", "best"),
        "The newest, or the one whose evaluation had the highest sequence_accuracy.",
    )
    flags.DEFINE_enum(
        "precision",
        "float32",
        ("float32", "bfloat16"),
        "What the SavedModel computes in; bfloat16 is fast only where the processor has it.",
    )
    _define_variants("tflite", f"Add .tflite files, float32 or what is named: {_TFLITE_VARIANTS}.")
    _define_variants("onnx", f"Add .onnx files, float32 or what is named: {_ONNX_VARIANTS}.")
    flags.DEFINE_string(
        "data_dir",
        "",
        "Dataset to measure the ranges of 8-bit numbers on; else the one that was trained on.",
    )


def _define_variants(name: str, help_text: str) -> None:
    flag = flags.Flag(_VariantsParser(), flags.ArgumentSerializer(), name, None, help_text)
    flag.boolean = True  # absl then takes it without "=".
    flags.DEFINE_flag(flag)


def main(_: list[str]) -> None:
    """Flags to a config to one call."""
    # Here and not above: --help and a mistyped flag answer at once, TensorFlow takes 3 s to load.
    tensorflow_start.import_quietly()
    from export.exporter import ExportConfig, export_model

    # TensorFlow would say "Assets written to", and name the folder before it was renamed.
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    values = {name: flags.FLAGS[name].value for name in _FLAGS}
    config = ExportConfig(**{name: value for name, value in values.items() if value is not None})
    exported = export_model(config)
    for path in exported.light_files:
        print(f"{path}, {path.stat().st_size / 1e6:.2f} MB")
    print(
        f"{exported.path}, step {exported.step}. "
        f"Next: python predict.py --saved_model={config.out} IMG_OR_DIR..."
    )


if __name__ == "__main__":
    _define_flags()
    command_line.run(main)

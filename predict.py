"""Reads captchas: picture files to text, with an exported network.

  python predict.py --saved_model=exports/captcha captcha.png
  python predict.py --saved_model=exports/captcha my_folder another.jpg > texts.csv
  python predict.py --saved_model=model.tflite captcha.png

The last one takes a .tflite or .onnx file that `python export --tflite --onnx` wrote, and answers
sooner, as it loads no TensorFlow.
Folders are searched for pictures, also in the folders below. Standard output gets a line a picture,
`file,text,confidence`, as it is read; confidence is the network's own estimate, in [0, 1], that the
whole text is right. A file that cannot be read gets a line on standard error; the others are read
all the same, and the exit status is 1.
"""

import csv
import dataclasses
import io
import json
import os
import sys

from absl import flags

import command_line
import tensorflow_start
from export.image_files import find_image_files
from export.open_reader import open_reader_of_many
from export.readings import Reading

FORMATS = ("csv", "jsonl")
_COLUMNS = ("file", "text", "confidence")
_CONFIDENCE_DECIMALS = 6
_BROKEN_PIPE = 141  # 128 + SIGPIPE, as shells report it.


@dataclasses.dataclass(frozen=True, kw_only=True)
class PredictConfig:
    """What to read with what; each field but `names` is a flag.

    Raises:
      ValueError: If no file is named or a value is out of range.
    """

    names: tuple[str, ...]  # Picture files, and folders of them.
    saved_model: str = "exports/captcha"
    format: str = "csv"
    batch_size: int = 64

    def __post_init__(self):
        if not self.names:
            raise ValueError(
                "picture files or folders must be named, received none. For example: "
                f"python predict.py --saved_model={self.saved_model} captcha.png"
            )
        if self.format not in FORMATS:
            raise ValueError(
                f"`format` must be one of {', '.join(FORMATS)}, received {self.format!r}. "
                "Choose one."
            )
        if self.batch_size < 1:
            raise ValueError(
                f"`batch_size` must be at least 1, received {self.batch_size}. Raise --batch_size."
            )


def _define_flags() -> None:
    flags.DEFINE_string(
        "saved_model",
        PredictConfig.saved_model,
        "SavedModel, or a folder of its versions, of which the newest is taken; or a .tflite or "
        ".onnx file.",
    )
    flags.DEFINE_enum("format", PredictConfig.format, FORMATS, "Of the lines on standard output.")
    flags.DEFINE_integer("batch_size", PredictConfig.batch_size, "Pictures read at a time.")


def main(names: list[str]) -> int:
    """Flags to a config to one call."""
    options = {
        field.name: flags.FLAGS[field.name].value
        for field in dataclasses.fields(PredictConfig)
        if field.name != "names"
    }
    return run(PredictConfig(names=tuple(names), **options))


def run(config: PredictConfig) -> int:
    """Reads and prints.

    Returns:
      The exit status: 0 if all was read, 1 if something could not be, 141 if whoever reads standard
      output stopped reading.

    Raises:
      ValueError: If the network cannot be used or there is no picture at all.
    """
    paths, errors = find_image_files(config.names)
    if not paths:
        raise ValueError(
            f"there must be a picture to read, received none: {'; '.join(map(str, errors))}. Name "
            "picture files, or folders that have some."
        )
    # TensorFlow, which takes seconds, is loaded only if it is needed.
    num_batches = -(-len(paths) // config.batch_size)
    reader = open_reader_of_many(
        config.saved_model, num_batches, tensorflow_start.import_without_keras
    )
    for error in errors:
        _complain(error)
    all_read = not errors
    # A file's name may be any bytes but "/" and 0: they go out as they came in. And each line goes
    # out when it is written, whatever reads it.
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", line_buffering=True)
    line_of = _csv_line if config.format == "csv" else _json_line
    try:
        if config.format == "csv":
            print(",".join(_COLUMNS))
        for path, result in reader.read_files(paths, config.batch_size):
            if isinstance(result, Reading):
                print(line_of(path, result.text, result.confidence))
            else:
                all_read = False
                _complain(result)
    except BrokenPipeError:
        # `| head` has seen enough. Python would flush standard output once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    return 0 if all_read else 1


def _complain(error: Exception) -> None:
    print(error, file=sys.stderr)


def _csv_line(path: str, text: str, confidence: float) -> str:
    line = io.StringIO()
    # With its own line end, "\r\n", the writer quotes names that have either character.
    csv.writer(line).writerow((path, text, f"{confidence:.{_CONFIDENCE_DECIMALS}f}"))
    return line.getvalue().removesuffix("\r\n")


def _json_line(path: str, text: str, confidence: float) -> str:
    values = (path, text, round(confidence, _CONFIDENCE_DECIMALS))
    return json.dumps(dict(zip(_COLUMNS, values, strict=True)))


if __name__ == "__main__":
    _define_flags()
    command_line.run(main, positionals="IMG_OR_DIR...")

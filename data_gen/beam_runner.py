"""The shards of a dataset drawn as an Apache Beam pipeline, on this machine or on many.

One element is one shard, drawn by the function that the processes of `generate` run, so the files
are the same, byte for byte. Workers write to the dataset's folder themselves, which on more than
one machine has to be one that all of them reach: a URL (gs://...) or a mounted folder.
"""

import functools
import json
import logging
import os
import pathlib
import sys
import uuid
from collections.abc import Sequence
from typing import Any

from data_gen.generate import GenerateConfig, ShardTask, generate, records_of
from records.dataset_writer import DatasetWriter
from records.layout import Shard
from records.remote_folder import UNFINISHED, file_systems, load_file_systems
from records.shard_writer import write_shard

_ROOT = pathlib.Path(__file__).resolve().parent.parent


def generate_with_beam(config: GenerateConfig, runner: str, options: Sequence[str]) -> None:
    """As `generate`, drawn by a Beam runner; the same files, byte for byte.

    Args:
      config: What to write and where. `num_workers` is how many processes the DirectRunner gets,
        unless `options` say it; other runners have options of their own.
      runner: DirectRunner, FlinkRunner, SparkRunner, DataflowRunner, ... See docs/scale.md.
      options: Of the pipeline, as on a command line: ["--flink_master=localhost:8081", ...].

    Raises:
      ValueError: If Beam is not there, does not know the runner or an option, or
        `config.out_dir` is not free.
      OSError: If the pipeline fails. What was under `out_dir` stays as it was.
    """
    try:
        files = load_file_systems()
    except ImportError as error:
        raise ValueError(
            f"`runner` needs Apache Beam, received {runner!r} in an environment without it. "
            "Type: make beam"
        ) from error
    pipeline_options = _pipeline_options(runner, options, config.num_workers)
    files.set_options(pipeline_options)  # Some clients have their address among them.
    generate(config, functools.partial(_draw, pipeline_options))


def _pipeline_options(runner: str, options: Sequence[str], num_workers: int) -> Any:
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners import create_runner

    defaults = []
    if runner.lower() in ("directrunner", "direct"):
        defaults = [
            "--direct_running_mode=multi_processing",  # Python draws on one core a process.
            f"--direct_num_workers={num_workers}",
            "--default_sdk_harness_log_level=ERROR",  # Else each worker tells its life on stderr.
        ]
        logging.getLogger("apache_beam").setLevel(logging.ERROR)
    try:
        create_runner(runner)
    except (ValueError, ImportError, AttributeError) as error:
        raise ValueError(
            f"`runner` must be one that Apache Beam has, received {runner!r}: "
            f"{_last_line(error)} Name for example DirectRunner."
        ) from error
    made = PipelineOptions([f"--runner={runner}", *defaults, *options])
    # Beam drops what it does not know, with a warning in a log; it may be a mistyped one.
    unknown = set(made.get_all_options(retain_unknown_options=True)) - set(made.get_all_options())
    if unknown:
        raise ValueError(
            "`beam_options` must be options of Beam pipelines, received "
            f"{', '.join(f'--{name}' for name in sorted(unknown))}. Correct or leave out."
        )
    return made


def _draw(options: Any, tasks: Sequence[ShardTask], writer: DatasetWriter) -> list[Shard]:
    import apache_beam as beam

    # Worker processes of this machine start anew; other machines' have ours in their image.
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))
    )
    written = f"{writer.url}/{UNFINISHED}/written"
    print(f"draw | {len(tasks)} shards, on {options.get_all_options()['runner']}", file=sys.stderr)
    try:
        with beam.Pipeline(options=options) as pipeline:
            _ = (
                pipeline
                | "Plan" >> beam.Create(tasks)
                | "Spread" >> beam.Reshuffle()  # Or one worker would draw all: they are one step.
                | "Draw" >> beam.Map(_write_attempt, writer.url)
                | "Say" >> beam.io.WriteToText(written, num_shards=1, shard_name_template="")
            )
    except Exception as error:
        logging.getLogger(__name__).debug("the pipeline failed", exc_info=True)
        raise OSError(
            "every shard must be drawn, received a pipeline that failed: "
            f"{_last_line(error)} The runner's own log says more."
        ) from error
    return _read(written)


def _write_attempt(task: ShardTask, url: str) -> str:
    """Draws and writes one shard; runs in a worker, maybe more than once, maybe at the same time.

    Each attempt writes a file of its own and gives it the shard's name when it is whole. All
    attempts have the same bytes, so the one that comes second may go.

    Returns:
      What is in the shard, as JSON.
    """
    files = file_systems(url)
    file = task.planned.file
    attempt = f"{url}/{UNFINISHED}/{pathlib.PurePosixPath(file).name}-{uuid.uuid4().hex}"
    shard = write_shard(files.create(attempt), file, records_of(task))
    try:
        files.rename([attempt], [f"{url}/{file}"])
    except OSError:
        if not files.exists(f"{url}/{file}"):
            raise
        files.delete([attempt])
    return json.dumps(vars(shard))


def _read(written: str) -> list[Shard]:
    """What the workers said; of two attempts at a shard, Beam keeps the word of one."""
    with file_systems(written).open(written) as file:
        return [Shard(**json.loads(line)) for line in file.read().decode().splitlines()]


def _last_line(error: BaseException) -> str:
    """Beam's errors carry the traceback of the worker; its last line is the error itself."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    line = lines[-1] if lines else type(error).__name__
    return line if line.endswith(".") else f"{line}."

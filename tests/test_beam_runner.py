import dataclasses
import sys

import pytest
from memory_store import FILES, files_below
from tiny_dataset import files_of

from data_gen import beam_runner
from data_gen.beam_runner import generate_with_beam
from data_gen.generate import GenerateConfig, generate, plan_tasks
from data_gen.style import Style
from records import shard_writer
from records.dataset_writer import DatasetWriter

MIXED = Style(width_px=104, min_length=3, max_length=6)

# In this process, so that what a test replaces is replaced in the workers too.
THREADS = ["--direct_running_mode=multi_threading"]


@pytest.fixture(autouse=True)
def _several_shards(monkeypatch):
    monkeypatch.setattr(shard_writer, "_MAX_SHARD_BYTES", 60_000)


def config(out_dir, **options):
    return GenerateConfig(
        **{
            "style": Style(),
            "num_train": 30,
            "num_test": 10,
            "out_dir": out_dir,
            "num_workers": 2,
            "seed": 4,
            **options,
        }
    )


@pytest.mark.slow  # Each worker is a process that imports Beam.
@pytest.mark.parametrize(
    "options",
    [{}, {"style": MIXED, "encoding": "png", "with_map": True}],
    ids=["raw", "png_with_map_of_mixed_length"],
)
def test_beam_writes_the_files_that_processes_write(tmp_path, options):
    generate(config(tmp_path / "processes", **options))
    generate_with_beam(config(tmp_path / "beam", **options), "DirectRunner", [])
    assert files_of(tmp_path / "beam") == files_of(tmp_path / "processes")
    assert len(list((tmp_path / "beam/train").iterdir())) > 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["beam", "processes"]


@pytest.mark.slow
def test_beam_writes_the_same_to_a_url(tmp_path):
    FILES.clear()
    generate(config(tmp_path / "processes"))
    generate_with_beam(config("memory://bucket/beam"), "DirectRunner", THREADS)
    assert files_below("memory://bucket/beam") == files_of(tmp_path / "processes")


@pytest.mark.slow
def test_the_program_takes_a_runner(tmp_path, run_program):
    arguments = ["--n", 30, "--n_test", 10, "--seed", 4]
    options = (
        "  --direct_running_mode=multi_threading,   --direct_num_workers=2"  # As in docs/scale.md.
    )
    beam = ["--runner=DirectRunner", f"--beam_options={options}", "--out", tmp_path / "beam"]
    run = run_program("data_gen", *arguments, *beam)
    assert run.returncode == 0, run.stderr
    run_program("data_gen", *arguments, "--out", tmp_path / "processes")
    assert files_of(tmp_path / "beam") == files_of(tmp_path / "processes")


def test_a_shard_that_is_drawn_twice_is_there_once_and_whole(tmp_path):
    with DatasetWriter(tmp_path / "out", **description(config(tmp_path / "out"))) as writer:
        task, *_ = plan_tasks(config(tmp_path / "out"), writer)
        first = beam_runner._write_attempt(task, writer.url)
        shard = (writer.path / task.planned.file).read_bytes()
        assert beam_runner._write_attempt(task, writer.url) == first
        assert files_of(writer.path) == {task.planned.file: shard}


def test_where_nothing_can_be_renamed_onto_a_file_the_first_attempt_stays(tmp_path, monkeypatch):
    def rename(sources, targets):
        raise OSError("it exists")

    with DatasetWriter(tmp_path / "out", **description(config(tmp_path / "out"))) as writer:
        task, *_ = plan_tasks(config(tmp_path / "out"), writer)
        first = beam_runner._write_attempt(task, writer.url)
        with monkeypatch.context() as patch:
            patch.setattr(beam_runner.file_systems(writer.url), "rename", rename)
            assert beam_runner._write_attempt(task, writer.url) == first
        assert list(files_of(writer.path)) == [task.planned.file]


def description(config):
    return {"fields": config.fields, "alphabet": config.style.alphabet}


@pytest.mark.slow
def test_what_a_lost_attempt_left_does_not_become_part_of_the_dataset(tmp_path, monkeypatch):
    def write_attempt(task, url, write=beam_runner._write_attempt):
        with beam_runner.file_systems(url).create(f"{url}/unfinished/lost") as file:
            file.write(b"half a shard")
        write(task, url)
        return write(task, url)

    monkeypatch.setattr(beam_runner, "_write_attempt", write_attempt)
    generate_with_beam(config(tmp_path / "beam"), "DirectRunner", THREADS)
    generate(config(tmp_path / "processes"))
    assert files_of(tmp_path / "beam") == files_of(tmp_path / "processes")


@pytest.mark.slow
def test_a_worker_that_fails_is_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    def records_of(task):
        yield b"half a shard"
        raise OSError("no space left on device")

    monkeypatch.setattr(beam_runner, "records_of", records_of)
    with pytest.raises(OSError, match=r"^every shard must be drawn, .*no space left") as error:
        generate_with_beam(config(tmp_path / "beam"), "DirectRunner", THREADS)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("runner", "options", "message"),
    [
        ("Dirigent", [], "`runner` must be one that Apache Beam has, received 'Dirigent': "),
        ("DirectRunner", ["--direct_num_worker=3"], "received --direct_num_worker. Correct"),
    ],
)
def test_a_mistyped_runner_or_option_is_refused(tmp_path, runner, options, message):
    with pytest.raises(ValueError, match=message) as error:
        generate_with_beam(config(tmp_path / "beam"), runner, options)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_without_beam_a_runner_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam.io.filesystems", None)
    with pytest.raises(ValueError, match=r"an environment without it. Type: make beam"):
        generate_with_beam(config(tmp_path / "beam"), "DirectRunner", [])


def test_a_task_knows_all_that_a_worker_needs(tmp_path):
    with DatasetWriter(tmp_path / "out", **description(config(tmp_path / "out"))) as writer:
        task, *_ = plan_tasks(config(tmp_path / "out"), writer)
    elsewhere = dataclasses.replace(task.config, out_dir=tmp_path / "elsewhere", num_workers=7)
    assert list(beam_runner.records_of(task)) == list(
        beam_runner.records_of(task._replace(config=elsewhere))
    )

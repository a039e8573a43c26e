"""On a disk that is full: one line, the old data as it was, and it works once there is room."""

import shutil

import pytest
from small_disk import ENOUGH_BYTES, PAGE_BYTES, resize
from tiny_dataset import files_of, write_tiny_dataset

# Small pictures, by the library itself, which has nothing to compile first.
LOOK = ("--width=40", "--height=20", "--length=2", "--renderer=captcha")


def bytes_on_disk(files) -> int:
    return sum(-(-len(content) // PAGE_BYTES) * PAGE_BYTES for content in files.values())


@pytest.fixture(scope="module")
def commands(tmp_path_factory, run_program):
    """What is run, and the files that it leaves where there is room."""
    folder = tmp_path_factory.mktemp("source")
    data, png = folder / "data", folder / "png"
    commands = {
        "drawn": ("data_gen", "--n=60", *LOOK, "--overwrite"),
        "drawn_by_workers": ("data_gen", "--n=600", *LOOK, "--workers=2", "--overwrite"),
        "dumped": ("records", "dump", data),
        "imported": ("data_gen", f"--from_images={png}", "--overwrite"),
    }
    outs = {name: folder / name for name in commands} | {"drawn": data, "dumped": png}
    for name, command in commands.items():
        done = run_program(*command, f"--out={outs[name]}")
        assert done.returncode == 0, done.stderr
    return {name: (command, files_of(outs[name])) for name, command in commands.items()}


@pytest.fixture(scope="module")
def old_dataset(tmp_path_factory):
    return write_tiny_dataset(tmp_path_factory.mktemp("old") / "out")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "fits"),
    [
        ("drawn", "next_to_nothing"),
        ("drawn", "a_half"),
        ("drawn", "all_but_a_page"),
        ("drawn_by_workers", "a_half"),
        ("imported", "a_half"),
        ("imported", "all_but_a_page"),
        ("dumped", "a_half"),
        ("dumped", "all_but_a_page"),
    ],
)
def test_a_full_disk_is_one_line_and_leaves_what_was_there(
    disk, commands, old_dataset, run_program, what, fits
):
    command, wanted = commands[what]
    out = disk / "out"
    if what != "dumped":
        shutil.copytree(old_dataset, out)
    before = files_of(disk)
    free = {
        "next_to_nothing": PAGE_BYTES,
        "a_half": bytes_on_disk(wanted) // 2,
        "all_but_a_page": bytes_on_disk(wanted) - PAGE_BYTES,
    }
    resize(disk, bytes_on_disk(before) + free[fits])

    done = run_program(*command, f"--out={out}")
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if " | " not in line]
    assert len(errors) == 1
    assert errors[0].startswith("error: [Errno 28] No space left on device")
    assert errors[0].endswith("Make room and run it again.")
    assert files_of(disk) == before
    assert [path.name for path in disk.iterdir()] == ["out"] * (what != "dumped")

    resize(disk, ENOUGH_BYTES)
    done = run_program(*command, f"--out={out}")
    assert done.returncode == 0, done.stderr
    assert files_of(out) == wanted

import pytest

PROGRAM = """
import sys
sys.path.insert(0, {root!r})
from absl import flags
import command_line
flags.DEFINE_integer("n", 1, "A number.")

def main(arguments):
    {body}

command_line.run(main, {options})
"""


@pytest.fixture
def program(tmp_path, run_program):
    from tests.conftest import ROOT

    def run(body, *arguments, options="positionals=None"):
        path = tmp_path / "program.py"
        path.write_text(PROGRAM.format(root=str(ROOT), body=body, options=options))
        return run_program(path, *arguments)

    return run


@pytest.mark.parametrize(
    ("body", "status", "stderr"),
    [
        ("pass", 0, ""),
        ("return 3", 3, ""),
        ("raise ValueError('`n` must be 1, received 2.\\n Lower it.')", 1,
         "error: `n` must be 1, received 2. Lower it.\n"),
        ("open('/nowhere/at/all')", 1,
         "error: [Errno 2] No such file or directory: '/nowhere/at/all'\n"),
        ("raise OSError(28, 'No space left on device')", 1,
         "error: [Errno 28] No space left on device. Make room and run it again.\n"),
        ("raise KeyboardInterrupt", 130, "error: interrupted\n"),
        ("import os; os.kill(os.getpid(), 15); raise AssertionError", 143, "error: terminated\n"),
    ],
    ids=["good", "status", "value_error", "os_error", "disk_full", "ctrl_c", "sigterm"],
)  # fmt: skip
def test_a_main_ends_with_one_line_and_a_status(program, body, status, stderr):
    done = program(body)
    assert (done.returncode, done.stderr) == (status, stderr)


def test_a_main_cleans_up_undisturbed_when_it_is_terminated(program):
    done = program(
        """import os
    try:
        os.kill(os.getpid(), 15)
    finally:
        os.kill(os.getpid(), 15)
        print("clean")"""
    )
    assert (done.returncode, done.stdout, done.stderr) == (143, "clean\n", "error: terminated\n")


@pytest.mark.parametrize("number", [2, 15], ids=["ctrl_c", "sigterm"])
@pytest.mark.parametrize(
    ("end", "status", "stderr"),
    [("return 0", 0, ""), ("raise ValueError('`n`')", 1, "error: `n`\n")],
    ids=["good", "bad"],
)
def test_a_signal_once_the_main_is_done_changes_nothing(program, number, end, status, stderr):
    done = program(
        f"""import atexit, os
    atexit.register(lambda: os.kill(os.getpid(), {number}))
    class Last:
        def __del__(self, kill=os.kill, process=os.getpid()): kill(process, {number})
    sys.kept_to_the_end = Last()
    {end}"""
    )
    assert (done.returncode, done.stderr) == (status, stderr)


def test_an_error_of_our_own_logic_keeps_its_traceback(program):
    done = program("raise TypeError('a bug')")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--n=three", "--n=three"),
        ("--m=3", "Unknown command line flag 'm'"),
        ("3", "takes flags only, received '3'"),
        ("--flagfile=nowhere.flags", "nowhere.flags"),
    ],
)
def test_bad_arguments_are_one_line(program, argument, message):
    done = program("pass", argument)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_positionals_reach_a_main_that_takes_them(program):
    done = program("print(arguments)", "a", "--n=2", "b", options="positionals='FILE...'")
    assert done.stdout == "['a', 'b']\n"


def test_verbosity_1_shows_the_traceback_too(program):
    done = program("raise ValueError('bad')", "--verbosity=1")
    assert "Traceback" in done.stderr
    assert done.stderr.endswith("error: bad\n")


def test_help_lists_the_flags(program):
    done = program("pass", "--help")
    assert "--n" in done.stdout
    assert "A number." in done.stdout

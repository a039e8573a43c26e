import os
import platform
import subprocess
import sys

import pytest

import tensorflow_start

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
START = "import tensorflow_start; tensorflow_start.import_quietly()"


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def stand_in(tmp_path):
    """A `tensorflow` that prints as the real one does, past sys.stderr; then `rest` is run."""

    def write(rest):
        code = f"import os, types\nos.write(2, b'oneDNN is on\\n')\n{rest}\n"
        (tmp_path / "tensorflow.py").write_text(code)
        return {"PYTHONPATH": str(tmp_path)}

    return write


@pytest.mark.slow
def test_tensorflow_starts_without_a_line_on_standard_error():
    result = run(
        f"{START}; import tensorflow as tf; print(int(tf.constant(1) + 1))",
        TF_CPP_MIN_LOG_LEVEL="2",
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "2\n", "")


def test_standard_error_is_back_afterwards(stand_in):
    path = stand_in("config = types.SimpleNamespace(list_physical_devices=lambda: [])")
    result = run(f"{START}; import sys; print('mine', file=sys.stderr)", **path)
    assert result.stderr == "mine\n"


def test_matplotlib_is_not_loaded_with_tensorflow_and_can_be_afterwards(stand_in, tmp_path):
    (tmp_path / "matplotlib.py").write_text("print('loaded')\n")
    path = stand_in(
        "config = types.SimpleNamespace(list_physical_devices=lambda: [])\n"
        "try:\n    import matplotlib\nexcept ImportError:\n    print('not there')"
    )
    result = run(f"{START}; import matplotlib", **path)
    assert (result.returncode, result.stdout) == (0, "not there\nloaded\n"), result.stderr


def test_matplotlib_that_is_loaded_stays(stand_in, tmp_path):
    (tmp_path / "matplotlib.py").write_text("name = 'mine'\n")
    path = stand_in("config = types.SimpleNamespace(list_physical_devices=lambda: [])")
    result = run(
        f"import matplotlib; {START}; import sys; print(sys.modules['matplotlib'].name)", **path
    )
    assert result.stdout == "mine\n", result.stderr


def test_keras_is_not_loaded_for_who_only_reads_and_can_be_afterwards(stand_in, tmp_path):
    (tmp_path / "keras" / "src").mkdir(parents=True)
    (tmp_path / "keras" / "__init__.py").write_text("")
    (tmp_path / "keras" / "src" / "optimizers.py").write_text("print('loaded')\n")
    path = stand_in(
        "config = types.SimpleNamespace(list_physical_devices=lambda: [])\n"
        "try:\n    import keras.src.optimizers\nexcept ImportError:\n    print('not there')"
    )
    start = "import tensorflow_start; tensorflow_start.import_without_keras()"
    result = run(f"{start}; import keras.src.optimizers", **path)
    assert (result.returncode, result.stdout) == (0, "not there\nloaded\n"), result.stderr
    result = run(START, **path)
    assert (result.returncode, result.stdout) == (0, "loaded\n"), result.stderr


@pytest.mark.parametrize(("before", "after"), [("gc.enable()", "True"), ("gc.disable()", "False")])
def test_garbage_is_looked_for_after_the_import_as_before_it(stand_in, before, after):
    path = stand_in(
        "import gc\nprint(gc.isenabled())\nmade_by_the_import = [[]]\n"
        "config = types.SimpleNamespace(list_physical_devices=lambda: [])"
    )
    stays = "made is not None and not any(made is one for one in gc.get_objects())"
    result = run(
        f"import gc; {before}; {START}; import tensorflow; made = tensorflow.made_by_the_import; "
        f"print(gc.isenabled(), {stays})",
        **path,
    )
    assert result.stdout == f"False\n{after} True\n", result.stderr


def test_what_was_printed_is_shown_if_the_import_fails(stand_in):
    result = run(START, **stand_in("raise ImportError('no such library')"))
    assert result.stderr.startswith("oneDNN is on\n")
    assert result.stderr.endswith("ImportError: no such library\n")


def test_nothing_is_held_back_from_who_asks_for_it(stand_in):
    path = stand_in("config = types.SimpleNamespace(list_physical_devices=lambda: [])")
    result = run(f"{START}; import tensorflow", TF_CPP_MIN_LOG_LEVEL="0", **path)
    assert result.stderr == "oneDNN is on\n"


@pytest.mark.parametrize(
    ("machine", "before", "after"),
    [
        ("x86_64", None, "1"),
        ("AMD64", None, "1"),
        ("aarch64", None, None),  # There it is another library's, and an experiment.
        ("x86_64", "0", "0"),  # What the user has set.
    ],
)
def test_convolutions_are_onednn_s_on_every_x86(monkeypatch, machine, before, after):
    monkeypatch.setattr(tensorflow_start.platform, "machine", lambda: machine)
    # Set, so that it is put back afterwards whatever happens.
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", before or "")
    if before is None:
        del os.environ["TF_ENABLE_ONEDNN_OPTS"]
    tensorflow_start.use_onednn()
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == after


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="oneDNN is left as it is elsewhere")
def test_tensorflow_starts_with_onednn():
    result = run(
        f"import os; os.environ.pop('TF_ENABLE_ONEDNN_OPTS', None); {START}\n"
        "from tensorflow.python.util import _pywrap_util_port\n"
        "print(_pywrap_util_port.IsMklEnabled())"
    )
    assert result.stdout == "True\n", result.stderr

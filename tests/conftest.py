"""Shared by all tests: quiet TensorFlow, and a small dataset and network that tests only read."""

import os
import pathlib
import subprocess
import sys

import pytest
from absl import logging

import tensorflow_start

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
tensorflow_start.use_onednn()  # As all commands do.

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items):
    """Fast tests first: what is broken shows early."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture(autouse=True)
def verbosity_is_put_back():
    """What a test makes the log say, the next one is not to find: their order is not fixed."""
    before = logging.get_verbosity()
    yield
    logging.set_verbosity(before)


@pytest.fixture(scope="session")
def run_program():
    """Runs `python ARGUMENTS...` in the repository root, as a user does."""

    def run(*arguments, cwd=ROOT, timeout=300, **options):
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=cwd,
            timeout=timeout,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )

    return run


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory):
    """60 captchas to train on and 20 to test on, of the default style."""
    from data_gen.generate import GenerateConfig, generate
    from data_gen.style import Style

    out = tmp_path_factory.mktemp("small") / "captcha_data"
    generate(
        GenerateConfig(style=Style(), num_train=60, num_test=20, out_dir=out, num_workers=1, seed=3)
    )
    return out


@pytest.fixture
def disk(tmp_path):
    """An empty disk that can be made too small, see `small_disk`."""
    from small_disk import small_disk

    folder = tmp_path / "disk"
    with small_disk(folder):
        yield folder


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory):
    """A folder of one version of a small network, see `exported_network`."""
    import exported_network

    folder = tmp_path_factory.mktemp("exports")
    exported_network.save(exported_network.build_net(), folder / "1")
    return str(folder)


@pytest.fixture(scope="session")
def barely_trained_model(run_program, tmp_path_factory):
    """A model_dir of two steps on captchas of the default style."""
    model_dir = tmp_path_factory.mktemp("barely_trained") / "model"
    done = run_program(
        "train.py",
        "--data_dir=live:default?seed=1",
        f"--model_dir={model_dir}",
        "--mode=train",
        "--max_steps=2",
        "--batch_size=8",
    )
    assert done.returncode == 0, done.stderr
    return model_dir

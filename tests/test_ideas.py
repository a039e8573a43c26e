"""An idea is a change of one thing, and the program trains with it."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.idea_table import IDEAS
from benchmarks.idea_training import idea_config
from data_gen.live import parse_live
from training.prepare import describe, model_params

SEED = tf.constant([3, 5])
ROWS = tf.range(4, dtype=tf.int64)


@pytest.mark.parametrize("name", IDEAS)
def test_every_idea_is_a_training_that_can_be(name):
    config = idea_config(IDEAS[name], "live:default", "unused", steps=100)
    params = model_params(config, describe(config, parse_live(config.data_dir)))
    seen = config.max_steps * config.batch_size
    assert seen == 100 * 64  # As many captchas as the base trains on.
    assert params.network.image_shape == (30, 100, 3)


@pytest.mark.parametrize("name", [name for name in IDEAS if IDEAS[name].augment is not None])
def test_an_augmentation_keeps_shape_and_range_and_is_a_function_of_seed_and_row(name):
    rng = np.random.default_rng(0)
    image = tf.constant(rng.integers(0, 256, (4, 30, 100, 3), dtype=np.uint8))
    augment = IDEAS[name].augment
    changed = np.asarray(augment(image, SEED, ROWS), np.float32)
    assert changed.shape == image.shape
    assert 0 <= changed.min() <= changed.max() <= 255
    assert not np.array_equal(changed, image)
    np.testing.assert_array_equal(changed, np.asarray(augment(image, SEED, ROWS), np.float32))


def test_an_unknown_idea_is_one_line(run_program):
    done = run_program("benchmarks/ideas.py", "--ideas=base,nonsense")
    assert done.returncode != 0
    assert "`ideas` must be among base, " in done.stderr
    assert "received nonsense" in done.stderr


@pytest.mark.slow
def test_the_program_trains_and_reads_each_idea_named(run_program):
    names = ["affine", "label_smoothing", "muon_half", "candidates_4"]
    done = run_program(
        "benchmarks/ideas.py",
        f"--ideas={','.join(names)}",
        "--steps=3",
        "--n_read=20",
        "--norecord",
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [words[1] for words in lines if words[0] == "idea"] == names
    assert ["n", "20"] in lines

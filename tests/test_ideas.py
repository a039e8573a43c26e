"""An idea is a change of one thing, and the program trains with it."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.idea_table import IDEAS
from benchmarks.idea_training import idea_config, mean_of_shifted
from data_gen.live import parse_live
from model.networks import NetworkConfig
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


@pytest.mark.parametrize("name", [name for name in IDEAS if IDEAS[name].network is not None])
def test_a_network_of_its_own_has_the_bases_input_and_logits(name):
    config = NetworkConfig(image_shape=(30, 100, 3), num_positions=4, num_classes=10)
    net = IDEAS[name].network(config)
    assert net.input_shape == (None, 30, 100, 3)
    logits = net(np.random.default_rng(0).integers(0, 256, (2, 30, 100, 3), np.uint8))
    assert logits.shape == (8, 10)
    assert len(np.unique(logits)) > 40  # Each picture has its own.


def test_readings_of_shifted_pictures_are_averaged():
    """The net's logits are the first two columns: only where they are bright shall it say so."""
    image = tf.reshape(tf.constant([[0.0, 5.0, 1.0]]), [1, 1, 3, 1])
    read = mean_of_shifted(lambda image, training: image[:, 0, :2, 0], [(0, 0), (0, 1)])
    expected = (tf.nn.log_softmax([[0.0, 5.0]]) + tf.nn.log_softmax([[1.0, 0.0]])) / 2
    np.testing.assert_allclose(read(image), expected, rtol=1e-6)


def test_an_unknown_idea_is_one_line(run_program):
    done = run_program("benchmarks/ideas.py", "--ideas=base,nonsense")
    assert done.returncode != 0
    assert "`ideas` must be among base, " in done.stderr
    assert "received nonsense" in done.stderr


@pytest.mark.slow
def test_the_program_trains_and_reads_each_idea_named(run_program):
    names = ["affine", "batch_norm", "halved", "label_smoothing", "muon_half", "candidates_4"]
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

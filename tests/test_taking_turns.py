import io
import os
import sys
import threading

import numpy as np
import pytest

from benchmarks.taking_turns import Turns, ratio
from benchmarks.turn_process import TurnsElsewhere, training_elsewhere


def test_trainings_run_one_at_a_time_round_by_round():
    turns = Turns(["a", "b", "c"])
    done = []

    def train(name):
        turns.begin(name)
        for number in range(3):
            done.append((number, name))
            if number < 2:
                turns.next_round(name)
            else:
                turns.finish(name)

    turns.run({name: lambda name=name: train(name) for name in "abc"})
    assert done == [(number, name) for number in range(3) for name in "abc"]
    assert {name: len(seconds) for name, seconds in turns.seconds.items()} == dict.fromkeys(
        "abc", 3
    )


@pytest.mark.parametrize("failing", ["a", "b"])
def test_one_that_fails_ends_the_others(failing):
    turns = Turns(["a", "b"])
    threads = threading.active_count()

    def train(name):
        turns.begin(name)
        if name == failing:
            raise ValueError("no captchas")
        turns.next_round(name)
        turns.finish(name)

    with pytest.raises(ValueError, match="no captchas"):
        turns.run({name: lambda name=name: train(name) for name in "ab"})
    assert threading.active_count() == threads


ELSEWHERE = """
import sys
sys.path.insert(0, ".")
from benchmarks.turn_process import TurnsElsewhere
turns = TurnsElsewhere()
turns.begin("b")
for number in range(int(sys.argv[1])):
    turns.next_round("b")
turns.finish("b")
"""


def elsewhere(num_rounds, ends_after):
    command = [sys.executable, "-c", ELSEWHERE, str(ends_after)]
    return training_elsewhere(command, os.environ, num_rounds)


def test_a_training_of_another_process_takes_turns_too():
    turns = Turns(["a", "b"])

    def train():
        turns.begin("a")
        turns.next_round("a")
        assert len(turns.seconds["b"]) == 1
        turns.finish("a")

    turns.run({"a": train, "b": lambda: elsewhere(2, ends_after=1)(turns, "b")})
    assert {name: len(seconds) for name, seconds in turns.seconds.items()} == {"a": 2, "b": 2}
    assert {name: len(seconds) for name, seconds in turns.cpu_seconds.items()} == {"a": 2, "b": 2}


def test_one_of_another_process_that_ends_early_is_an_error():
    turns = Turns(["b"])
    with pytest.raises(RuntimeError, match="ended before its last round: 0"):
        turns.run({"b": lambda: elsewhere(3, ends_after=0)(turns, "b")})


def test_who_is_left_alone_waits_for_no_turn():
    with pytest.raises(EOFError, match="fit waits for its turn"):
        TurnsElsewhere(io.StringIO(), io.StringIO()).begin("fit")


def test_the_ratio_is_of_pairs_and_above_1_where_ours_is_faster():
    assert ratio([9, 1, 2, 4], [1, 2, 2, 2]) == "1.00 (from 0.50 to 2.00)"


@pytest.mark.slow
def test_the_network_for_fit_is_ours_and_its_loss_that_of_model_fn():
    import keras

    from benchmarks.against_fit import fit_model
    from model.model_fn import model_fn
    from model.networks import NetworkConfig, build_network
    from model.params import ModelParams

    config = NetworkConfig(image_shape=(12, 20, 3), num_positions=2, num_classes=3)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 12, 20, 3), np.uint8)
    labels = rng.integers(0, 3, (5, 2))
    ours = model_fn(
        {"image": images},
        labels,
        build_network(config),
        "eval",
        ModelParams(network=config),
        step=np.int64(0),
    )
    logits = fit_model(config, shift_rows=1, shift_columns=2)(images)  # [N, L, K]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    assert float(loss) == pytest.approx(float(ours.loss), rel=1e-5)
    np.testing.assert_array_equal(np.argmax(logits, axis=-1), ours.predictions["digits"])

"""`--warm_start_from` another alphabet: characters that both have keep what reads them."""

import numpy as np
import pytest

from model.description import ModelDescription
from model.known_characters import has_same_classes, take_heads_over
from model.networks import NetworkConfig, build_network


def description(alphabet, *, num_positions=2, has_blank=False, net="attention"):
    return ModelDescription(
        net=net,
        image_shape=(20, 30, 3),
        alphabet=alphabet,
        num_positions=num_positions,
        has_blank=has_blank,
    )


def network(description, seed):
    return build_network(
        NetworkConfig(
            name=description.net,
            image_shape=description.image_shape,
            num_positions=description.num_positions,
            num_classes=description.num_classes,
            has_blank=description.has_blank,
            seed=seed,
        )
    )


def heads(net):
    return {
        weight.path: weight.numpy() for weight in net.weights if weight.path.startswith("position_")
    }


@pytest.mark.parametrize(
    ("theirs", "ours", "taken"),  # `taken`: class here to class there.
    [
        (description("012AB"), description("B1X"), {0: 4, 1: 1}),
        (description("01"), description("10"), {0: 1, 1: 0}),
        (description("01"), description("XY"), {}),
        (description("01", has_blank=True), description("0Z", has_blank=True), {0: 0, 2: 2}),
        (description("01", has_blank=True), description("0Z"), {0: 0}),
        (description("01"), description("0Z", has_blank=True), {0: 0}),
        (description("01", net="small"), description("Z1", net="small"), {1: 1}),
    ],
    ids=["other_size", "other_order", "none", "blank", "blank_lost", "blank_new", "no_glimpses"],
)
def test_each_class_gets_the_weights_of_its_character(theirs, ours, taken):
    net = network(ours, seed=1)
    before, trained = heads(net), heads(network(theirs, seed=2))
    # Fresh biases are all 0, and would hide a mistake.
    trained = {name: value + np.arange(len(value.T), dtype="f") for name, value in trained.items()}
    take_heads_over(net, trained, theirs, ours)
    after = heads(net)
    assert after.keys() == trained.keys()
    for name, value in after.items():
        for k in range(ours.num_classes):
            wanted = trained[name][..., taken[k]] if k in taken else before[name][..., k]
            np.testing.assert_array_equal(value[..., k], wanted, err_msg=f"{name} {k}")


def test_heads_of_new_positions_stay_as_they_are():
    theirs, ours = description("01"), description("01", num_positions=3)
    net = network(ours, seed=1)
    before, trained = heads(net), heads(network(theirs, seed=2))
    take_heads_over(net, trained, theirs, ours)
    after = heads(net)
    for name, value in after.items():
        np.testing.assert_array_equal(value, trained.get(name, before[name]), err_msg=name)
    assert after.keys() - trained.keys() == {"position_2/kernel", "position_2/bias"}


def test_classes_are_the_same_whatever_the_number_of_positions():
    ours = description("01")
    assert has_same_classes(description("01", num_positions=5), ours)
    assert not has_same_classes(description("10"), ours)
    assert not has_same_classes(description("01", has_blank=True), ours)


@pytest.mark.slow
def test_a_training_goes_on_with_an_export_for_another_alphabet(
    barely_trained_model, run_program, tmp_path
):
    done = run_program("export", f"--model_dir={barely_trained_model}", f"--out={tmp_path / 'e'}")
    assert done.returncode == 0, done.stderr
    begin = (
        "train.py",
        "--mode=train",
        "--max_steps=1",
        "--batch_size=8",
        f"--warm_start_from={tmp_path / 'e'}",
    )
    for style, number in (("default", 33), ("letters", 23)):  # Without the weights of five heads.
        done = run_program(*begin, f"--data_dir=live:{style}", f"--model_dir={tmp_path / style}")
        assert done.returncode == 0, done.stderr
        assert f"{number} of 33 variables from {tmp_path / 'e'}" in done.stderr
        assert ("heads of 10 of 36 classes" in done.stderr) == (style == "letters")

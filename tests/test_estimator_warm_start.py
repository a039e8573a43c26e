import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from toy_estimator import (
    classifier_estimator,
    classifier_input_fn,
    classifier_model_fn,
    classifier_net,
    collect_log,
    weights,
)

from model.estimator import Estimator, checkpoint_values, fitting_variables
from model.estimator.warm_start import WarmStartSettings, warm_start


def save(folder, shapes):
    """Writes a checkpoint of step 5 whose weights, of these shapes by name, are 1, 2, ..."""
    names = {"net": list(shapes), "random": [], "optimizer": ["momentum"]}
    tf.train.Checkpoint(
        net=[
            tf.Variable(tf.fill(shape, float(value)))
            for value, shape in enumerate(shapes.values(), start=1)
        ],
        random=[],
        optimizer=[tf.Variable(9.0)],
        names=tf.Variable(json.dumps(names)),
        global_step=tf.Variable(5, dtype=tf.int64),
    ).write(f"{folder}/ckpt-5")


def fresh(shapes):
    """Variables of these shapes by name, all -1."""
    return {name: tf.Variable(tf.fill(shape, -1.0), name="v") for name, shape in shapes.items()}


def values(variables):
    """The number that fills each variable."""
    return [float(np.unique(variable.numpy()).item()) for variable in variables.values()]


def names(*of, shape=(2,)):
    return dict.fromkeys(of, shape)


TWO_LAYERS = names("conv/kernel", "conv/bias", "head/kernel", "head/bias")


@pytest.mark.parametrize(
    ("theirs", "ours", "options", "expected"),
    [
        (TWO_LAYERS, TWO_LAYERS, {}, [1, 2, 3, 4]),
        (TWO_LAYERS, TWO_LAYERS, {"vars_to_warm_start": None}, [-1, -1, -1, -1]),
        (TWO_LAYERS, TWO_LAYERS, {"vars_to_warm_start": "conv"}, [1, 2, -1, -1]),
        (TWO_LAYERS, TWO_LAYERS, {"vars_to_warm_start": ".*bias"}, [-1, 2, -1, 4]),
        (TWO_LAYERS, TWO_LAYERS, {"vars_to_warm_start": "bias|head"}, [-1, -1, 3, 4]),
        (TWO_LAYERS, TWO_LAYERS, {"vars_to_warm_start": ["conv/bias"]}, [-1, 2, -1, -1]),
        (TWO_LAYERS, TWO_LAYERS, {"vars_to_warm_start": []}, [-1, -1, -1, -1]),
        (
            TWO_LAYERS,
            names("conv/kernel", "conv/bias", "top/kernel"),
            {"vars_to_warm_start": "conv"},
            [1, 2, -1],
        ),
        (
            TWO_LAYERS,
            names("conv/kernel", "top/kernel"),
            {"var_name_to_prev_var_name": {"top/kernel": "head/kernel"}},
            [1, 3],
        ),
        (
            TWO_LAYERS,
            names("conv/kernel", "conv/bias"),
            {"var_name_to_prev_var_name": {"conv/kernel": "conv/bias"}},
            [2, 2],
        ),
        (names("b", "a"), names("a", "b"), {}, [2, 1]),
        (names("dense/kernel"), names("dense_3/kernel"), {}, [1]),
        (
            names("dense/kernel", "dense_1/kernel"),
            names("dense_1/kernel", "dense_2/kernel"),
            {},
            [1, 2],
        ),
        (
            names("dense/kernel", "dense_1/kernel"),
            names("dense_1/kernel", "dense/kernel"),
            {},
            [2, 1],
        ),
        (
            names("sequential_4/conv2d_9/kernel", "sequential_4/batch_normalization_2/gamma"),
            names("sequential/conv2d/kernel", "sequential/batch_normalization/gamma"),
            {},
            [1, 2],
        ),
        (
            names("dense/kernel", "dense_1/kernel"),
            names("dense_1/kernel", "dense_2/kernel", "dense_3/kernel"),
            {
                "vars_to_warm_start": ["dense_1/kernel"],
                "var_name_to_prev_var_name": {"dense_1/kernel": "dense_1/kernel"},
            },
            [2, -1, -1],
        ),
        (
            names("block_1/kernel", "block_2/kernel", "block_3/kernel"),
            names("block_2/kernel", "block_3/kernel"),
            {},
            [2, 3],
        ),
    ],
    ids=[
        *["all", "none", "beginning", "pattern", "begins_with_none_of_it", "list", "empty_list"],
        *["the_rest_is_new", "map", "map_beside_names", "another_order"],
        *["numbered", "numbered_on", "same_numbers", "numbers_at_each_level", "mapped_number"],
        "numbers_that_were_given",
    ],
)
def test_variables_take_the_values_of_their_names(tmp_path, theirs, ours, options, expected):
    save(tmp_path, theirs)
    variables = fresh(ours)
    warmed = warm_start(variables, WarmStartSettings(tmp_path, **options))
    assert values(variables) == expected
    assert warmed == [name for name, value in zip(ours, expected, strict=True) if value > 0]


@pytest.mark.parametrize(
    ("theirs", "ours", "options", "message"),
    [
        (
            TWO_LAYERS,
            names("conv/kernel", "top/kernel"),
            {},
            r"must be in .*ckpt-5 \(.*head/kernel.*\), received top/kernel: not there, "
            "or numbered by Keras and unclear. Limit `vars_to_warm_start` to others, or map",
        ),
        (
            names("dense/kernel", "dense_1/kernel"),
            names("dense/kernel", "dense_1/kernel", "dense_2/kernel"),
            {},
            "received dense/kernel, dense_1/kernel, dense_2/kernel: not there, or",
        ),
        (
            names("a", shape=(2, 3)),
            names("a", shape=(3, 2)),
            {},
            r"must be as in .*: a is float32 \[3, 2\], a there is float32 \[2, 3\]. Limit",
        ),
        (
            {**names("a"), "b": (3,)},
            names("a", "b"),
            {},
            r"b is float32 \[2\], b there is float32 \[3\]",
        ),
        (
            TWO_LAYERS,
            TWO_LAYERS,
            {"vars_to_warm_start": "cnov"},
            r"`vars_to_warm_start` must match variables of this program \(conv/kernel, .*\), "
            "received cnov",
        ),
        (
            TWO_LAYERS,
            TWO_LAYERS,
            {"vars_to_warm_start": ["conv/bias", "conv"]},
            r"`vars_to_warm_start` must match .* received conv\. Correct",
        ),
        (
            TWO_LAYERS,
            TWO_LAYERS,
            {"var_name_to_prev_var_name": {"top/kernel": "head/kernel"}},
            "`var_name_to_prev_var_name` must map .* received top/kernel. Remove",
        ),
        (
            TWO_LAYERS,
            TWO_LAYERS,
            {
                "vars_to_warm_start": "conv",
                "var_name_to_prev_var_name": {"head/kernel": "head/kernel"},
            },
            "`var_name_to_prev_var_name` must map .* received head/kernel. Remove",
        ),
        (
            TWO_LAYERS,
            TWO_LAYERS,
            {"var_name_to_prev_var_name": {"conv/bias": "tail/bias"}},
            r"must be in .*, received tail/bias: not there, or",
        ),
        (TWO_LAYERS, names("momentum"), {}, "received momentum: not there, or"),
        (TWO_LAYERS, names("global_step"), {}, "received global_step: not there, or"),
    ],
    ids=[
        *["missing", "ambiguous_numbers", "shape", "one_of_two", "unmatched_pattern"],
        *["unknown_name", "unused_entry", "entry_not_wanted", "entry_to_nothing"],
        *["optimizer", "step"],
    ],
)
def test_what_does_not_fit_is_one_line_and_changes_nothing(
    tmp_path, theirs, ours, options, message
):
    save(tmp_path, theirs)
    variables = fresh(ours)
    with pytest.raises(ValueError, match=message) as caught:
        warm_start(variables, WarmStartSettings(tmp_path, **options))
    assert "\n" not in str(caught.value)
    assert set(values(variables)) == {-1.0}


def test_another_dtype_is_refused(tmp_path):
    save(tmp_path, names("a"))
    variables = {"a": tf.Variable(tf.zeros([2], tf.bfloat16))}
    with pytest.raises(ValueError, match=r"a is bfloat16 \[2\], a there is float32 \[2\]"):
        warm_start(variables, WarmStartSettings(tmp_path))


def test_a_long_list_of_names_is_cut(tmp_path):
    save(tmp_path, names("a"))
    with pytest.raises(ValueError, match="received x0, x1, x2, x3, x4, x5 and 4 more: not there"):
        warm_start(fresh(names(*(f"x{i}" for i in range(10)))), WarmStartSettings(tmp_path))


@pytest.mark.parametrize("place", ["", "ckpt-5"], ids=["model_dir", "path"])
def test_the_place_is_a_checkpoint_or_a_model_dir(tmp_path, place):
    save(tmp_path, names("a"))
    assert warm_start(fresh(names("a")), WarmStartSettings(tmp_path / place)) == ["a"]


@pytest.mark.parametrize("place", ["empty", "none", "ckpt-6", "ckpt-5.index"])
def test_a_place_without_a_checkpoint_is_refused(tmp_path, place):
    save(tmp_path, names("a"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="`ckpt_to_initialize_from` must be a checkpoint"):
        warm_start(fresh(names("a")), WarmStartSettings(tmp_path / place))


def save_as_export(folder, shapes):
    """A SavedModel whose weights, of these shapes by name, are 1, 2, ..."""
    module = tf.Module()
    module.net_variables = [
        tf.Variable(tf.fill(shape, float(value)), name=name)
        for value, (name, shape) in enumerate(shapes.items(), start=1)
    ]
    tf.saved_model.save(module, str(folder))


@pytest.mark.parametrize("place", ["", "10", "10/variables/variables"])
def test_the_place_may_be_an_export_or_a_folder_of_its_versions(tmp_path, place):
    save_as_export(tmp_path / "9", names("a", "c"))
    save_as_export(tmp_path / "10", names("conv/kernel", "b", shape=(3,)))
    ours = fresh(names("conv/kernel", "b", shape=(3,)))
    assert warm_start(ours, WarmStartSettings(tmp_path / place)) == ["conv/kernel", "b"]
    assert values(ours) == [1, 2]
    assert fitting_variables(fresh(names("b", shape=(3,))), tmp_path / place) == ("b",)
    theirs = {name: list(value) for name, value in checkpoint_values(tmp_path / place).items()}
    assert theirs == {"conv/kernel": [1, 1, 1], "b": [2, 2, 2]}


@pytest.mark.parametrize("suffix", ["index", "data-00000-of-00001"])
def test_an_export_that_ends_too_soon_is_refused(tmp_path, suffix):
    save_as_export(tmp_path, names("a"))
    file = tmp_path / "variables" / f"variables.{suffix}"
    file.write_bytes(file.read_bytes()[:5])
    with pytest.raises(ValueError, match=r"must be the variables of a whole SavedModel, received"):
        warm_start(fresh(names("a")), WarmStartSettings(tmp_path))


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"must be a regular expression .* received '\*' \("):
        WarmStartSettings("x", "*")


# In an Estimator


def estimator_from(model_dir, source, net_fn=classifier_net, **options):
    return Estimator(
        classifier_model_fn,
        model_dir,
        net_fn=lambda params: net_fn(),
        optimizer_fn=lambda params: keras.optimizers.SGD(0.0),
        warm_start_from=WarmStartSettings(source, **options),
    )


def signatures_fn(net):
    @tf.function(input_signature=[tf.TensorSpec([None, 16], tf.float32)])
    def serving_default(x):
        return {"logits": net(x, training=False)}

    return {"serving_default": serving_default}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return classifier_estimator(tmp_path_factory.mktemp("source")).train(
        classifier_input_fn, steps=3
    )


def test_a_new_run_begins_with_the_weights_at_step_0(source, tmp_path, monkeypatch):
    lines = collect_log(monkeypatch)
    estimator = estimator_from(tmp_path, source.model_dir).train(classifier_input_fn, steps=1)
    assert estimator.global_step == 1
    for ours, theirs in zip(
        estimator.net.trainable_weights, source.net.trainable_weights, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    # 2 of the convolution, 4 of the normalisation, 2 of each dense layer.
    assert f"warm  | 10 of 10 variables from {source.model_dir}/ckpt-3" in lines


def test_what_was_exported_can_be_trained_on(source, tmp_path):
    source.export_saved_model(tmp_path / "exports", signatures_fn)
    estimator = estimator_from(tmp_path / "model", tmp_path / "exports").train(
        classifier_input_fn, steps=1
    )
    for ours, theirs in zip(
        estimator.net.trainable_weights, source.net.trainable_weights, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_that_has_a_checkpoint_goes_on_from_that(source, tmp_path):
    first = classifier_estimator(tmp_path, optimizer=keras.optimizers.SGD)
    first.train(classifier_input_fn, steps=2)
    before = weights(first)
    # The place need not be there any more.
    resumed = estimator_from(tmp_path, tmp_path / "gone").train(classifier_input_fn, steps=1)
    assert resumed.global_step == 3
    np.testing.assert_array_equal(weights(resumed)[0], before[0])


def test_another_head_keeps_the_rest(source, tmp_path):
    estimator = estimator_from(
        tmp_path, source.model_dir, lambda: classifier_net(units=9), vars_to_warm_start=".*conv"
    ).train(classifier_input_fn, steps=1)
    np.testing.assert_array_equal(estimator.net.weights[0], source.net.weights[0])
    with pytest.raises(ValueError, match=r"is float32 \[64, 9\], .* there is float32 \[64, 8\]"):
        estimator_from(tmp_path / "all", source.model_dir, lambda: classifier_net(units=9)).train(
            classifier_input_fn, steps=1
        )

import dataclasses
import json
import shutil
from types import SimpleNamespace

import exported_network
import numpy as np
import pytest
from toy_export import DESCRIPTION, SEED, export_toy_network

from export.reader import Reader
from labelling.audit_folder import Picture
from labelling.examples import Examples
from labelling.exported_weights import fresh_weights, load_exported
from labelling.safe_start import choose_start
from model.captcha_estimator import network_config
from model.networks import build_network


@pytest.fixture(scope="module")
def exported_path(tmp_path_factory):
    return export_toy_network(tmp_path_factory.mktemp("export"))


def by_name(config, values):
    paths = [weight.path for weight in build_network(config).weights]
    return dict(zip(paths, values, strict=True))


def test_the_weights_are_those_of_the_network_that_was_exported(exported_path):
    exported = load_exported(exported_path)
    assert exported.description == DESCRIPTION
    config = network_config(DESCRIPTION, dropout=0)
    found = by_name(config, exported.weights_for(config, "147", seed=9))
    drawn = by_name(config, fresh_weights(config, seed=SEED))
    for path in drawn:
        np.testing.assert_array_equal(found[path], drawn[path], err_msg=path)


@pytest.mark.parametrize(
    ("changes", "alphabet", "fresh_heads"),
    [
        ({}, "147", []),
        ({"num_positions": 3}, "147", ["position_2"]),
        ({"num_positions": 1}, "147", []),
        ({}, "148", ["position_0", "position_1"]),
        ({"num_classes": 4}, "1478", ["position_0", "position_1"]),
    ],
    ids=["the_same", "longer", "shorter", "other_characters", "more_characters"],
)
def test_heads_for_other_characters_and_places_are_fresh_and_the_rest_is_exported(
    exported_path, changes, alphabet, fresh_heads
):
    exported = load_exported(exported_path)
    config = dataclasses.replace(network_config(DESCRIPTION, dropout=0), **changes)
    weights = by_name(config, exported.weights_for(config, alphabet, seed=9))
    fresh = by_name(config, fresh_weights(config, seed=9))
    for path, value in weights.items():
        layer = path.split("/")[0]
        wanted = fresh[path] if layer in fresh_heads else exported.weights[path]
        np.testing.assert_array_equal(value, wanted, err_msg=path)
    assert {path.split("/")[0] for path in weights} >= set(fresh_heads)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: (path / "assets.extra/model.json").unlink(), "No such file"),
        (lambda path: (path / "assets.extra/model.json").write_text("{"), "Expecting"),
        (lambda path: (path / "assets.extra/model.json").write_text("{}"), "net"),
        (lambda path: shutil.rmtree(path / "variables"), "variables"),
        (
            lambda path: (path / "assets.extra/model.json").write_text(
                json.dumps({**dataclasses.asdict(DESCRIPTION), "image_shape": [40, 40, 3]})
            ),
            "fc1/kernel has the shape",
        ),
        (
            lambda path: (path / "assets.extra/model.json").write_text(
                json.dumps({**dataclasses.asdict(DESCRIPTION), "net": "vast"})
            ),
            "`net` must be one of",
        ),
    ],
    ids=["no_description", "no_json", "no_net", "no_weights", "other_weights", "other_net"],
)
def test_what_is_no_export_of_ours_is_refused_in_one_line(exported_path, tmp_path, damage, reason):
    path = tmp_path / "1"
    shutil.copytree(exported_path, path)
    damage(path)
    with pytest.raises(ValueError, match="must hold the weights of a network of ours") as caught:
        load_exported(path)
    assert reason in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("more", "known"),
    [
        ({}, False),
        ({"trained_on": {"generator": "data_gen"}}, True),
        ({"trained_on": {"generator": "data_gen --from_images"}}, False),
        ({"trained_on": "data_gen"}, False),
    ],
    ids=["silent", "drawn", "imported", "unclear"],
)
def test_an_export_may_say_that_it_was_trained_on_drawings(tmp_path, more, known):
    assert load_exported(export_toy_network(tmp_path, **more)).trained_on_drawings is known


def examples(labels):
    return Examples(
        pictures=[Picture("", label, "train", index, "") for index, label in enumerate(labels)],
        pixels=np.zeros((len(labels), 12, 20, 3), np.uint8),
        labels=np.zeros((len(labels), 2), int),
        groups=np.arange(len(labels)),
    )


@pytest.mark.parametrize(
    ("wanted", "num_read", "trained_on_drawings", "takes"),
    [
        ("auto", 0, False, "exported"),
        ("auto", 20, False, "exported"),  # 9 labels are possible: by chance 11 of 100 are read.
        ("auto", 22, False, "fresh"),
        ("auto", 98, False, "fresh"),
        ("auto", 98, True, "exported"),
        ("model", 98, False, "exported"),
        ("fresh", 0, True, "fresh"),
    ],
)
def test_weights_that_may_know_the_labels_are_left_alone(
    exported_path, caplog, wanted, num_read, trained_on_drawings, takes
):
    exported = dataclasses.replace(
        load_exported(exported_path), trained_on_drawings=trained_on_drawings
    )
    reader = SimpleNamespace(
        path="exports/7",
        read_images=lambda images: SimpleNamespace(
            texts=["14"] * num_read + ["77"] * (100 - num_read)
        ),
    )
    config = network_config(DESCRIPTION, dropout=0)
    with caplog.at_level("INFO", "absl"):
        start = choose_start(wanted, examples(["14"] * 100), reader, exported, config, "147")
    is_exported = by_name(config, start(3))["fc1/kernel"] is exported.weights["fc1/kernel"]
    assert is_exported == (takes == "exported")
    (line,) = (record.getMessage() for record in caplog.records)
    assert ("from fresh weights" in line) == (takes == "fresh")
    if (wanted, takes) == ("auto", "fresh"):
        assert "--start=model" in line
        assert f"{num_read}.0 % as labelled" in line


def test_fresh_starts_are_as_different_as_their_seeds(exported_path):
    config = network_config(DESCRIPTION, dropout=0)
    exported = load_exported(exported_path)
    start = choose_start("fresh", examples([]), None, exported, config, "147")
    assert (
        by_name(config, start(1))["fc1/kernel"] != by_name(config, start(2))["fc1/kernel"]
    ).any()


def test_a_network_of_others_is_refused_before_it_is_started_from(tmp_path):
    exported_network.save(exported_network.build_net(), tmp_path / "1")
    with pytest.raises(ValueError, match="must hold the weights of a network of ours"):
        load_exported(Reader(tmp_path).path)

import dataclasses
import json

import pytest

from model.captcha_estimator import network_config
from model.description import (
    ModelDescription,
    check_same,
    description_beside,
    has_description,
    load_description,
    save_description,
)

TRAINED = ModelDescription(
    net="small", image_shape=(30, 100, 3), alphabet="0123456789", num_positions=4
)


def test_a_description_is_read_as_it_was_written(tmp_path):
    assert not has_description(tmp_path)
    save_description(TRAINED, tmp_path)
    assert has_description(tmp_path)
    assert load_description(tmp_path) == TRAINED
    assert [path.name for path in tmp_path.iterdir()] == ["model.json"]


def test_an_older_description_is_read_as_what_was_trained_then(tmp_path):
    save_description(TRAINED, tmp_path)
    path = tmp_path / "model.json"
    values = json.loads(path.read_text())
    assert values.pop("has_blank") is False
    assert values.pop("activation") == "relu"
    path.write_text(json.dumps(values))
    assert load_description(tmp_path) == TRAINED
    assert network_config(load_description(tmp_path)).activation == "relu"


def test_what_a_checkpoint_reads_is_said_beside_it_above_it_and_in_an_export(tmp_path):
    assert description_beside(tmp_path / "ckpt-1") is None
    save_description(TRAINED, tmp_path)
    for place in ("ckpt-1", "best/ckpt-1"):
        assert description_beside(tmp_path / place) == TRAINED
    extra = tmp_path / "exports" / "1" / "assets.extra"
    extra.mkdir(parents=True)
    said = json.loads((tmp_path / "model.json").read_text())
    (extra / "model.json").write_text(json.dumps({**said, "step": 7}))
    assert description_beside(extra.parent / "variables" / "variables") == TRAINED
    (extra / "model.json").write_text("{")
    with pytest.raises(ValueError, match=r"model\.json must say what the network beside it reads"):
        description_beside(extra.parent / "variables" / "variables")


@pytest.mark.parametrize(("has_blank", "num_classes"), [(False, 10), (True, 11)])
def test_the_blank_is_one_class_behind_the_alphabet(has_blank, num_classes):
    description = dataclasses.replace(TRAINED, has_blank=has_blank)
    assert description.num_classes == num_classes
    network = network_config(description)
    assert network.num_classes == num_classes
    assert network.blank == (10 if has_blank else None)


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"net": "book"}, "net 'small' against 'book'"),
        ({"image_shape": (60, 160, 3)}, r"image_shape \(30, 100, 3\) against \(60, 160, 3\)"),
        ({"alphabet": "ABC"}, "alphabet '0123456789' against 'ABC'"),
        ({"num_positions": 5}, "num_positions 4 against 5"),
        ({"has_blank": True}, "has_blank False against True"),
        ({"activation": "leaky_relu"}, "activation 'relu' against 'leaky_relu'"),
    ],
)
def test_other_data_or_another_network_is_refused_with_the_difference(options, difference):
    wanted = ModelDescription(**{**vars(TRAINED), **options})
    with pytest.raises(ValueError, match=difference):
        check_same(TRAINED, wanted, "models/captcha")


def test_the_same_is_accepted():
    check_same(TRAINED, TRAINED, "models/captcha")


def test_a_folder_without_a_model_is_refused_with_the_command_that_trains_one(tmp_path):
    with pytest.raises(ValueError, match=r"without model\.json\. Train one: python train\.py"):
        load_description(tmp_path)
    with pytest.raises(ValueError, match=r"without model\.json"):
        load_description(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"net": "small"}', '{"other": 1}'])
def test_a_damaged_description_is_refused(tmp_path, text):
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(ValueError, match=r"must be as train\.py wrote it"):
        load_description(tmp_path)

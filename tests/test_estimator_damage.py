"""A damaged checkpoint is noticed, never used, never a crash; the one before takes its place."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from killed_training import VARIANTS, differences, result, write_data
from tiny_dataset import files_of
from toy_estimator import (
    assert_equal_weights,
    classifier_estimator,
    classifier_input_fn,
    classifier_net,
    collect_log,
    line_estimator,
    line_input_fn,
)

from model.estimator.checkpoint_file import CheckpointFile
from model.estimator.tensor_file import DamagedCheckpointError

TEN = line_input_fn(x=range(10), batch_size=1)
DATA = ".data-00000-of-00001"
_FOOTER_BYTES = 48  # Of an index: where its blocks are. It has no checksum.
NUM_FLIPS = 200


def _cut(content):
    return content[: len(content) // 2]


def _flip(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGES = {
    "cut": _cut,
    "last_byte_cut": lambda content: content[:-1],
    "empty": lambda content: b"",
    "zeros": lambda content: bytes(len(content)),
    "flipped": _flip,
}


def damage(path, how):
    content = path.read_bytes()
    path.unlink()  # `best/` may have a link to it, whose content stays whole.
    path.write_bytes(DAMAGES[how](content))


def evaluate(estimator, **options):
    return estimator.evaluate(line_input_fn(repeat=False), **options)["global_step"]


def predict(estimator, **options):
    # y = w x; the line tells its step by its weight.
    return next(estimator.predict(line_input_fn(repeat=False), **options))["y"]


def export(estimator, **options):
    def signatures_fn(net):
        serve = tf.function(lambda x: {"y": net(x)}, input_signature=[tf.TensorSpec([None])])
        return {"serving_default": serve}

    estimator.export_saved_model(f"{estimator.model_dir}-exports", signatures_fn, **options)


def train_on(estimator):
    estimator.train(TEN, max_steps=9)


USES = [evaluate, predict, export]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with checkpoints of steps 0, 2, 4 and 6."""
    model_dir = tmp_path_factory.mktemp("trained") / "model"
    line_estimator(model_dir, save_checkpoints_steps=2).train(TEN, max_steps=6)
    return model_dir


@pytest.fixture
def model_dir(trained, tmp_path):
    """A copy of it, to be damaged."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name, content in files_of(trained).items():
        (folder / name).write_bytes(content)
    return folder


# All kinds of damage for one of them, as the others find their checkpoint by the same call.
@pytest.mark.parametrize(
    ("use", "how"),
    [(use, how) for use in USES for how in (DAMAGES if use is evaluate else ["cut"])],
)
@pytest.mark.parametrize("suffix", [".index", DATA])
def test_what_only_looks_uses_the_one_before_warns_and_moves_nothing(
    model_dir, monkeypatch, use, suffix, how
):
    damage(model_dir / f"ckpt-6{suffix}", how)
    before = files_of(model_dir)
    lines = collect_log(monkeypatch)
    estimator = line_estimator(model_dir)
    use(estimator)
    assert int(estimator._live.program.global_step) == 4
    (line,) = [line for line in lines if "cannot be read" in line]
    assert line.startswith(f"checkpoint {model_dir}/ckpt-6 cannot be read (")
    assert line.endswith(f"): going back to {model_dir}/ckpt-4")
    after = files_of(model_dir)
    assert {name: after[name] for name in before} == before


def test_where_the_one_before_is_damaged_too_the_one_before_that_is_used(model_dir, monkeypatch):
    damage(model_dir / "ckpt-6.index", "cut")
    damage(model_dir / f"ckpt-4{DATA}", "flipped")
    lines = collect_log(monkeypatch)
    estimator = line_estimator(model_dir)
    train_on(estimator)
    warnings = [line for line in lines if "cannot be read" in line]
    assert [line.rpartition(": going back to ")[2] for line in warnings] == [
        f"{model_dir}/ckpt-2"
    ] * 2
    assert sorted(path.name for path in model_dir.glob("damaged-*")) == [
        f"damaged-ckpt-{step}{suffix}" for step in (4, 6) for suffix in (DATA, ".index")
    ]
    whole = line_estimator(model_dir.with_name("whole")).train(TEN, max_steps=9)
    assert_equal_weights(estimator, whole)


def test_values_without_an_index_are_what_a_kill_leaves_and_no_checkpoint(model_dir):
    (model_dir / "ckpt-6.index").unlink()
    estimator = line_estimator(model_dir)
    assert evaluate(estimator) == 4
    train_on(estimator)
    assert not list(model_dir.glob("damaged-*"))


def test_values_of_another_step_under_an_index_are_damage(model_dir):
    (model_dir / f"ckpt-6{DATA}").write_bytes((model_dir / f"ckpt-4{DATA}").read_bytes())
    assert evaluate(line_estimator(model_dir)) == 4


@pytest.mark.parametrize("use", [*USES, train_on])
def test_if_all_are_damaged_it_is_one_line_and_nothing_is_begun_anew(model_dir, use):
    for path in model_dir.glob("ckpt-*.index"):
        damage(path, "cut")
    before = files_of(model_dir.parent)
    with pytest.raises(ValueError, match=f"checkpoint {model_dir}/ckpt-6 must be whole") as caught:
        use(line_estimator(model_dir))
    assert "\n" not in str(caught.value)
    assert files_of(model_dir.parent) == before


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("suffix", [".index", DATA])
def test_a_checkpoint_that_was_asked_for_is_not_replaced_by_another(model_dir, use, suffix):
    damage(model_dir / f"ckpt-4{suffix}", "zeros")
    before = files_of(model_dir.parent)
    with pytest.raises(ValueError, match=f"checkpoint {model_dir}/ckpt-4 must be whole") as caught:
        use(line_estimator(model_dir), checkpoint_path=model_dir / "ckpt-4")
    assert "\n" not in str(caught.value)
    assert files_of(model_dir.parent) == before


# Any byte


def _values(path) -> dict:
    file = CheckpointFile(str(path))
    file.check_whole()
    names = {group: file.names(group) for group in ("net", "random", "optimizer", "average")}
    values = {name: file.value(name) for name in names["net"] + names["optimizer"]}
    return {
        "names": names,
        "values": {name: np.asarray(value).tobytes() for name, value in values.items()},
        "step": file.global_step,
        "hooks": file.hook_states,
        "iterator": file.iterator,
    }


def _flips():
    rng = np.random.default_rng(11)
    for _ in range(NUM_FLIPS):
        yield (".index", DATA)[rng.integers(2)], rng.uniform(), int(rng.integers(1, 256))
    for byte in range(_FOOTER_BYTES):
        for bit in range(8):
            yield ".index", -1 - byte, 1 << bit


def test_a_changed_byte_is_noticed_or_changes_nothing_and_tensorflow_lives(tmp_path):
    """Also in the place in the input, which TensorFlow itself takes apart before it looks."""
    model_dir = tmp_path / "model"
    estimator = classifier_estimator(model_dir, ema_decay=0.9)
    estimator.train(classifier_input_fn, max_steps=2)
    path = model_dir / "ckpt-2"
    wanted = _values(path)
    assert len(wanted["iterator"]) > 1000
    num_noticed = 0
    for suffix, place, bits in _flips():
        file = path.with_suffix(suffix)
        content = file.read_bytes()
        changed = bytearray(content)
        changed[place if place < 0 else int(place * len(content))] ^= bits
        file.write_bytes(changed)
        try:
            assert _values(path) == wanted
        except DamagedCheckpointError:
            num_noticed += 1
        file.write_bytes(content)
    assert num_noticed > 0.9 * NUM_FLIPS


# A whole run


_TRAIN = """
import pathlib, sys
sys.path.insert(0, "tests")
from killed_training import train
train(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3])
"""


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_run_that_finds_its_newest_checkpoint_damaged_ends_with_the_same_bits(
    tmp_path, run_program, variant
):
    """Though its evaluation, its exports and its history were of that very checkpoint."""
    data, whole, model_dir = (tmp_path / name for name in ("data", "whole", "model"))
    write_data(data)
    for folder in (whole, model_dir):
        done = run_program("-c", _TRAIN, data, folder, variant)
        assert done.returncode == 0, done.stderr
    damage(model_dir / f"ckpt-24{DATA}", "flipped")
    done = run_program("-c", _TRAIN, data, model_dir, variant)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("cannot be read") == 1
    assert len(list(model_dir.glob("damaged-ckpt-24.*"))) == 2
    found = differences(result(whole), result(model_dir))
    # The step is exported once more: tf.data writes one place in the input in several ways, so it
    # is another checkpoint of the same weights.
    assert [name for name in found if not name.startswith("export/latest/")] == []


def test_a_place_that_tf_data_cannot_restore_begins_the_input_anew_and_says_so(
    model_dir, monkeypatch
):
    def fail(**_):
        raise tf.errors.InternalError(None, None, "Unexpected end of sequence")

    monkeypatch.setattr(tf.raw_ops, "DeserializeIterator", fail)
    lines = collect_log(monkeypatch)
    estimator = line_estimator(model_dir).train(TEN, steps=1)
    assert estimator.get_variable_value("seen") == 0
    assert "input | starts anew: its place cannot be restored (Unexpected end of sequence)" in lines


# Another network


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"net_fn": lambda: classifier_net(units=9)}, r"kernel is float32 \[64, 9\], in the ch"),
        ({"net_fn": lambda: classifier_net(extra_layer=True)}, "is not in the checkpoint"),
        ({"optimizer": keras.optimizers.SGD}, "is in the checkpoint alone"),
    ],
    ids=["wider", "deeper", "optimizer"],
)
def test_a_checkpoint_of_another_program_is_refused_and_not_taken_for_a_damaged_one(
    tmp_path, change, message
):
    classifier_estimator(tmp_path, save_checkpoints_steps=1).train(classifier_input_fn, steps=2)
    before = files_of(tmp_path)
    with pytest.raises(ValueError, match=message) as caught:
        classifier_estimator(tmp_path, **change).train(classifier_input_fn, steps=1)
    assert "\n" not in str(caught.value)
    assert files_of(tmp_path) == before

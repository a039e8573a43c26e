import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from toy_estimator import FEATURES, classifier_estimator, classifier_input_fn

from model.estimator import exporting


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return classifier_estimator(tmp_path_factory.mktemp("model"), save_checkpoints_steps=3).train(
        classifier_input_fn, max_steps=5
    )


def signatures_fn(net):
    @tf.function(input_signature=[tf.TensorSpec([None, 16], tf.float32, name="x")])
    def serving_default(x):
        return {"probabilities": tf.nn.softmax(net(x, training=False))}

    return {"serving_default": serving_default}


def expected(classifier):
    return np.asarray(tf.nn.softmax(classifier.net(FEATURES, training=False)))


def test_an_export_is_one_numeric_folder_and_loads(classifier, tmp_path):
    version = classifier.export_saved_model(tmp_path / "exports", signatures_fn)
    (only,) = (tmp_path / "exports").iterdir()
    assert str(only) == version
    assert only.name.isdecimal()
    signature = tf.saved_model.load(version).signatures["serving_default"]
    np.testing.assert_allclose(
        signature(x=tf.constant(FEATURES))["probabilities"], expected(classifier), atol=1e-6
    )


@pytest.mark.slow
def test_the_loader_of_tensorflow_serving_reads_it_too(classifier, tmp_path):
    # Exports that hold a Keras model load in Python and fail here: "Could not find variable".
    version = classifier.export_saved_model(tmp_path / "exports", signatures_fn)
    np.save(tmp_path / "x.npy", FEATURES)
    program = pathlib.Path(sys.executable).with_name("saved_model_cli")
    done = subprocess.run(
        [
            *[program, "run", "--dir", version, "--tag_set", "serve"],
            *["--signature_def", "serving_default", "--inputs", f"x={tmp_path / 'x.npy'}"],
            *["--outdir", tmp_path / "out"],
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(
        np.load(tmp_path / "out" / "probabilities.npy"), expected(classifier), atol=1e-5
    )


def test_every_export_has_a_higher_version(classifier, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting.time, "time", lambda: 1700000000.5)  # A clock that stands still.
    versions = [
        pathlib.Path(classifier.export_saved_model(tmp_path, signatures_fn)).name for _ in range(2)
    ]
    assert versions == ["1700000000", "1700000001"]


def test_assets_extra_are_copied(classifier, tmp_path):
    (tmp_path / "warm_up").write_bytes(b"requests")
    version = classifier.export_saved_model(
        tmp_path / "exports",
        signatures_fn,
        assets_extra={"deep/requests": tmp_path / "warm_up"},
    )
    copied = pathlib.Path(version) / "assets.extra" / "deep" / "requests"
    assert copied.read_bytes() == b"requests"


def test_an_older_checkpoint_can_be_exported(classifier, tmp_path):
    paths = [
        classifier.export_saved_model(tmp_path, signatures_fn, checkpoint_path=checkpoint)
        for checkpoint in (f"{classifier.model_dir}/ckpt-3", None)
    ]
    older, newest = (
        tf.saved_model.load(path).signatures["serving_default"](x=tf.constant(FEATURES))
        for path in paths
    )
    assert not np.allclose(older["probabilities"], newest["probabilities"])
    np.testing.assert_allclose(newest["probabilities"], expected(classifier), atol=1e-6)


def test_an_export_that_fails_leaves_nothing(classifier, tmp_path):
    def failing(net):
        raise ValueError("no signatures")

    with pytest.raises(ValueError, match="no signatures"):
        classifier.export_saved_model(tmp_path / "exports", failing)
    assert list((tmp_path / "exports").iterdir()) == []

import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import train
from export.exporter import ExportConfig, Exported, export_model
from export.light_reader import LightReader
from export.reader import Reader
from labelling.exported_weights import load_exported
from model.captcha_estimator import captcha_estimator, load_estimator, network_config
from model.description import ModelDescription, save_description
from model.params import ModelParams
from model.trained_on import TrainedOn, save_trained_on

DESCRIPTION = ModelDescription(
    net="small", image_shape=(16, 24, 3), alphabet="0123456789", num_positions=2
)
RNG = np.random.default_rng((8, 0, 0))
IMAGES = RNG.integers(0, 256, [6, 16, 24, 3], np.uint8)


TRAINED_ON = TrainedOn(data_dir="d", generator="data_gen", identity="0f")


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    """Three steps in bfloat16, as a machine that has it would train."""
    folder = tmp_path_factory.mktemp("model")
    save_description(DESCRIPTION, folder)
    save_trained_on(TRAINED_ON, folder)
    params = ModelParams(
        network=network_config(DESCRIPTION, dtype_policy="mixed_bfloat16"),
        warmup_steps=1,
        total_steps=3,
    )
    labels = RNG.integers(0, 10, [6, 2])

    def input_fn():
        return tf.data.Dataset.from_tensors(({"image": IMAGES}, labels)).repeat()

    captcha_estimator(params, folder).train(input_fn, max_steps=3)
    return folder


@pytest.fixture(scope="module")
def expected(model_dir):
    """Probabilities `[6, 2, 10]` of the network in this process, restored, in float32."""
    estimator, _ = load_estimator(model_dir)
    batches = estimator.predict(
        lambda: tf.data.Dataset.from_tensors({"image": IMAGES}), yield_single_examples=False
    )
    return next(batches)["probabilities"]


@pytest.fixture(scope="module")
def exported(model_dir, tmp_path_factory):
    out = tmp_path_factory.mktemp("exports") / "captcha"
    return export_model(ExportConfig(model_dir=str(model_dir), out=str(out)))


def test_the_export_is_one_numeric_version_folder(exported):
    assert [path.name for path in exported.path.parent.iterdir()] == [exported.path.name]
    assert exported.path.name.isdecimal()
    assert exported.step == 3


def test_the_description_says_what_the_export_reads(exported):
    assert json.loads((exported.path / "assets.extra" / "model.json").read_text()) == {
        "net": "small",
        "image_shape": [16, 24, 3],
        "alphabet": "0123456789",
        "num_positions": 2,
        "has_blank": False,
        "activation": "relu",
        "step": 3,
        "trained_on": {"data_dir": "d", "generator": "data_gen", "identity": "0f"},
    }


def test_the_export_reads_in_float32_what_was_trained_in_bfloat16(exported, expected):
    readings = Reader(exported.path.parent).read_images(IMAGES)
    np.testing.assert_allclose(readings.probabilities, expected, atol=1e-5)


def test_a_second_export_is_the_newer_version(model_dir, exported, tmp_path):
    out = tmp_path / "captcha"
    shutil.copytree(exported.path, out / exported.path.name)
    second = export_model(ExportConfig(model_dir=str(model_dir), out=str(out)))
    assert int(second.path.name) > int(exported.path.name)
    assert Reader(out).path == second.path


def run_saved_model_cli(exported, out, signature, name, values):
    """Runs a signature with TensorFlow's C++ loader, as a server would."""
    out.mkdir()
    np.save(out / "input.npy", values)
    result = subprocess.run(
        [
            *(sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "run"),
            *("--dir", exported.path, "--tag_set", "serve", "--signature_def", signature),
            *("--inputs", f"{name}={out}/input.npy", "--outdir", out),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return {
        output: np.load(out / f"{output}.npy", allow_pickle=True)
        for output in ("text", "digits", "probabilities", "confidence")
    }


def png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signature", "name", "values"),
    [
        ("serving_default", "image", IMAGES),
        ("serving_bytes", "image_bytes", np.array([png(image) for image in IMAGES])),
    ],
    ids=["pixels", "png_files"],
)
def test_the_cpp_loader_reads_what_the_network_in_process_reads(
    exported, expected, tmp_path, signature, name, values
):
    outputs = run_saved_model_cli(exported, tmp_path / "run", signature, name, values)
    digits = expected.argmax(axis=-1)
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-5)
    np.testing.assert_array_equal(outputs["digits"], digits)
    np.testing.assert_allclose(
        outputs["confidence"], expected.max(axis=-1).prod(axis=-1), atol=1e-5
    )
    assert [text.decode() for text in outputs["text"]] == ["".join(map(str, row)) for row in digits]


def test_a_missing_model_dir_is_refused_with_the_command_that_trains_one(tmp_path):
    with pytest.raises(ValueError, match=r"none' without model.json\. .*python train\.py"):
        export_model(ExportConfig(model_dir=str(tmp_path / "none"), out=str(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_a_model_dir_without_checkpoints_is_refused(tmp_path):
    save_description(DESCRIPTION, tmp_path)
    with pytest.raises(ValueError, match=r"must hold a checkpoint, received \S+ without one: "):
        export_model(ExportConfig(model_dir=str(tmp_path), out=str(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_best_checkpoint_is_exported_if_asked_for(small_dataset, tmp_path):
    # Of equal evaluations (0 of 20 captchas after so few steps) the first stays the best.
    options = {"max_steps": 4, "eval_steps": 2, "batch_size": 8, "warmup_steps": 1}
    train.run(
        train.TrainConfig(data_dir=str(small_dataset), model_dir=str(tmp_path / "m"), **options)
    )
    steps = {
        checkpoint: export_model(
            ExportConfig(
                model_dir=str(tmp_path / "m"), out=str(tmp_path / "out"), checkpoint=checkpoint
            )
        ).step
        for checkpoint in ("newest", "best")
    }
    assert steps == {"newest": 4, "best": 2}


def test_a_checkpoint_that_is_neither_newest_nor_best_is_refused():
    with pytest.raises(ValueError, match="`checkpoint` must be one of newest, best, received"):
        ExportConfig(checkpoint="worst")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(ValueError, match=r"`out` must be a folder, received \S+out', a file"):
        ExportConfig(out=str(tmp_path / "out"))


@pytest.mark.slow
def test_the_command_says_where_the_export_is_and_what_to_do_with_it(
    model_dir, tmp_path, run_program
):
    out = tmp_path / "captcha"
    result = run_program("export", f"--model_dir={model_dir}", f"--out={out}")
    assert (result.returncode, result.stderr) == (0, "")
    (version,) = out.iterdir()
    assert result.stdout == (
        f"{version}, step 3. Next: python predict.py --saved_model={out} IMG_OR_DIR...\n"
    )


@pytest.mark.slow
def test_the_command_adds_tflite_and_onnx_files(model_dir, expected, tmp_path, run_program):
    out = tmp_path / "captcha"
    result = run_program("export", f"--model_dir={model_dir}", f"--out={out}", "--tflite", "--onnx")
    assert (result.returncode, result.stderr) == (0, "")
    (version,) = out.iterdir()
    extra = version / "assets.extra"
    assert [line.split(", ")[0] for line in result.stdout.splitlines()] == [
        str(extra / "model.tflite"),
        str(extra / "model.onnx"),
        str(version),
    ]
    for suffix in (".tflite", ".onnx"):
        reader = LightReader(extra / f"model{suffix}")
        assert (reader.description.step, reader.description.alphabet) == (3, "0123456789")
        np.testing.assert_allclose(reader.read_images(IMAGES).probabilities, expected, atol=1e-4)
    # What is added hinders neither our reader nor TensorFlow's C++ loader.
    np.testing.assert_allclose(Reader(out).read_images(IMAGES).probabilities, expected, atol=1e-5)
    outputs = run_saved_model_cli(
        Exported(path=version, step=3, light_files=[]),
        tmp_path / "cli",
        "serving_default",
        "image",
        IMAGES,
    )
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-5)


@pytest.mark.slow
def test_8_bits_are_measured_on_the_data_of_the_training(model_dir, tmp_path):
    from data_gen.generate import GenerateConfig, generate
    from data_gen.style import Style

    style = Style(width_px=24, height_px=16, min_length=2, max_length=2)
    data = tmp_path / "data"
    generate(GenerateConfig(style=style, num_train=40, num_test=10, out_dir=data, num_workers=1))
    exported = export_model(
        ExportConfig(
            model_dir=str(model_dir),
            out=str(tmp_path / "out"),
            tflite=("int8_full",),
            onnx=("int8",),
            data_dir=str(data),
        )
    )
    assert [path.name for path in exported.light_files] == [
        "model_int8_full.tflite",
        "model_int8.onnx",
    ]


@pytest.mark.parametrize(
    ("data_dir", "message"),
    [
        ("", r"`data_dir` must be a dataset, .* received 'd', which is no folder"),
        ("small", r"must have pictures of \[16, 24, 3\], .* with \[30, 100, 3\]"),
    ],
    ids=["that_of_the_training_is_gone", "another_size"],
)
def test_8_bits_without_fitting_pictures_are_refused(
    model_dir, small_dataset, tmp_path, data_dir, message
):
    config = ExportConfig(
        model_dir=str(model_dir),
        out=str(tmp_path / "out"),
        onnx=("int8",),
        data_dir=str(small_dataset) if data_dir else "",
    )
    with pytest.raises(ValueError, match=message):
        export_model(config)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_network_in_bfloat16_reads_nearly_the_same(model_dir, expected, tmp_path):
    exported = export_model(
        ExportConfig(model_dir=str(model_dir), out=str(tmp_path), precision="bfloat16")
    )
    readings = Reader(tmp_path).read_images(IMAGES)
    np.testing.assert_allclose(readings.probabilities, expected, atol=0.05)
    assert np.abs(readings.probabilities - expected).max() > 1e-5  # It was not float32.
    described = json.loads((exported.path / "assets.extra" / "model.json").read_text())
    assert described["precision"] == "bfloat16"
    assert load_exported(exported.path).description == DESCRIPTION  # The weights are there.


def test_a_precision_that_is_none_is_refused():
    with pytest.raises(ValueError, match="`precision` must be one of float32, bfloat16, received"):
        ExportConfig(precision="int8")

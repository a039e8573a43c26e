"""What .tflite and .onnx files read is what the SavedModel of the same network reads."""

import dataclasses
import os
import sys

import exported_network
import light_network_files
import numpy as np
import pytest
from PIL import Image

from export import light_export
from export.light_export import LightFiles
from export.light_reader import LightReader
from export.open_reader import open_reader
from export.reader import Reader
from export.variants import VARIANTS
from model.estimator.tf_variables import tf_variable
from records.image_decoding import ImageError

pytestmark = pytest.mark.slow  # Converting takes seconds a file.

NAMES = light_network_files.NAMES


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return light_network_files.write(exported_network.build_net(), tmp_path_factory.mktemp("light"))


@pytest.fixture(scope="module")
def pictures():
    return exported_network.pictures(7)


@pytest.fixture(scope="module")
def expected(saved_model, pictures):
    return Reader(saved_model).read_images(pictures)


def variant_of(name):
    return VARIANTS[name.partition(".")[0].removeprefix("model").removeprefix("_") or "float32"]


@pytest.mark.parametrize("name", NAMES)
def test_every_variant_reads_what_the_saved_model_reads(files, name, pictures, expected):
    readings = LightReader(files / name).read_images(pictures)
    difference = np.abs(readings.probabilities - expected.probabilities)
    assert difference.max() <= variant_of(name).largest_difference
    assert difference.mean() <= variant_of(name).mean_difference
    digits = readings.probabilities.argmax(axis=-1)
    np.testing.assert_array_equal(readings.digits, digits)
    assert readings.digits.dtype == np.int64
    assert readings.texts == [
        "".join(exported_network.ALPHABET[digit] for digit in row) for row in digits
    ]
    np.testing.assert_allclose(
        readings.confidences, readings.probabilities.max(axis=-1).prod(axis=-1)
    )


def test_two_products_in_8_bits_fit_in_16_on_processors_without_vnni(files):
    """Such as AVX2's `pmaddubsw` adds up; it saturates, and says nothing."""
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(files / "model_int8.onnx").graph
    arrays = [onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer]
    weights = [array for array in arrays if array.dtype == np.int8 and array.ndim > 1]
    assert len(weights) > 1
    for array in weights:
        assert 0 < 2 * 255 * np.abs(array.astype(int)).max() < 2**15


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx"])
def test_texts_and_confidences_are_those_of_the_saved_model(files, name, pictures, expected):
    readings = LightReader(files / name).read_images(pictures)
    assert readings.texts == expected.texts
    np.testing.assert_allclose(readings.confidences, expected.confidences, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_batches_of_any_size_one_after_the_other_read_alike(files, name, pictures):
    reader = LightReader(files / name, num_threads=1)
    together = reader.read_images(pictures).probabilities
    # A batch of dynamic ranges has them of each picture.
    for size in (1, 3, 2, 7):
        parts = [
            reader.read_images(pictures[start : start + size]).probabilities
            for start in range(0, len(pictures), size)
        ]
        np.testing.assert_allclose(np.concatenate(parts), together, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_no_pictures_give_no_rows(files, name):
    reader = LightReader(files / name)
    readings = reader.read_images(np.zeros([0, *exported_network.IMAGE_SHAPE], np.uint8))
    assert len(readings) == 0
    assert readings.probabilities.shape == (0, 3, 4)
    assert readings.digits.shape == (0, 3)
    assert list(reader.read_files([])) == []


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx"])
def test_the_files_name_all_outputs_for_other_programs(files, name, pictures, expected):
    path = files / name
    if path.suffix == ".tflite":
        from ai_edge_litert.interpreter import Interpreter

        outputs = Interpreter(str(path)).get_signature_runner()(image=pictures)
    else:
        import onnxruntime

        session = onnxruntime.InferenceSession(path)
        names = [output.name for output in session.get_outputs()]
        outputs = dict(zip(names, session.run(None, {"image": pictures}), strict=True))
    assert outputs.keys() == {"probabilities", "digits", "confidence"}
    np.testing.assert_array_equal(outputs["digits"], expected.digits)
    np.testing.assert_allclose(outputs["confidence"], expected.confidences, rtol=1e-4)


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_blanks_are_left_out_of_the_text(tmp_path, suffix):
    description = dataclasses.replace(
        light_network_files.DESCRIPTION, alphabet="01é", has_blank=True
    )
    wanted = LightFiles(**{suffix[1:]: ("float32",)})
    light_network_files.write(exported_network.build_net(), tmp_path, wanted, description)
    readings = LightReader(tmp_path / f"model{suffix}").read_images(exported_network.pictures(20))
    assert {len(text) for text in readings.texts} > {3}  # Some have a blank, some have none.
    for text, digits in zip(readings.texts, readings.digits, strict=True):
        assert text == "".join("01é"[digit] for digit in digits if digit < 3)


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx"])
def test_files_of_every_size_and_state_are_read(files, saved_model, name, pictures, tmp_path):
    for index, picture in enumerate(pictures[:3]):
        Image.fromarray(picture).save(tmp_path / f"{index}.png")
    (tmp_path / "broken.png").write_bytes(b"")
    Image.fromarray(exported_network.pictures(1, seed=5)[0]).resize((23, 17)).save(
        tmp_path / "large.png"
    )
    names = ("0.png", "broken.png", "1.png", "large.png", "2.png")
    paths = [tmp_path / name for name in names]
    found, wanted = (
        [result for _, result in reader.read_files(paths, batch_size=3)]
        for reader in (LightReader(files / name), Reader(saved_model))
    )
    assert isinstance(found.pop(1), ImageError)
    del wanted[1]
    for reading, other in zip(found, wanted, strict=True):
        assert reading.text == other.text
        # A level of one pixel changes a probability by about 1e-3.
        np.testing.assert_allclose(reading.probabilities, other.probabilities, atol=0.02)


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx", "saved_model"])
def test_batches_read_side_by_side_say_what_they_say_one_after_the_other(
    files, saved_model, name, tmp_path
):
    path = saved_model if name == "saved_model" else files / name
    paths = [tmp_path / f"{i}.png" for i in range(40)]
    for picture_path, picture in zip(paths, exported_network.pictures(40), strict=True):
        Image.fromarray(picture).save(picture_path)
    one, three = (
        [
            reading.probabilities
            for _, reading in open_reader(path, batches_at_a_time=n).read_files(paths, 3)
        ]
        for n in (1, 3)
    )
    np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx"])
@pytest.mark.parametrize(
    "images",
    [
        np.zeros([2, 5, 9, 3], np.uint8),
        np.zeros([2, 6, 9, 3], np.float32),
        np.zeros([6, 9, 3], np.uint8),
    ],
    ids=["another_height", "floats", "no_batch"],
)
def test_pixels_of_another_shape_or_type_are_refused(files, name, images):
    with pytest.raises(ValueError, match=r"`images` must be uint8 \[N, 6, 9, 3\], received"):
        LightReader(files / name).read_images(images)


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("model.tflite", "ai_edge_litert.interpreter", "ai-edge-litert"),
        ("model.onnx", "onnxruntime", "onnxruntime"),
    ],
)
def test_a_missing_package_is_named(files, monkeypatch, name, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=f"pip install {package}, or give the SavedModel"):
        LightReader(files / name)


def test_the_name_tells_which_reader_opens_a_file(files, saved_model):
    called = []
    assert isinstance(open_reader(files / "model.onnx", lambda: called.append(1)), LightReader)
    assert not called
    assert isinstance(open_reader(saved_model, lambda: called.append(1)), Reader)
    assert called == [1]


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_a_file_that_reads_something_else_is_not_exported(tmp_path, monkeypatch, suffix):
    other = exported_network.build_net()
    other.layers[-2].set_weights([weight + 1 for weight in other.layers[-2].get_weights()])
    other.layers[2].set_weights([weight * 1.1 for weight in other.layers[2].get_weights()])

    def of_other(read, *arguments):
        del read
        if suffix == ".tflite":
            arguments = ([tf_variable(variable) for variable in other.variables], *arguments[1:])
        wrong = light_export.light_network(other, exported_network.IMAGE_SHAPE, 3)
        return convert(wrong, *arguments)

    name = f"to_{suffix[1:]}"
    convert = getattr(light_export, name)
    monkeypatch.setattr(light_export, name, of_other)
    with pytest.raises(ValueError, match=r"must give the network's probabilities, within 0.0001"):
        light_network_files.write(
            exported_network.build_net(), tmp_path, LightFiles(**{suffix[1:]: ("float32",)})
        )


def test_nan_is_not_exported(tmp_path):
    net = exported_network.build_net()
    net.set_weights([np.full_like(weight, np.nan) for weight in net.get_weights()])
    with pytest.raises(ValueError, match="must give the network's probabilities"):
        light_network_files.write(net, tmp_path, LightFiles(tflite=("float32",)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tflite": ("int4",)}, "`tflite` must be some of float32, float16, int8, int8_full, rec"),
        ({"onnx": ("float32", "float16")}, "`onnx` must be some of float32, int8, received 'floa"),
    ],
)
def test_an_unknown_variant_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LightFiles(**options)


def test_an_export_without_its_packages_is_refused_before_it_begins(monkeypatch):
    monkeypatch.setattr(light_export.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install onnxruntime onnx tf2onnx -c"):
        LightFiles(onnx=("float32",))
    LightFiles()  # Nothing asked for, nothing needed.


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx"])
def test_the_command_reads_without_tensorflow(
    files, pictures, expected, tmp_path, run_program, name
):
    Image.fromarray(pictures[0]).save(tmp_path / "0.png")
    blocker = tmp_path / "hidden"
    blocker.mkdir()
    (blocker / "tensorflow.py").write_text("raise RuntimeError('loaded')")
    result = run_program(
        "predict.py",
        f"--saved_model={files / name}",
        tmp_path / "0.png",
        env={**os.environ, "PYTHONPATH": str(blocker)},
    )
    assert (result.returncode, result.stderr) == (0, "")
    header, line = result.stdout.splitlines()
    assert header == "file,text,confidence"
    name, text, confidence = line.split(",")
    assert (name, text) == (f"{tmp_path}/0.png", expected.texts[0])
    assert float(confidence) == pytest.approx(expected.confidences[0], abs=1e-4)

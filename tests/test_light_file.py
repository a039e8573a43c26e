import dataclasses
import io
import zipfile

import pytest

from export.light_file import LightDescription, is_light_file, read_light_file, write_light_file

DESCRIPTION = LightDescription(
    image_shape=(30, 100, 3),
    alphabet='01é"\n字',
    num_positions=4,
    has_blank=True,
    variant="int8",
    step=12,
)
# What an ONNX model is: fields of protocol buffers. 8: opset_import, 7: graph.
ONNX = b"\x08\x09" + b"\x3a\xac\x02" + bytes(range(256)) + bytes(44)
NETWORKS = {".tflite": b"\x1c\x00\x00\x00TFL3" + bytes(range(256)) * 3, ".onnx": ONNX}


@pytest.fixture(params=[".tflite", ".onnx"])
def path(request, tmp_path):
    path = tmp_path / f"model{request.param}"
    write_light_file(path, NETWORKS[request.param], DESCRIPTION)
    return path


def test_network_and_description_come_back(path):
    assert read_light_file(path) == (NETWORKS[path.suffix], DESCRIPTION)


def test_equal_networks_give_equal_files(path, tmp_path):
    again = tmp_path / f"again{path.suffix}"
    write_light_file(again, NETWORKS[path.suffix], DESCRIPTION)
    assert again.read_bytes() == path.read_bytes()


def test_a_tflite_file_is_an_archive_for_other_programs(tmp_path):
    path = tmp_path / "model.tflite"
    write_light_file(path, NETWORKS[".tflite"], DESCRIPTION)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["model.json"]


def test_a_file_that_is_cut_anywhere_is_refused(path):
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="without the alphabet at its end") as caught:
            read_light_file(path)
        assert "\n" not in str(caught.value)


def test_a_flipped_bit_of_the_network_is_refused(path):
    whole = bytearray(path.read_bytes())
    for place in range(len(NETWORKS[path.suffix])):
        whole[place] ^= 4
        path.write_bytes(whole)
        with pytest.raises(ValueError, match=r"with other bytes than were written|cut short"):
            read_light_file(path)
        whole[place] ^= 4


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
@pytest.mark.parametrize("content", [b"", b"hello", bytes(100)], ids=["empty", "text", "zeros"])
def test_a_file_from_elsewhere_is_refused(tmp_path, suffix, content):
    path = tmp_path / f"other{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged or from elsewhere"):
        read_light_file(path)


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_a_network_without_a_description_is_refused(tmp_path, suffix):
    path = tmp_path / f"other{suffix}"
    path.write_bytes(NETWORKS[suffix])
    with pytest.raises(ValueError, match="without the alphabet at its end"):
        read_light_file(path)


def test_an_archive_with_something_else_in_it_is_refused(tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("model.json", '{"alphabet": "01"}')
    path = tmp_path / "other.tflite"
    path.write_bytes(content.getvalue())
    with pytest.raises(ValueError, match="without the alphabet at its end"):
        read_light_file(path)


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_a_missing_file_is_refused_with_the_command_that_writes_it(tmp_path, suffix):
    with pytest.raises(ValueError, match=rf"No such file.*python export \S+ --{suffix[1:]}"):
        read_light_file(tmp_path / f"none{suffix}")


def test_the_suffix_tells_what_is_such_a_file():
    names = ("a.tflite", "a/b.onnx", "exports/captcha", "a.onnx/1", "a.png")
    assert [is_light_file(name) for name in names] == [True, True, False, False, False]


def test_the_blank_is_a_class_more():
    assert DESCRIPTION.num_classes == 7
    assert dataclasses.replace(DESCRIPTION, has_blank=False).num_classes == 6

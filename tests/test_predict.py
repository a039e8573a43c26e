import csv
import io
import json
import os
import subprocess
import sys

import exported_network
import pytest
from PIL import Image

import predict
from export.reader import Reader

ROOT = os.path.dirname(os.path.abspath(predict.__file__))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Five pictures, 0.png to 4.png."""
    folder = tmp_path_factory.mktemp("pictures")
    for index, image in enumerate(exported_network.pictures(5)):
        Image.fromarray(image).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def expected(saved_model):
    """(text, confidence) of each of `pictures`."""
    readings = Reader(saved_model).read_images(exported_network.pictures(5))
    return [(reading.text, reading.confidence) for reading in readings]


def run(saved_model, *names, **options):
    names = tuple(str(name) for name in names)
    return predict.run(predict.PredictConfig(names=names, saved_model=saved_model, **options))


def test_a_folder_is_read_to_csv(saved_model, pictures, expected, capsys):
    assert run(saved_model, pictures) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "file,text,confidence"
    rows = list(csv.reader(io.StringIO(out)))[1:]
    assert [row[0] for row in rows] == [f"{pictures}/{index}.png" for index in range(5)]
    assert [row[1] for row in rows] == [text for text, _ in expected]
    assert [row[2] for row in rows] == [f"{confidence:.6f}" for _, confidence in expected]
    assert err == ""


@pytest.mark.parametrize("batch_size", [1, 2, 5, 64])
def test_the_size_of_batches_changes_no_text(saved_model, pictures, expected, batch_size, capsys):
    assert run(saved_model, pictures, batch_size=batch_size) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))[1:]
    assert [row[1] for row in rows] == [text for text, _ in expected]


def test_jsonl_has_an_object_a_line(saved_model, pictures, expected, capsys):
    assert run(saved_model, pictures / "3.png", pictures / "0.png", format="jsonl") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        {
            "file": f"{pictures}/{index}.png",
            "text": expected[index][0],
            "confidence": pytest.approx(expected[index][1], abs=1e-6),
        }
        for index in (3, 0)
    ]


def test_bad_files_are_named_on_standard_error_and_the_others_are_read(
    saved_model, pictures, tmp_path, capsys
):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("hello")
    whole = (pictures / "0.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: whole.index(b"IDAT") + 30])
    (tmp_path / "nothing").mkdir()
    status = run(
        saved_model,
        tmp_path / "empty.png",
        pictures / "1.png",
        tmp_path / "text.png",
        tmp_path / "cut.png",
        tmp_path / "missing.png",
        tmp_path / "nothing",
        pictures / "2.png",
    )
    out, err = capsys.readouterr()
    assert status == 1
    assert [row[0] for row in csv.reader(io.StringIO(out))] == [
        "file",
        f"{pictures}/1.png",
        f"{pictures}/2.png",
    ]
    assert [line.removeprefix(f"{tmp_path}/") for line in err.splitlines()] == [
        "nothing: a folder without pictures",
        "empty.png: empty, 0 bytes",
        "text.png: no picture or cut short, it starts with b'hello'",
        "cut.png: damaged: image file is truncated",
        "missing.png: cannot be read: No such file or directory",
    ]


@pytest.mark.parametrize(
    "name", ["a,b.png", "a\nb.png", "a\rb.png", 'a"b.png', "ä 字.png", os.fsdecode(b"a\xffb.png")]
)
@pytest.mark.parametrize("output", ["csv", "jsonl"])
def test_a_file_name_of_any_characters_comes_back_whole(
    saved_model, pictures, tmp_path, capfdbinary, name, output
):
    (tmp_path / name).write_bytes((pictures / "0.png").read_bytes())
    with os.fdopen(os.dup(1), "w") as stdout, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)  # pytest's own holds no bytes that are not UTF-8.
        assert run(saved_model, tmp_path / name, format=output) == 0
    out = os.fsdecode(capfdbinary.readouterr().out)
    if output == "csv":
        found = list(csv.reader(io.StringIO(out, newline="")))[1][0]
    else:
        found = json.loads(out)["file"]
    assert found == str(tmp_path / name)


def test_pictures_of_another_size_are_read(saved_model, tmp_path, capsys):
    Image.new("L", (90, 60), 200).save(tmp_path / "large.jpg")
    assert run(saved_model, tmp_path) == 0
    (row,) = list(csv.reader(io.StringIO(capsys.readouterr().out)))[1:]
    assert len(row[1]) == exported_network.NUM_POSITIONS


def test_a_picture_in_one_batch_is_printed_before_the_next_batch_is_read(
    saved_model, pictures, tmp_path, monkeypatch
):
    class Stop(Exception):  # noqa: N818
        pass

    class Output(io.TextIOWrapper):
        def write(self, text):
            if "3.png" in text:
                raise Stop
            return super().write(text)

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Output(raw))
    with pytest.raises(Stop):
        run(saved_model, pictures, batch_size=2)
    assert raw.getvalue().count(b"\n") == 4  # The header, 0.png, 1.png and 2.png.


def test_nothing_to_read_is_an_error(saved_model, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        ValueError, match=r"must be a picture to read, received none: \S+/empty: a "
    ):
        run(saved_model, tmp_path / "empty")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": ()}, "must be named, received none"),
        ({"names": ("a",), "format": "xml"}, "`format` must be one of csv, jsonl"),
        ({"names": ("a",), "batch_size": 0}, "`batch_size` must be at least 1, received 0"),
    ],
    ids=["no_names", "unknown_format", "no_batch"],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        predict.PredictConfig(**options)


@pytest.mark.slow
def test_the_command_prints_the_readings_and_one_line_for_a_bad_file(
    saved_model, pictures, tmp_path, run_program
):
    (tmp_path / "bad.png").write_bytes(b"hello")
    result = run_program(
        "predict.py", f"--saved_model={saved_model}", tmp_path / "bad.png", pictures
    )
    assert result.returncode == 1
    assert len(result.stdout.splitlines()) == 6
    assert (
        result.stderr == f"{tmp_path}/bad.png: no picture or cut short, it starts with b'hello'\n"
    )


@pytest.mark.slow
def test_a_saved_model_is_read_without_keras(
    saved_model, pictures, expected, tmp_path, run_program
):
    """Loading it would take most of a second."""
    (tmp_path / "keras.py").write_text("raise RuntimeError('loaded')")
    result = run_program(
        "predict.py",
        f"--saved_model={saved_model}",
        pictures,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (result.returncode, result.stderr) == (0, "")
    texts = [line.split(",")[1] for line in result.stdout.splitlines()[1:]]
    assert texts == [text for text, _ in expected]


@pytest.mark.slow
def test_a_closed_pipe_ends_the_command_without_a_word(saved_model, pictures):
    reading_end, writing_end = os.pipe()
    os.close(reading_end)
    result = subprocess.run(
        [sys.executable, "predict.py", f"--saved_model={saved_model}", str(pictures)],
        cwd=ROOT,
        stdout=writing_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing_end)
    assert (result.returncode, result.stderr) == (141, "")

import os
import re

import pytest

from data_gen.label_source import DEFAULT_LABEL_PATTERN, LabelledFile, find_labels


def folder_of(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def labels(source, *arguments):
    return {file.name: file.label for file in find_labels(source, *arguments).files}


def problems(source, *arguments):
    return {
        file.name: file.problem for file in find_labels(source, *arguments).files if file.problem
    }


@pytest.mark.parametrize(
    ("names", "pattern", "expected"),
    [
        (["3887.png", "0042.JPG"], DEFAULT_LABEL_PATTERN, {"3887.png": "3887", "0042.JPG": "0042"}),
        (["3887_0001.png"], DEFAULT_LABEL_PATTERN, {"3887_0001.png": "3887"}),
        (["0001_3887.png"], r"\d+_(\d+)", {"0001_3887.png": "3887"}),
        (["a/1.png", "a/b/2.gif", "v1.0/3.png"], DEFAULT_LABEL_PATTERN,
         {"a/1.png": "1", "a/b/2.gif": "2", "v1.0/3.png": "3"}),
        (["12", "13.dat"], DEFAULT_LABEL_PATTERN, {"12": "12", "13.dat": "13"}),
        ([".DS_Store", ".git/1.png", "._2.png", "3.png"], DEFAULT_LABEL_PATTERN, {"3.png": "3"}),
        (["data/provenance.json", "data/preview.png", "1.png"], DEFAULT_LABEL_PATTERN,
         {"1.png": "1"}),
        (["provenance.json", "1.png"], DEFAULT_LABEL_PATTERN,
         {"provenance.json": "provenance", "1.png": "1"}),
        ([" 3887 .png"], DEFAULT_LABEL_PATTERN, {" 3887 .png": "3887"}),
        (["e\u0301.png"], DEFAULT_LABEL_PATTERN, {"e\u0301.png": "\u00e9"}),
    ],
    ids=[
        "the_name",
        "the_name_and_a_number",
        "another_pattern",
        "folders_below",
        "any_suffix",
        "not_hidden_ones",
        "not_datasets",
        "but_of_the_folder_itself",
        "spaces",
        "accents_of_a_mac",
    ],
)  # fmt: skip
def test_labels_of_file_names(tmp_path, names, pattern, expected):
    assert labels(folder_of(tmp_path, *names), pattern) == expected


def test_paths_of_file_names_lead_to_the_files(tmp_path):
    (file,) = find_labels(folder_of(tmp_path, "a/b/2.gif")).files
    assert file == LabelledFile("a/b/2.gif", str(tmp_path / "a" / "b" / "2.gif"), "2")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("_.png", "its name does not match ([^_]+)(?:_.*)?"),
        ("a b.png", "label 'a b' has ' ', which no label can have"),
        ("a\u200bb.png", "label 'a\\u200bb' has '\\u200b', which no label can have"),
        ("x" * 101 + ".png", "its label is 101 characters long, more than 100"),
    ],
    ids=["no_match", "space", "no_width", "too_long"],
)
def test_a_name_that_is_no_label_is_told(tmp_path, name, reason):
    assert problems(folder_of(tmp_path, name, "1.png")) == {name: reason}


def test_a_name_that_is_no_text_is_told(tmp_path):
    (tmp_path / os.fsdecode(b"\xff1.png")).touch()
    (reason,) = problems(tmp_path).values()
    assert reason == r"label '\udcff1' has '\udcff', which no label can have"


def test_folders_that_cannot_be_walked_are_told(tmp_path, monkeypatch):
    folder_of(tmp_path, "1.png", "like.png/2.png", "closed/3.png", "real/4.png")
    (tmp_path / "link").symlink_to("real", target_is_directory=True)
    list_folder = os.scandir

    def refuse(path):
        if str(path).endswith("closed"):  # chmod would not stop root.
            raise PermissionError(13, "Permission denied", str(path))
        return list_folder(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert set(labels(tmp_path)) == {"1.png", "like.png", "closed", "real/4.png", "link"}
    assert problems(tmp_path) == {
        "like.png": "a folder, not a file; what is in it is not read",
        "closed": "cannot be listed: Permission denied",
        "link": "a link to a folder, which is not followed",
    }


@pytest.mark.parametrize("name", ["labels.csv", "labels.tsv", "labels.jsonl"])
@pytest.mark.parametrize("by", ["folder", "path"])
def test_a_list_is_believed_rather_than_file_names(tmp_path, name, by):
    folder_of(tmp_path, "1111.png")
    text = {
        "labels.csv": "file,label\n1111.png,2222\n",
        "labels.tsv": "file\tlabel\n1111.png\t2222\n",
        "labels.jsonl": '{"file": "1111.png", "label": "2222"}\n',
    }[name]
    (tmp_path / name).write_text(text)
    assert labels(tmp_path if by == "folder" else tmp_path / name) == {"1111.png": "2222"}


def write_list(folder, *lines):
    (folder / "labels.csv").write_text("\n".join(("file,label", *lines)) + "\n", encoding="utf-8")
    return folder


def test_a_list_may_name_files_anywhere(tmp_path):
    folder = folder_of(tmp_path / "in", "sub/2.png")
    elsewhere = folder_of(tmp_path / "other", "3.png", "4.png")
    write_list(folder, "sub\\2.png,b", "../other/3.png,c", f"{elsewhere}/4.png,d", "gone.png,e")
    found = {file.label: os.path.exists(file.path) for file in find_labels(folder).files}
    assert found == {"b": True, "c": True, "d": True, "e": False}


@pytest.mark.parametrize(
    ("lines", "expected", "num_repeated", "told"),
    [
        (["1.png,a", "./1.png,a", "1.png,a"], {"1.png": "a"}, 2, {}),
        (["1.png,a", "2.png,b", "1.png,c"], {"1.png": "a", "2.png": "b"}, 0,
         {"1.png": "labels.csv says 'a' in line 2 and 'c' in line 4"}),
        (["1.png,", "1.png,a"], {"1.png": ""}, 0,
         {"1.png": "labels.csv says '' in line 2 and 'a' in line 3"}),
        ([",a", "1.png,b"], {"labels.csv, line 2": "", "1.png": "b"}, 0,
         {"labels.csv, line 2": "it names no file"}),
    ],
    ids=["the_same_again", "another_label", "no_label_first", "no_file"],
)  # fmt: skip
def test_lines_about_one_file(tmp_path, lines, expected, num_repeated, told):
    write_list(tmp_path, *lines)
    assert labels(tmp_path) == expected
    assert find_labels(tmp_path).num_repeated == num_repeated
    assert problems(tmp_path) == told


def test_pictures_that_a_folder_has_beside_its_list_are_told(tmp_path):
    folder_of(tmp_path, "1.png", "2.PNG", "sub/3.gif", "README.md", ".4.png")
    write_list(tmp_path, "./1.png,a")
    assert find_labels(tmp_path).unlisted == ("2.PNG", "sub/3.gif")
    assert find_labels(tmp_path / "labels.csv").unlisted == ()  # It may lie anywhere.


@pytest.mark.parametrize(
    ("label_case", "expected"),
    [("keep", "aBß1"), ("lower", "abß1"), ("upper", "ABß1")],
)
def test_labels_in_the_case_that_is_wanted(tmp_path, label_case, expected):
    write_list(tmp_path, "1.png,  aBß1 ")
    assert labels(tmp_path, DEFAULT_LABEL_PATTERN, label_case) == {"1.png": expected}


@pytest.mark.parametrize(
    ("make", "pattern", "message"),
    [
        (lambda path: None, DEFAULT_LABEL_PATTERN, "received '.*in' which does not exist"),
        (lambda path: path.mkdir(), DEFAULT_LABEL_PATTERN, "at least one picture, .* with none"),
        (lambda path: folder_of(path, "1.png"), "(", "must be a regular expression"),
        (lambda path: folder_of(path, "1.png"), r"\d+", "must have one group"),
        (lambda path: folder_of(path, "labels.csv", "labels.tsv"), DEFAULT_LABEL_PATTERN,
         re.escape("one list of labels at most, received ") + ".*labels.csv, .*labels.tsv"),
        (lambda path: write_list(folder_of(path, "1.png"), "1.png,a"), r"(\d+)",
         "is for labels in file names"),
        (os.mkfifo, DEFAULT_LABEL_PATTERN, "which does not exist"),
    ],
    ids=["missing", "empty", "no_pattern", "no_group", "two_lists", "pattern_and_list", "pipe"],
)  # fmt: skip
def test_a_source_is_refused(tmp_path, make, pattern, message):
    make(tmp_path / "in")
    with pytest.raises(ValueError, match=message):
        find_labels(tmp_path / "in", pattern)

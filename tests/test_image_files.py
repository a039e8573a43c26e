import errno
import os

import pytest

from export.image_files import find_image_files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with pictures, other files and folders below; it is the current one."""
    for name in (
        "in/b.png",
        "in/a.JPG",
        "in/a/z.gif",
        "in/a/deep/y.webp",
        "in/notes.txt",
        "in/._b.png",
        "in/no_suffix",
        "other/1.png",
        "readme.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["in"], ["in/a.JPG", "in/a/deep/y.webp", "in/a/z.gif", "in/b.png"]),
        (["other", "in/a"], ["other/1.png", "in/a/deep/y.webp", "in/a/z.gif"]),
        (["readme.txt", "in/._b.png"], ["readme.txt", "in/._b.png"]),
        (["missing.png"], ["missing.png"]),
        (["./other/"], ["./other/1.png"]),
        (["other/1.png", "other"], ["other/1.png", "other/1.png"]),
    ],
    ids=[
        "folders_are_searched_to_the_bottom_and_sorted",
        "names_keep_their_order",
        "a_named_file_is_taken_whatever_it_is_called",
        "a_missing_file_is_left_to_the_reader",
        "paths_begin_as_they_were_written",
        "what_is_named_twice_comes_twice",
    ],
)
def test_files_that_names_stand_for(folder, names, expected):
    assert find_image_files(names) == (expected, [])


def test_a_folder_without_pictures_is_an_error_and_the_others_are_searched(folder):
    paths, errors = find_image_files(["empty", "other"])
    assert paths == ["other/1.png"]
    assert [str(error) for error in errors] == ["empty: a folder without pictures"]


def test_a_folder_that_may_not_be_listed_is_an_error(folder, monkeypatch):
    list_folder = os.scandir

    def refuse(path):
        if path == "in/a":  # chmod would not stop root.
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return list_folder(path)

    monkeypatch.setattr(os, "scandir", refuse)
    paths, errors = find_image_files(["in"])
    assert paths == ["in/a.JPG", "in/b.png"]
    assert [str(error) for error in errors] == ["in/a: cannot be listed: Permission denied"]

import pytest

from records.exchange import exchange


@pytest.mark.parametrize("kind", ["folders", "file_and_folder"])
def test_two_names_are_swapped(tmp_path, kind):
    first, second = tmp_path / "erste ä", tmp_path / "second"
    first.mkdir()
    (first / "of_first").touch()
    second.mkdir() if kind == "folders" else second.touch()
    if not exchange(first, second):
        pytest.skip("this file system cannot swap two names")
    assert (second / "of_first").exists()
    assert first.is_dir() == (kind == "folders")
    assert not list(first.iterdir() if first.is_dir() else [])


def test_without_the_second_name_nothing_changes(tmp_path):
    (tmp_path / "first").mkdir()
    assert not exchange(tmp_path / "first", tmp_path / "none")
    assert [path.name for path in tmp_path.iterdir()] == ["first"]

"""A folder that is being cleaned up when the signal comes is cleaned up all the same."""

import os
import shutil

import pytest

from records import staged_folder
from records.staged_folder import StagedFolder


@pytest.mark.parametrize("is_committed", [False, True])
def test_a_signal_while_it_cleans_up_leaves_nothing(tmp_path, monkeypatch, is_committed):
    final = tmp_path / "data"
    final.mkdir()
    (final / "marker").write_text("old")
    remove, calls = shutil.rmtree, []

    def interrupted_once(path, **options):
        calls.append(path)
        if len(calls) == 1:
            raise KeyboardInterrupt
        remove(path, **options)

    def write():
        with StagedFolder(final, marker="marker", overwrite=True) as folder:
            (folder.path / "marker").write_text("new")
            if is_committed:
                folder.commit()
            monkeypatch.setattr(staged_folder.shutil, "rmtree", interrupted_once)

    with pytest.raises(KeyboardInterrupt):
        write()
    assert os.listdir(tmp_path) == ["data"]
    assert (final / "marker").read_text() == ("new" if is_committed else "old")
    assert len(calls) == 2

"""Files are read in order, as many batches at a time as asked for, and memory does not grow."""

import threading

import numpy as np
import pytest
from PIL import Image

from export import open_reader as module
from export.picture_reader import PictureReader
from export.readings import Readings
from records.image_decoding import ImageError

BATCH = 2


class Together(PictureReader):
    """Reads in each picture its first level, n batches at the same time or not at all."""

    image_shape = (2, 3, 3)

    def __init__(self, n):
        super().__init__(n)
        self.num_read = 0
        self._barrier = threading.Barrier(n)

    def _read_pixels(self, images):
        self._barrier.wait(timeout=60)
        self.num_read += len(images)
        levels = images[:, 0, 0, 0]
        probabilities = np.ones([len(images), 1, 1], np.float32)
        return Readings(
            texts=[str(level) for level in levels],
            digits=np.zeros([len(images), 1], np.int64),
            probabilities=probabilities,
            confidences=probabilities[:, 0, 0],
        )

    def _read_other_sizes(self, images):
        raise ZeroDivisionError


@pytest.fixture
def paths(tmp_path):
    """Of six batches: picture i is of level i."""
    paths = [tmp_path / f"{i}.png" for i in range(6 * BATCH)]
    for i, path in enumerate(paths):
        Image.new("RGB", (3, 2), (i, i, i)).save(path)
    return paths


@pytest.mark.parametrize("n", [1, 2, 3])
def test_so_many_batches_are_read_at_the_same_time_and_come_back_in_order(paths, n):
    paths[1].write_bytes(b"")
    results = list(Together(n).read_files(paths, BATCH))
    assert [path for path, _ in results] == paths
    assert isinstance(results.pop(1)[1], ImageError)
    assert [reading.text for _, reading in results] == ["0", *map(str, range(2, len(paths)))]


@pytest.mark.parametrize(("n", "most"), [(1, 1), (2, 3), (3, 5)])
def test_no_more_are_taken_than_are_on_their_way(paths, n, most):
    taken = []
    results = Together(n).read_files((taken.append(path) or path for path in paths), BATCH)
    assert not taken
    for used in range(1, len(paths) + 1):
        next(results)
        batches_used = -(-used // BATCH)
        assert len(taken) <= (batches_used - 1 + most) * BATCH
    assert len(taken) == len(paths)


def test_what_nobody_wants_any_more_is_not_read(paths):
    reader = Together(1)
    results = reader.read_files(paths, BATCH)
    next(results)
    results.close()
    assert reader.num_read == BATCH


def test_what_goes_wrong_in_a_batch_is_raised_to_who_asked(paths):
    Image.new("RGB", (30, 20)).save(paths[3])
    results = Together(1).read_files(paths, BATCH)
    assert [next(results)[1].text for _ in range(BATCH)] == ["0", "1"]
    with pytest.raises(ZeroDivisionError):
        next(results)


@pytest.mark.parametrize(
    ("cores", "num_batches", "threads", "at_a_time"),
    [
        *((1, 9, 1, 1), (2, 9, 1, 2), (2, 1, 1, 1), (4, 3, 1, 3), (4, 9, 1, 4), (5, 9, 1, 4)),
        *((16, 9, 4, 4), (16, 1, 4, 1)),
    ],
)
def test_cores_are_shared_among_batches(monkeypatch, cores, num_batches, threads, at_a_time):
    asked = []
    monkeypatch.setattr(module, "num_cores", lambda: cores)
    monkeypatch.setattr(module, "open_reader", lambda *arguments: asked.append(arguments))
    module.open_reader_of_many("exports/captcha", num_batches)
    assert asked == [("exports/captcha", None, threads, at_a_time)]

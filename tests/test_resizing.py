import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from export.graph_decoding import _fit
from export.resizing import resize

SHAPE = (30, 100, 3)


@pytest.mark.parametrize(
    "size",
    [(200, 60), (100, 31), (50, 15), (101, 29), (640, 480), (1, 1), (3, 200), (7, 5)],
    ids=lambda size: f"{size[0]}x{size[1]}",
)
def test_pictures_become_what_the_graph_makes_of_them(size):
    rng = np.random.default_rng((4, *size))
    pixels = rng.integers(0, 256, [size[1], size[0], 3], np.uint8)
    ours = resize(Image.fromarray(pixels), SHAPE)
    graphs = _fit(tf.constant(pixels), SHAPE).numpy()
    assert ours.dtype == np.uint8
    assert ours.shape == SHAPE
    difference = np.abs(ours.astype(int) - graphs)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01  # Roundings of halves.

"""The random generator of one example: a function of (seed, split, index), and cheap.

A counter-based generator, Philox, is keyed by (seed, split) and its counter of 256 bits begins at
index * 2**192. So streams of different examples cannot meet, by construction and not by hash; and
to begin one is cheap, while `default_rng((seed, split, index))` would take a fifth of the time of a
whole example (benchmarks/render_stages.py).
"""

import threading

import numpy as np


class _Philox(threading.local):
    """One generator a thread, begun anew for each example."""

    def __init__(self):
        self.generator = np.random.Generator(np.random.Philox(0))
        self.key = np.zeros(2, np.uint64)
        self.counter = np.zeros(4, np.uint64)
        self.state = {
            "bit_generator": "Philox",
            "state": {"counter": self.counter, "key": self.key},
            "buffer": np.zeros(4, np.uint64),
            "buffer_pos": 4,  # Used up: the first number comes from the counter.
            "has_uint32": 0,
            "uinteger": 0,
        }


_PHILOX = _Philox()


def example_stream(seed: int, split_id: int, index: int) -> np.random.Generator:
    """The generator of an example, at its beginning; until this thread asks for another one's.

    The same numbers as `np.random.Generator(np.random.Philox(key=(seed, split_id), counter=(0, 0,
    0, index)))`.

    Args:
      seed: In [0, 2**64).
      split_id: In [0, 2**64).
      index: In [0, 2**64).
    """
    _PHILOX.key[0], _PHILOX.key[1], _PHILOX.counter[3] = seed, split_id, index
    _PHILOX.generator.bit_generator.state = _PHILOX.state
    return _PHILOX.generator

"""How kernels are compiled: by numba, when first called, once a machine."""

import functools
import hashlib
import pathlib
from collections.abc import Callable
from typing import Any

import numba

# nogil: threads draw side by side. "numpy": no check for division by zero, which would keep loops
# from being vectorised. Nothing here is fastmath, see the package's docstring.
_OPTIONS = {"nogil": True, "error_model": "numpy"}

compiled = numba.njit(**_OPTIONS)
"""For what other kernels call: compiled into each of them."""


def entry_point(make: Callable[[int], Callable[..., Any]]) -> Callable[..., Any]:
    """For what Python calls: compiled code is kept on disk and loaded by later processes.

    numba looks whether the file of the function has changed and not at the files of the functions
    that it calls. It does look at the variables that a function takes from around it, so that is
    where a hash of all kernels is put.

    Args:
      make: Takes that hash, and returns a function that mentions it.
    """
    function = make(_sources())
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # No folder that can be written to: compiled anew in each process.
        return numba.njit(**_OPTIONS)(function)


@functools.cache
def _sources() -> int:
    digest = hashlib.sha256()
    for path in sorted(pathlib.Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:6])

"""Two names swapped in one step of the file system, which Python's `os` does not offer."""

import ctypes
import os

_HERE = -100  # AT_FDCWD of Linux: relative paths are relative to the working directory.
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS.


def exchange(first: str | os.PathLike, second: str | os.PathLike) -> bool:
    """Swaps what two names stand for: at every moment each of them stands for one of the two.

    Returns:
      Whether it was done. If not, nothing has changed: the system or the file system (NFS is one)
      cannot, or one of the names does not exist.
    """
    library = ctypes.CDLL(None)
    paths = os.fsencode(first), os.fsencode(second)
    if hasattr(library, "renameat2"):  # Linux
        return library.renameat2(_HERE, paths[0], _HERE, paths[1], _EXCHANGE) == 0
    if hasattr(library, "renamex_np"):  # macOS
        return library.renamex_np(*paths, _EXCHANGE) == 0
    return False

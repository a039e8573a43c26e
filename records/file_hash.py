"""The SHA-256 by which provenance.json knows the files of a dataset."""

import hashlib
import os


def sha256_of(path: str | os.PathLike) -> str:
    """Hashes a file; 64 lower-case hexadecimal digits.

    Raises:
      OSError: If it cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

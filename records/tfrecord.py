"""The TFRecord format without TensorFlow: records framed by their length and two checksums.

A frame is the length (uint64), its masked CRC-32C (uint32), the record, and the record's masked
CRC-32C (uint32), all little endian. A file is frames one after the other and nothing else, so one
that was cut between two frames is a whole, shorter one: only a count kept elsewhere tells.
"""

import os
import pathlib
import struct
from collections.abc import Iterator
from typing import BinaryIO

import google_crc32c

from records.errors import REMEDY, FrameError

_LENGTH = struct.Struct("<Q")
_CRC = struct.Struct("<I")
_HEADER_BYTES = _LENGTH.size + _CRC.size

FRAME_BYTES = _HEADER_BYTES + _CRC.size  # What a frame adds to its record.


def frame(record: bytes) -> bytes:
    """Frames `record`, to be appended to a file."""
    length = _LENGTH.pack(len(record))
    return b"".join((length, _masked_crc(length), record, _masked_crc(record)))


def read_records(path: str | os.PathLike) -> Iterator[bytes]:
    """Yields the records of a file in their order, each checked against its checksums.

    Raises:
      FrameError: While iterating, at the first frame that is damaged or cut; the message has the
        file, the record's number (from 0) and the frame's offset in bytes.
      OSError: If the file is missing or cannot be read.
    """
    path = pathlib.Path(path)
    with path.open("rb") as file:
        num_bytes = os.fstat(file.fileno()).st_size
        number = 0
        offset = 0
        while offset < num_bytes:
            record = _read_frame(file, num_bytes - offset)
            if isinstance(record, str):
                raise FrameError(path, number, offset, f"{record} {REMEDY}")
            yield record
            number += 1
            offset += len(record) + FRAME_BYTES


def begins_with_frame(path: str | os.PathLike) -> bool:
    """Says whether a file begins as a TFRecord file with at least one record does.

    Raises:
      OSError: If the file is missing or cannot be read.
    """
    with open(path, "rb") as file:
        header = file.read(_HEADER_BYTES)
    return (
        len(header) == _HEADER_BYTES
        and _masked_crc(header[: _LENGTH.size]) == header[_LENGTH.size :]
    )


def count_frames(path: str | os.PathLike) -> int:
    """Counts the records of a file by their lengths alone, each of which is believed.

    It reads 8 bytes a record, so it is for files whose content was checked by other means.

    Raises:
      OSError: If the file is missing or cannot be read.
    """
    with open(path, "rb") as file:
        num_bytes = os.fstat(file.fileno()).st_size
        number = 0
        offset = 0
        while offset + FRAME_BYTES <= num_bytes:
            (length,) = _LENGTH.unpack(os.pread(file.fileno(), _LENGTH.size, offset))
            offset += length + FRAME_BYTES
            number += 1
    return number


def _read_frame(file: BinaryIO, num_bytes_left: int) -> bytes | str:
    """The next record, or what is wrong with its frame."""
    header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES:
        return f"a frame must begin with {_HEADER_BYTES} bytes, received {len(header)}: it is cut."
    (length,) = _LENGTH.unpack_from(header)
    # Before the length is believed: with a flipped bit in it, it may ask for 2**63 bytes.
    if _masked_crc(header[: _LENGTH.size]) != header[_LENGTH.size :]:
        return f"the length's checksum must match, received the length {length} and it does not."
    if length + FRAME_BYTES > num_bytes_left:
        return (
            f"a frame must be whole, {length + FRAME_BYTES} bytes, received {num_bytes_left}: "
            "it is cut."
        )
    record = file.read(length)
    if _masked_crc(record) != file.read(_CRC.size):
        return f"the record's checksum must match, received {length} bytes of which it does not."
    return record


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    # The format's own mask: a CRC over data that holds CRCs would be weak.
    return _CRC.pack((((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)

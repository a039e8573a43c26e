"""A network in one file that needs no TensorFlow to be read, .tflite or .onnx, with its alphabet.

The description is JSON, behind the network, where other programs find it too: a .tflite is a ZIP
archive at the same time, with `model.json` in it (TFLite's own convention: `unzip -p FILE`); in an
.onnx it is the entry `model.json` of `metadata_props` (`onnxruntime` calls it custom metadata). It
has the SHA-256 of the network, as the runtimes themselves notice little damage, or crash by it.
"""

import dataclasses
import hashlib
import io
import json
import os
import pathlib
import zipfile
from collections.abc import Iterator

TFLITE = ".tflite"
ONNX = ".onnx"
SUFFIXES = (TFLITE, ONNX)

_ENTRY = "model.json"
_METADATA_PROPS = 14  # Of ONNX's ModelProto: repeated, key 1, value 2.
_BYTES = 2  # Protocol buffers' wire type of what has a length.


@dataclasses.dataclass(frozen=True, kw_only=True)
class LightDescription:
    """What a reader of the file must know."""

    image_shape: tuple[int, int, int]  # Height, width, 3.
    alphabet: str  # Class k is character k.
    num_positions: int
    has_blank: bool  # Whether class len(alphabet) stands for no character.
    variant: str  # How the numbers are kept, see `export.variants`.
    step: int  # Of the checkpoint.

    @property
    def num_classes(self) -> int:
        """What the network decides between at a position."""
        return len(self.alphabet) + self.has_blank


def is_light_file(path: str | os.PathLike) -> bool:
    """Whether `path` is called like such a file."""
    return pathlib.Path(path).suffix in SUFFIXES


def write_light_file(path: pathlib.Path, network: bytes, description: LightDescription) -> None:
    """Writes `network`, as the converter gave it, with its description behind it."""
    values = {**dataclasses.asdict(description), "sha256": hashlib.sha256(network).hexdigest()}
    text = json.dumps(values, indent=2) + "\n"
    if path.suffix == TFLITE:
        path.write_bytes(network)
        with zipfile.ZipFile(path, "a") as archive:  # "a": behind what is there.
            archive.writestr(zipfile.ZipInfo(_ENTRY), text)  # Of 1980: equal exports, equal bytes.
    else:
        # Protocol buffers one after the other are one, of the fields of both.
        entry = _field(1, _ENTRY.encode()) + _field(2, text.encode())
        path.write_bytes(network + _field(_METADATA_PROPS, entry))


def read_light_file(path: pathlib.Path) -> tuple[bytes, LightDescription]:
    """The network and its description.

    Raises:
      ValueError: If there is no such file, it has no description, or it is damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(
            f"`saved_model` must be a file that can be read, received {str(path)!r} "
            f"({error.strerror}). Write one: python export --model_dir=M --{path.suffix[1:]}"
        ) from error
    split = _split_tflite if path.suffix == TFLITE else _split_onnx
    try:
        network, text = split(content)
        values = json.loads(text)
        digest = values.pop("sha256")
        description = LightDescription(
            **{**values, "image_shape": tuple(values.pop("image_shape"))}
        )
    except (ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"`saved_model` must be as `python export` writes it, received {str(path)!r} without "
            "the alphabet at its end: it is cut short, damaged or from elsewhere. Export it again."
        ) from error
    if hashlib.sha256(network).hexdigest() != digest:
        raise ValueError(
            f"`saved_model` must be whole, received {str(path)!r} with other bytes than were "
            "written. Copy or export it again."
        )
    return network, description


def _split_tflite(content: bytes) -> tuple[bytes, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entry = archive.getinfo(_ENTRY)
        return content[: entry.header_offset], archive.read(entry)


def _split_onnx(content: bytes) -> tuple[bytes, bytes]:
    for field, start, value in _fields(content):
        if field == _METADATA_PROPS:
            entry = {inner: found for inner, _, found in _fields(value)}
            if entry[1] == _ENTRY.encode():
                return content[:start], entry[2]
    raise KeyError(_ENTRY)


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, place of the tag, and value of each field, whose values are numbers or bytes.

    Raises:
      IndexError: If the message ends too early.
      ValueError: If it has something else.
    """
    place = 0
    while place < len(message):
        start = place
        tag, place = _varint(message, place)
        number, place = _varint(message, place)
        value = b""
        if tag & 7 == _BYTES:
            if place + number > len(message):
                raise IndexError(f"a field of {number} bytes")
            value, place = message[place : place + number], place + number
        elif tag & 7:
            raise ValueError(f"wire type {tag & 7}")
        yield tag >> 3, start, value


def _varint(message: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[place]
        number |= (byte & 127) << shift
        shift, place = shift + 7, place + 1
        if byte < 128:
            return number, place


def _field(number: int, value: bytes) -> bytes:
    return _encoded(number << 3 | _BYTES) + _encoded(len(value)) + value


def _encoded(number: int) -> bytes:
    out = b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])

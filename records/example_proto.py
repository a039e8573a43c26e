"""Arrays to the bytes of a record and back, as the fields say, without TensorFlow."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf import message
from PIL import Image

from records.errors import RecordError
from records.example_message import Example
from records.schema import Field

_JPEG_QUALITY = 90  # With subsampling off, as coloured strokes are a pixel or two wide.


def encode_example(fields: Sequence[Field], values: Mapping[str, np.ndarray]) -> bytes:
    """Serialises one example; equal arguments give equal bytes.

    Args:
      fields: What to store, and how.
      values: For the feature of each field, and for no other, an array of its dtype and shape.

    Raises:
      RecordError: If a value is missing, is one too many, or has another dtype or shape.
    """
    if values.keys() != {field.feature for field in fields}:
        raise RecordError(
            f"`values` must be the features {', '.join(field.feature for field in fields)}, "
            f"received {', '.join(values) or 'none'}. Pass one array for each field."
        )
    example = Example()
    features = example.features.feature
    for field in fields:
        array = values[field.feature]
        if array.dtype != field.dtype or array.shape != field.shape:
            raise RecordError(
                f"`{field.feature}` must be {field.dtype} {list(field.shape)}, received "
                f"{array.dtype} {list(array.shape)}. Convert it, or describe it by another field."
            )
        if field.storage == "int64_list":
            features[field.name].int64_list.value.extend(array.ravel().tolist())
        else:
            features[field.name].bytes_list.value.append(_ENCODERS[field.storage](array))
    return example.SerializeToString(deterministic=True)


def decode_example(fields: Sequence[Field], record: bytes) -> dict[str, np.ndarray]:
    """Parses one record.

    Returns:
      For the feature of each field a new array of its dtype and shape. What else the record holds
      is left alone.

    Raises:
      RecordError: If the record is no tf.train.Example, lacks a field, has it in another type or
        another number of bytes or values, or its image cannot be decoded or has another size.
    """
    try:
        features = Example.FromString(record).features.feature
    except message.DecodeError as error:
        raise RecordError(
            f"a record must be a tf.train.Example, received {len(record)} bytes that are not. "
            "Check that the files are this project's."
        ) from error
    return {
        field.feature: _values_of(field, features).reshape(field.shape).astype(field.dtype)
        for field in fields
    }


def _values_of(field: Field, features: Mapping[str, Any]) -> np.ndarray:
    if field.name not in features:  # Asking for it by [] would add it.
        raise RecordError(
            f"field {field.name!r} must be in the record, received {sorted(features)[:9]}. Correct "
            "its `name` in data_info.csv, or write the dataset again."
        )
    feature = features[field.name]
    kind = "int64_list" if field.storage == "int64_list" else "bytes_list"
    received = feature.WhichOneof("kind")
    if received != kind:
        raise RecordError(
            f"field {field.name!r} must be of the kind {kind}, received {received}. Correct its "
            "`storage` in data_info.csv."
        )
    values = getattr(feature, kind).value
    if kind == "int64_list":
        _check_count(field, "integers", field.num_values, len(values))
        return np.array(values, np.int64)
    _check_count(field, "strings of bytes", 1, len(values))
    if field.storage == "raw":
        _check_count(field, "bytes", field.num_bytes, len(values[0]))
        return np.frombuffer(values[0], _on_disk(field.dtype))
    return _decode_image(field, values[0])


def _check_count(field: Field, unit: str, wanted: int, received: int) -> None:
    if received != wanted:
        raise RecordError(
            f"field {field.name!r} must have {wanted} {unit}, received {received}. Correct its "
            "`shape` in data_info.csv, or write the dataset again."
        )


def _decode_image(field: Field, encoded: bytes) -> np.ndarray:
    height_px, width_px, _ = field.shape
    try:
        with Image.open(io.BytesIO(encoded), formats=[field.storage]) as image:
            if image.size == (width_px, height_px):  # Before a hostile header asks for gigabytes.
                return np.asarray(image.convert("RGB"))
            reason = f"one of {image.height} x {image.width}"
    except Exception as error:  # Pillow's decoders raise whatever their damaged input leads to.
        reason = f"{len(encoded)} bytes that do not decode ({error})"
    raise RecordError(
        f"field {field.name!r} must be a {field.storage} image of {height_px} x {width_px} "
        f"(height x width), received {reason}. Correct data_info.csv, or write the dataset again."
    )


def _encode_raw(array: np.ndarray) -> bytes:
    return array.astype(_on_disk(array.dtype.name), copy=False).tobytes()


def _encode_png(image: np.ndarray) -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(image).save(encoded, "png")
    return encoded.getvalue()


def _encode_jpeg(image: np.ndarray) -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(image).save(encoded, "jpeg", quality=_JPEG_QUALITY, subsampling=0)
    return encoded.getvalue()


_ENCODERS: dict[str, Callable[[np.ndarray], bytes]] = {
    "raw": _encode_raw,
    "png": _encode_png,
    "jpeg": _encode_jpeg,
}


def _on_disk(dtype: str) -> np.dtype:
    return np.dtype(dtype).newbyteorder("<")

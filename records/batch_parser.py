"""Turns batches of serialised records into tensors, as the fields say.

A whole batch is parsed by one op and its pixels decoded by one more: that is twice as fast as
record by record. Only encoded images (png, jpeg) are decoded one at a time. The field `length` is
for other readers and not parsed here: the blanks in the labels say the same, and beside the image
it would hand the network a part of the answer.
"""

from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from records.schema import Field

Batch = tuple[dict[str, tf.Tensor], tf.Tensor]


def batch_parser(
    fields: Sequence[Field], padding: Mapping[str, Sequence[int]]
) -> Callable[[tf.Tensor], Batch]:
    """Makes the function that parses a batch.

    Args:
      fields: What a record holds.
      padding: For a feature the shape to pad it to with zeros, at the end of each dimension
        (bottom and right of an image). `[]`, and a feature left out, mean as it is. A label
        cannot be padded: a zero would be read as the first class.

    Returns:
      A function of records string `[N]`, to be mapped over a dataset. It returns the features
      {"image": uint8 `[N, H, W, 3]`} and, if `fields` has it, "map" uint8 `[N, H, W]`; and the
      labels int64 `[N, L]`, with blanks if they vary in length (records/labels.py). While it runs,
      a record that lacks a field or has another number of bytes, and an image that cannot be
      decoded or has another size, are tf.errors.InvalidArgumentError.

    Raises:
      ValueError: If `padding` names an unknown feature, has another rank, is smaller than the
        field, or changes the label.
    """
    fields = [field for field in fields if field.feature != "length"]
    growths = _growths(fields, padding)

    def parse(records: tf.Tensor) -> Batch:
        stored = tf.io.parse_example(records, {field.name: _on_disk(field) for field in fields})
        features = {}
        for field in fields:
            values = _decode(field, stored[field.name])  # [N, *field.shape]
            if any(growths[field.feature]):
                values = tf.pad(values, [(0, 0), *((0, more) for more in growths[field.feature])])
            features[field.feature] = values
        return features, features.pop("label")

    return parse


def _on_disk(field: Field) -> tf.io.FixedLenFeature:
    if field.storage == "int64_list":
        return tf.io.FixedLenFeature(field.shape, tf.int64)
    return tf.io.FixedLenFeature([], tf.string)


def _decode(field: Field, stored: tf.Tensor) -> tf.Tensor:
    """Makes `[N, *shape]` of stored int64 `[N, *shape]` (a list) or string `[N]` (all else)."""
    if field.storage == "int64_list":
        return stored
    if field.storage == "raw":
        # `fixed_length` would cut a longer string and fill up a shorter one without a word.
        values = tf.io.decode_raw(stored, field.dtype)
        values = tf.ensure_shape(values, [None, field.num_values])
        return tf.reshape(values, [-1, *field.shape])
    decode_image = _decode_png if field.storage == "png" else _decode_jpeg
    return tf.map_fn(
        lambda encoded: tf.ensure_shape(decode_image(encoded), field.shape),
        stored,
        fn_output_signature=tf.TensorSpec(field.shape, field.dtype),
    )


def _decode_png(encoded: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_png(encoded, channels=3)


def _decode_jpeg(encoded: tf.Tensor) -> tf.Tensor:
    # TensorFlow's default method is faster and coarser; this one is Pillow's, pixel for pixel.
    return tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")


def _growths(
    fields: Sequence[Field], padding: Mapping[str, Sequence[int]]
) -> dict[str, tuple[int, ...]]:
    """Says for each feature by how much each dimension grows."""
    shapes = {field.feature: field.shape for field in fields}
    for feature in padding:
        if feature not in shapes:
            raise ValueError(
                f"`padding` must name features that the records have, {', '.join(shapes)}, "
                f"received {feature!r}. Leave it out."
            )
    growths = {}
    for feature, shape in shapes.items():
        target = tuple(padding.get(feature, ())) or shape
        if len(target) != len(shape) or any(
            new < old for new, old in zip(target, shape, strict=True)
        ):
            raise ValueError(
                f"`padding` of {feature!r} must have the rank of {list(shape)} and be no smaller "
                f"in any dimension, received {list(target)}. Pass [] to take it as it is."
            )
        if feature == "label" and target != shape:
            raise ValueError(
                f"`padding` of 'label' must be [] or its own shape {list(shape)}, received "
                f"{list(target)}: zeros would be read as the first class. Pass []."
            )
        growths[feature] = tuple(new - old for new, old in zip(target, shape, strict=True))
    return growths

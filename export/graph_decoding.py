"""Encoded pictures to pixels inside the graph, so that a server takes the files as they are.

The pixels are those of `records.image_decoding`, which decodes with Pillow: equal for PNG of every
mode and for JPEG in colour or grey, within 1 of 255 for CMYK JPEG. Two things are left to the
sender: a rotation told by EXIF is not undone, and of other formats only opaque ones without a
palette of their own are right (BMP, GIF and WebP in plain colour).
"""

import tensorflow as tf

_PNG_START = b"\x89PNG"
_JPEG_START = b"\xff\xd8\xff"
_PNG_BIT_DEPTH_AT = 24  # Bytes into the file: signature 8, chunk head 8, width 4, height 4.


def decode_pictures(image_bytes: tf.Tensor, image_shape: tuple[int, int, int]) -> tf.Tensor:
    """Decodes files of any size and mode.

    Args:
      image_bytes: string `[N]`, each a whole file: PNG, JPEG, or what `tf.io.decode_image` knows.
      image_shape: Height, width, 3.

    Returns:
      uint8 `[N, H, W, 3]`, transparency on white. Pictures of another size are resized: bilinear,
      antialiased, rounded.

    Raises:
      tf.errors.InvalidArgumentError: When it runs, if one of the files cannot be decoded.
    """
    return tf.map_fn(
        lambda content: _fit(_decode(content), image_shape),
        image_bytes,
        fn_output_signature=tf.TensorSpec(image_shape, tf.uint8),
    )


def _decode(content: tf.Tensor) -> tf.Tensor:
    """uint8 `[height, width, 3]` of one file."""
    picture = tf.case(
        [
            (_starts_with(content, _PNG_START), lambda: _decode_png(content)),
            (_starts_with(content, _JPEG_START), lambda: _decode_jpeg(content)),
        ],
        default=lambda: tf.io.decode_image(content, channels=3, expand_animations=False),
    )
    return tf.ensure_shape(picture, [None, None, 3])


def _starts_with(content: tf.Tensor, start: bytes) -> tf.Tensor:
    return tf.equal(tf.strings.substr(content, 0, len(start)), start)


def _decode_jpeg(content: tf.Tensor) -> tf.Tensor:
    # Pillow's method. TensorFlow's default is the fast one, a few levels off.
    return tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")


def _decode_png(content: tf.Tensor) -> tf.Tensor:
    """uint8 `[height, width, 3]`; palettes resolved, transparency on white, 16 bits cut to 8."""
    rgba = tf.io.decode_png(content, channels=4)
    rgb, alpha = rgba[:, :, :3], rgba[:, :, 3:]
    with tf.control_dependencies([rgba]):  # A file cut before that byte is decode_png's to refuse.
        depth = tf.io.decode_raw(tf.strings.substr(content, _PNG_BIT_DEPTH_AT, 1), tf.uint8)[0]
    # Where a file has no alpha, TensorFlow 2.21 fills in the largest value of the *file's* bit
    # depth: 255 from 8 bits on, but 1, 3 or 15 for small palettes and for black and white.
    opaque = tf.bitwise.left_shift(1, tf.minimum(tf.cast(depth, tf.int32), 8)) - 1
    return tf.cond(
        tf.reduce_all(tf.equal(alpha, tf.cast(opaque, tf.uint8))),
        lambda: rgb,
        lambda: _on_white(rgb, alpha),
    )


def _on_white(rgb: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    colour, share = tf.cast(rgb, tf.int32), tf.cast(alpha, tf.int32)
    # In 255ths; + 127 rounds.
    return tf.cast((colour * share + 255 * (255 - share) + 127) // 255, tf.uint8)


def _fit(picture: tf.Tensor, image_shape: tuple[int, int, int]) -> tf.Tensor:
    size = image_shape[:2]
    return tf.cond(
        tf.reduce_all(tf.equal(tf.shape(picture)[:2], size)),
        lambda: picture,
        lambda: _resize(picture, size),
    )


def _resize(picture: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    pixels = tf.image.resize(picture, size, method="bilinear", antialias=True)  # float32
    return tf.saturate_cast(tf.round(pixels), tf.uint8)

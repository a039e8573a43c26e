"""Pictures of another size brought to the network's, as the exported graph does it, without it."""

import numpy as np
from PIL import Image


def resize(image: Image.Image, image_shape: tuple[int, int, int]) -> np.ndarray:
    """Bilinear, antialiased, rounded: within 1 of 255 of `export.graph_decoding`.

    Args:
      image: Of mode "RGB" and any size.
      image_shape: Height, width, 3.

    Returns:
      uint8 `[H, W, 3]`.
    """
    height, width, _ = image_shape
    # In floats: Pillow rounds 8-bit pixels between rows and columns, the graph does not.
    planes = [
        Image.fromarray(np.asarray(plane, np.float32)).resize(
            (width, height), Image.Resampling.BILINEAR
        )
        for plane in image.split()
    ]
    pixels = np.stack([np.asarray(plane) for plane in planes], axis=-1)
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)

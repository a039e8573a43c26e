"""What trained networks read in captchas that nobody has seen, and how sure they are of it."""

import numpy as np
import tensorflow as tf

from benchmarks.known_captcha import draw_known
from data_gen.style import Style
from model.captcha_estimator import load_estimator

_BATCH = 250
_LEAST = 1e-30  # A probability that float32 has rounded to 0 is not impossible.
_TEMPERATURES = np.geomspace(0.25, 8, 61)


def read_fresh(
    model_dir: str, style: Style, seed: int, n: int, shift: tuple[int, int] = (0, 0)
) -> np.ndarray:
    """Reads `draw_known(style, seed, 0)` to n - 1.

    Args:
      model_dir: As train.py wrote it.
      style: What to draw.
      seed: Of the captchas.
      n: How many.
      shift: Pixels by which each is moved down and to the right; what leaves comes in again.

    Returns:
      Probabilities float64 `[n, L, K]`.

    Raises:
      ValueError: If nothing was trained in `model_dir`, or for other captchas.
    """
    estimator, description = load_estimator(model_dir)
    shape = (style.height_px, style.width_px, 3)
    wanted = (shape, style.max_length, style.alphabet, False)
    read = (
        description.image_shape,
        description.num_positions,
        description.alphabet,
        description.has_blank,
    )
    if read != wanted:
        raise ValueError(
            f"`models` must read captchas of the style (shape, length, alphabet, blank) {wanted}, "
            f"received {model_dir!r}, which reads {read}. Give another one, or another --style."
        )

    def input_fn():
        dataset = tf.data.Dataset.from_generator(
            lambda: (np.roll(draw_known(style, seed, i).image, shift, (0, 1)) for i in range(n)),
            output_signature=tf.TensorSpec(shape, tf.uint8),
        )
        return dataset.batch(_BATCH).map(lambda image: {"image": image})

    batches = estimator.predict(input_fn, ["probabilities"], yield_single_examples=False)
    return np.concatenate([batch["probabilities"] for batch in batches]).astype(np.float64)


def together(probabilities: np.ndarray) -> np.ndarray:
    """Several readers as one, by the mean of their logs: `[M, N, L, K]` to `[N, L, K]`."""
    return _normalised(np.log(np.maximum(probabilities, _LEAST)).mean(axis=0))


def confidences(probabilities: np.ndarray) -> np.ndarray:
    """How sure the reader is of each whole captcha: `[N, L, K]` to `[N]`, as `predict.py` says."""
    return probabilities.max(axis=-1).prod(axis=-1)


def calibrated(probabilities: np.ndarray, digits: np.ndarray) -> tuple[np.ndarray, float]:
    """Toned down, or up, until the reader is as often wrong as it says.

    One temperature (Guo et al., 2017) is fitted by maximum likelihood to the captchas of even
    number, for those of odd number, and the other way, so that none is judged by its own label.

    Args:
      probabilities: `[N, L, K]`, N at least 2.
      digits: int `[N, L]`, what is right.

    Returns:
      Probabilities `[N, L, K]`; the mean of the two temperatures, above 1 if it was too sure.
    """
    logs = np.log(np.maximum(probabilities, _LEAST))
    result, temperatures = np.empty_like(logs), []
    for half in (0, 1):
        losses = [_loss(logs[half::2] / t, digits[half::2]) for t in _TEMPERATURES]
        temperatures.append(_TEMPERATURES[int(np.argmin(losses))])
        result[1 - half :: 2] = _normalised(logs[1 - half :: 2] / temperatures[-1])
    return result, float(np.mean(temperatures))


def _loss(logs: np.ndarray, digits: np.ndarray) -> float:
    right = np.take_along_axis(logs, digits[..., None], axis=-1)[..., 0]
    return float((np.logaddexp.reduce(logs, axis=-1) - right).sum())


def _normalised(logs: np.ndarray) -> np.ndarray:
    return np.exp(logs - np.logaddexp.reduce(logs, axis=-1, keepdims=True))

"""Whether network, loss and data fit: 64 captchas are learnt by heart, or it is said why not.

A network that can learn anything can learn 64 captchas by heart, in some 50 steps. One that cannot
has a mistake that no longer training will mend; `model.sanity_checks` has the usual ones. Labels of
other pictures are learnt by heart too: whether anything general is learnt, training alone shows.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from model.model_fn import model_fn as captcha_model_fn
from model.networks import NETWORKS, build_network
from model.params import ModelParams
from model.sanity_checks import ATTEMPT_CHECKS, DATA_CHECKS, Attempt, Examples, is_learnt
from model.sanity_learner import SanityLearner


@dataclasses.dataclass(frozen=True, kw_only=True)
class SanityResult:
    """What came of it.

    Attributes:
      passed: Whether every character of every example was read right in the end.
      steps: Updates that took.
      seconds: That took.
      loss: Of the last step.
      character_accuracy: In [0, 1], of the last step.
      causes: Name of a check to what it saw, the likeliest cause first; empty if it passed.
      remarks: What did not hold this up, but may hold up training.
      verdict: One line.
    """

    passed: bool
    steps: int
    seconds: float
    loss: float
    character_accuracy: float
    causes: dict[str, str]
    remarks: tuple[str, ...]
    verdict: str

    def raise_if_failed(self) -> None:
        """Does nothing if it passed.

        Raises:
          ValueError: The verdict, with the likeliest cause.
        """
        if not self.passed:
            raise ValueError(self.verdict)


def run_sanity(
    params: ModelParams,
    train_input_fn: Callable[[], tf.data.Dataset],
    *,
    net_fn: Callable[..., keras.Model] = build_network,
    model_fn: Callable = captcha_model_fn,
    num_examples: int = 64,
    max_seconds: float = 50.0,
    max_steps: int = 1000,
) -> SanityResult:
    """Learns the first examples of an input by heart, and logs how it goes, but not the verdict.

    Uses network and learning rate of `params`, after a short warm-up of its own; no dropout and no
    shifts. Reads and writes no model_dir.

    Args:
      params: What a training would use.
      train_input_fn: Batches of ({"image": `[N, H, W, 3]`}, labels int `[N, L]`).
      net_fn: `params.network` to the network; images to logits `[L * N, K]`.
      model_fn: As an Estimator takes it.
      num_examples: How many of them; fewer if the input has fewer.
      max_seconds: When to give up; five times that for a large network whose loss still falls.
      max_steps: The same in steps.

    Raises:
      ValueError: If the input is empty or the learning rate out of range.
    """
    examples = _first_examples(train_input_fn, num_examples, params.network.num_classes)
    logging.info(
        "sanity | %d captchas of %s, %s, learning rate %g, no dropout, no shifts",
        len(examples.images),
        "x".join(map(str, examples.images.shape[1:])),
        params.network.name,
        params.learning_rate,
    )
    remarks = _remarks(params, examples)
    for remark in remarks:
        logging.warning("sanity | %s", remark)
    started = time.monotonic()
    causes = _look("data", DATA_CHECKS, examples)
    attempt = None
    if not causes:
        attempt = SanityLearner(params, examples, net_fn, model_fn).learn(max_seconds, max_steps)
        if not is_learnt(examples, attempt.losses[-1], attempt.inferred_digits):
            causes = _look("attempt", ATTEMPT_CHECKS, attempt) or {"unknown": _UNKNOWN}
    return _result(attempt, causes, remarks, time.monotonic() - started, len(examples.images))


_UNKNOWN = (
    "none of the usual causes was seen; try another --learning_rate, and look at the pictures in "
    "--data_dir"
)


def _first_examples(input_fn, num_examples: int, num_classes: int) -> Examples:
    dataset = input_fn().map(lambda features, labels: (features["image"], labels))
    for image, labels in dataset.unbatch().batch(num_examples).take(1):
        return Examples(images=image.numpy(), labels=labels.numpy(), num_classes=num_classes)
    raise ValueError(
        "`train_input_fn` must give at least one example, received none. Look whether its files "
        "are there."
    )


def _look(what: str, checks: Mapping[str, Callable], evidence) -> dict[str, str]:
    """What those checks say that say something; one log line each, the others in one."""
    seen = {name: check(evidence) for name, check in checks.items()}
    silent = [name for name, text in seen.items() if text is None]
    if silent:
        logging.info("sanity | %s looked at, nothing seen: %s", what, ", ".join(silent))
    seen = {name: text for name, text in seen.items() if text is not None}
    for name, text in seen.items():
        logging.warning("sanity | %s: %s", name, text)
    return seen


def _remarks(params: ModelParams, examples: Examples) -> tuple[str, ...]:
    """What overfitting without dropout and shifts cannot show, and may yet hold a training."""
    remarks = []
    rate = params.network.dropout
    if rate is None:
        rate = NETWORKS[params.network.name].dropout
    # Healthy networks leave chance within 200 steps of the end of their warm-up.
    since = params.warmup_steps + 200
    if rate >= 0.1 and params.dropout_from_step < since:
        remarks.append(
            f"dropout of {rate:g} from step {params.dropout_from_step} on can hold the loss at "
            f"chance for ever: use --dropout_from_step={since} or more, or --dropout=0"
        )
    height, width, _ = examples.images.shape[1:]
    for name, shift, side in (
        ("shift_rows", params.shift_rows, height),
        ("shift_columns", params.shift_columns, width),
    ):
        if shift > side / 4:
            remarks.append(
                f"shifts of up to {shift} of {side} pixels move characters into their neighbours' "
                f"places or out of the picture: lower --{name}"
            )
    constant = np.all(examples.labels == examples.labels[:1], axis=0)
    if constant.any() and not constant.all():
        places = ", ".join(map(str, np.flatnonzero(constant)))
        remarks.append(
            f"all {len(examples.labels)} labels have the same character at position {places}: look "
            "whether the labels in --data_dir are whole"
        )
    return tuple(remarks)


def _result(
    attempt: Attempt | None, causes: dict[str, str], remarks, seconds: float, num: int
) -> SanityResult:
    steps = 0 if attempt is None else len(attempt.losses)
    loss = math.nan if attempt is None else float(attempt.losses[-1])
    right = 0.0 if attempt is None else float(np.mean(attempt.position_accuracy))
    if not causes:
        verdict = (
            f"passed: learnt all characters of {num} captchas by heart in {steps} steps, "
            f"{seconds:.1f} s; network, loss and labels fit"
        )
    else:
        name, cause = next(iter(causes.items()))
        verdict = (
            f"--sanity must learn {num} captchas by heart, received {right:.0%} of characters "
            f"after {steps} steps, {seconds:.1f} s. {name}: {cause}."
        )
    return SanityResult(
        passed=not causes,
        steps=steps,
        seconds=seconds,
        loss=loss,
        character_accuracy=right,
        causes=causes,
        remarks=tuple(remarks),
        verdict=verdict,
    )

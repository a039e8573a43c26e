"""Which arithmetic to train in."""

import pathlib

import tensorflow as tf

PRECISIONS = ("auto", "float32", "bfloat16")

# x86 processors with bfloat16 arithmetic say so with one of these. Without it bfloat16 is emulated,
# many times slower than float32.
_BFLOAT16_CPU_FLAGS = {"avx512_bf16", "amx_bf16"}


def dtype_policy(precision: str) -> str:
    """The Keras dtype policy for `precision`.

    Args:
      precision: "float32"; "bfloat16" (computes in bfloat16, keeps weights, logits and loss in
        float32); or "auto", bfloat16 where the machine has it, which there trains twice as fast
        (BUILD_NOTES.md, "Speed of a training step").

    Returns:
      "float32" or "mixed_bfloat16".

    Raises:
      ValueError: If `precision` is none of `PRECISIONS`.
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f"`precision` must be one of {', '.join(PRECISIONS)}, received {precision!r}. "
            "Choose one."
        )
    if precision == "auto":
        precision = "bfloat16" if _has_bfloat16() else "float32"
    return "mixed_bfloat16" if precision == "bfloat16" else "float32"


def _has_bfloat16() -> bool:
    if tf.config.list_physical_devices("GPU"):
        return True
    cpuinfo = pathlib.Path("/proc/cpuinfo")  # Linux only; elsewhere float32 is the safe answer.
    return cpuinfo.exists() and not _BFLOAT16_CPU_FLAGS.isdisjoint(cpuinfo.read_text().split())

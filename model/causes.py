"""Why a network does not learn: usual causes of each symptom, and the flags of train.py to turn.

The likeliest first. Each stands in one log line or error, so each is short; train.py's --help has
the rest. The figures behind them: BUILD_NOTES.md, "What breaks the plateau".
"""

from collections.abc import Mapping
from types import MappingProxyType

CAUSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # The loss stays where guessing has it.
        "stuck": (
            "dropout before the network has begun to learn (--dropout=0, or --dropout_from_step)",
            "a learning rate too high or too low (--learning_rate=0.001) or without warm-up "
            "(--warmup_steps=300)",
            "labels that belong to other pictures (look at both in --data_dir)",
            "a mistake in network or data that overfitting 64 captchas shows (--sanity)",
        ),
        # NaN or an infinity, in the loss or in a weight.
        "not_finite": (
            "a learning rate too high (lower --learning_rate)",
            "a warm-up too short (raise --warmup_steps)",
            "rare steps with a huge gradient (--gradient_clip=1)",
            "bad values in the data (--verify_hashes, --sanity)",
        ),
        # Most units of a layer are 0 whatever the picture.
        "dead_units": (
            "a learning rate so high that one step switched them off (lower --learning_rate, raise "
            "--warmup_steps, or --gradient_clip=1)",
            "strong dropout from the first step (--dropout=0, or --dropout_from_step)",
            "weights that began at zero, or were damaged later (train into another --model_dir)",
        ),
        "gradient_vanishing": (
            "units that a learning rate too high switched off (lower --learning_rate, raise "
            "--warmup_steps)",
            "weights that began too small, or a network too deep (--net=small)",
            "dropout that leaves nothing through (lower --dropout)",
        ),
        "gradient_exploding": (
            "a learning rate too high (lower --learning_rate, or --gradient_clip=1)",
            "a warm-up too short (raise --warmup_steps)",
        ),
        # Much better on what it was trained on than on what it was not.
        "gap": (
            "too few different captchas (more of them, or --data_dir=live:default)",
            "pictures without shifts (--shift_rows=2 --shift_columns=4)",
            "no dropout late in the run (--dropout=0.2 --dropout_from_step=1500)",
            "weights of the last steps rather than their average (--ema_decay=0.999)",
            "labels that fit the training pictures only by heart, or test pictures of another kind "
            "(look at both in --data_dir)",
        ),
    }
)


def advice(symptom: str) -> str:
    """The causes of `symptom`, numbered, in one line without a full stop at its end."""
    numbered = (f"({number}) {cause}" for number, cause in enumerate(CAUSES[symptom], start=1))
    return "Usual causes: " + "; ".join(numbered)

"""The last lines of a run, on standard output: how good it is, and what to do next."""

from model.metrics import wilson_interval
from training.config import TrainConfig


def print_result(config: TrainConfig, metrics: dict[str, float], report: str) -> None:
    """Accuracy of characters and of whole captchas, with n and a 95 % interval."""
    n = int(metrics["n"])
    print(
        f"{config.model_dir}, step {int(metrics['global_step'])}, on {n} test captchas of "
        f"{config.data_dir}:"
    )
    for name in ("character_accuracy", "sequence_accuracy"):
        low, high = wilson_interval(metrics[name], n)
        what = "single characters" if name == "character_accuracy" else "whole captchas"
        print(f"  {name:<18} {metrics[name]:.4f}  95 % interval {low:.4f} to {high:.4f}  ({what})")
    print(f"report: {report}")
    print(f"next: python export --model_dir={config.model_dir} --out=exports/captcha")

"""One training step as train.py makes it, compiled, on a batch that stays: to be timed."""

import pathlib
import tempfile
from collections.abc import Callable


def make_step(net: str, precision: str, batch_size: int) -> tuple[Callable[[], None], object]:
    """A function that trains one step and waits for it, and the network.

    Captchas are drawn, so no dataset is needed; the input is not part of the step.
    """
    from model.estimator import Hook
    from training.config import TrainConfig
    from training.data import input_fns, load_data
    from training.prepare import prepare

    class TakeStep(Hook):
        def after_create(self, run):
            self.batch = next(iter(input_fn()))
            spec = input_fn().element_spec
            self.step = run.program.train_step.trace(*spec)

    with tempfile.TemporaryDirectory() as folder:
        config = TrainConfig(
            data_dir="live:default?seed=0",
            model_dir=str(pathlib.Path(folder) / "model"),
            net=net,
            precision=precision,
            batch_size=batch_size,
        )
        input_fn, _ = input_fns(config)
        estimator = prepare(config, load_data(config))
        hook = TakeStep()
        estimator.train(input_fn, max_steps=1, hooks=[hook])

    def step() -> None:
        hook.step(*hook.batch)["loss"].numpy()

    return step, estimator.net

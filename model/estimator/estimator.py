"""The Estimator: trains, evaluates, predicts and exports one network in one folder."""

import os
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from model.estimator import checkpoints, evaluation, history, prediction, strategies, workers
from model.estimator.checkpoint_file import CheckpointFile
from model.estimator.checks import check_count, check_kind
from model.estimator.exporting import SignaturesFn, export_saved_model
from model.estimator.hooks import Hook, Run, SavingListener
from model.estimator.input_data import make_dataset
from model.estimator.live_program import LiveProgram
from model.estimator.model_function import ModelFunction
from model.estimator.program import Program
from model.estimator.run_config import RunConfig
from model.estimator.scaled_schedule import ScaledSchedule
from model.estimator.spec import EstimatorSpec, ModeKeys
from model.estimator.summaries import Summaries
from model.estimator.training_loop import TrainingLoop
from model.estimator.warm_start import WarmStartSettings

InputFn = Callable[[], tf.data.Dataset]  # Of batches: (features, labels), or features alone.


class Estimator:
    """Trains, evaluates, predicts and exports; everything it learns lives in `model_dir`.

    Whatever is asked of it, it works on the newest checkpoint there, and reads that only if the
    network of this process is not already at it.
    """

    def __init__(
        self,
        model_fn: Callable[..., EstimatorSpec],
        model_dir: str | os.PathLike,
        *,
        net_fn: Callable,
        optimizer_fn: Callable | None = None,
        config: RunConfig | None = None,
        params=None,
        warm_start_from: WarmStartSettings | None = None,
    ):
        """Nothing is built, read or written yet.

        Args:
          model_fn: Takes `features`, `net`, `mode` and, if it names them, `labels`, `params`,
            `config`, `step` (int64 scalar, the global step) and `rows` (int64 `[N]`, which of the
            step's whole batch these examples are, as replicas and accumulation get parts). A pure
            function of tensors: it is traced once a mode and creates no variables. Randomness in it
            that is to repeat on resume is stateless and seeded with `step`.
          model_dir: Folder of checkpoints, TensorBoard events and `eval/metrics.json`.
          net_fn: params to the network: a Keras model or a tf.Module, built and callable.
          optimizer_fn: params to a Keras optimizer; needed to train. Its learning rate is
            configuration and stays outside the checkpoint.
          config: Cadence, seed, distribution.
          params: Handed to the three functions as it is.
          warm_start_from: Weights to begin with, where `model_dir` has no checkpoint yet.

        Raises:
          ValueError: If an argument of `model_fn` is missing or unknown.
        """
        self._config = config or RunConfig()
        self._model_dir = pathlib.Path(model_dir)
        seed = self._config.tf_random_seed
        model_function = ModelFunction(model_fn, params, self._config)
        self._live = LiveProgram(
            lambda: Program(model_function, net_fn, optimizer_fn, params, self._config),
            seed,
            warm_start_from,
        )
        self._summaries = Summaries()
        self._stop_reason: str | None = None

    @property
    def model_dir(self) -> str:
        """Where everything lies."""
        return str(self._model_dir)

    @property
    def net(self) -> keras.Model | tf.Module:
        """The network of this process, built by now; its weights are those last worked on."""
        return self._live.program.net

    @property
    def is_chief(self) -> bool:
        """Whether this process writes files: false for all workers but one."""
        return strategies.is_chief(self._config.train_distribute)

    def from_chief(self, value: float) -> float:
        """The chief's `value`, on every worker; with several workers, all of them must call it."""
        if strategies.num_workers(self._config.train_distribute) == 1:
            return value  # And nothing is built for it.
        return workers.from_chief(self._live.program, value)

    def set_learning_rate_scale(self, value: float) -> None:
        """Multiplies the learning rate by `value` from the next step on.

        Raises:
          ValueError: If the optimizer's learning rate is no `ScaledSchedule`.
        """
        schedule = getattr(self._live.program.optimizer, "_learning_rate", None)
        if not isinstance(schedule, ScaledSchedule):
            raise ValueError(
                "the optimizer's learning rate must be a ScaledSchedule to be scaled, received "
                f"{type(schedule).__name__}. Wrap the schedule in `optimizer_fn`."
            )
        schedule.scale.assign(value)

    @property
    def global_step(self) -> int:
        """The step of the newest checkpoint; 0 if there is none."""
        path = self.latest_checkpoint()
        return checkpoints.step_of(path) if path else 0

    def latest_checkpoint(self) -> str | None:
        """The path of the newest checkpoint, without suffix; None if there is none."""
        return checkpoints.latest_checkpoint(self._model_dir)

    def get_variable_names(self) -> list[str]:
        """The names in the newest checkpoint: `global_step`, weights, then the optimizer's."""
        file = CheckpointFile(self._checkpoint(None))
        return ["global_step", *file.names("net"), *file.names("optimizer")]

    def get_variable_value(self, name: str) -> np.ndarray:
        """The value of `name` in the newest checkpoint.

        Raises:
          ValueError: If there is no checkpoint, or it holds no such variable.
        """
        return CheckpointFile(self._checkpoint(None)).value(name)

    def train(
        self,
        input_fn: InputFn,
        steps: int | None = None,
        max_steps: int | None = None,
        hooks: Sequence[Hook] = (),
        saving_listeners: Sequence[SavingListener] = (),
        *,
        pause_at: int | None = None,
        restart_input: bool = True,
    ) -> "Estimator":
        """Trains on from the newest checkpoint, or from fresh weights, and saves at the end.

        The input goes on too: where the checkpoint left it, or where this process did if it trains
        again with the same `input_fn`. Another `input_fn` in this process, and an input that had
        ended, start at the beginning. A run stopped and resumed equals, bit by bit, one that was
        not, on a CPU.

        Args:
          input_fn: Batches of (features, labels).
          steps: How many more.
          max_steps: Up to which global step. At most one of both; with none, to the end of input.
          hooks: Run between steps, after the built-in ones and before the one that saves.
          saving_listeners: Run around each checkpoint.
          pause_at: A global step to return at before the run's end, for the next call to go on
            from. Log lines count to the end all the same.
          restart_input: Whether an input that had ended begins anew. If not, there is nothing left
            to train on.

        Returns:
          The Estimator itself.

        Raises:
          ValueError: If both `steps` and `max_steps` are given or one is no count, every
            checkpoint is damaged, or one is of another network, or the loss is no longer finite.
          OSError: If a checkpoint cannot be written, or another worker is gone.
          KeyboardInterrupt: On Ctrl-C, once the step in progress is finished and saved. SIGTERM
            too takes effect after that.
        """
        if steps is not None and max_steps is not None:
            raise ValueError(
                f"only one of `steps` and `max_steps` must be given, received {steps} and "
                f"{max_steps}. `steps` adds to the global step, `max_steps` is absolute."
            )
        for name, value in (("steps", steps), ("max_steps", max_steps)):
            check_count(name, value)
        if self._model_dir.exists() and not self._model_dir.is_dir():
            raise ValueError(
                f"`model_dir` must be a folder, received the file {self.model_dir}. Choose another."
            )
        for kind, given in ((Hook, hooks), (SavingListener, saving_listeners)):
            check_kind(kind, given)
        path = self._checkpoint_to_train_from()
        start = checkpoints.step_of(path) if path else 0
        last_step = start + steps if steps is not None else max_steps
        stop_at = min((step for step in (pause_at, last_step) if step is not None), default=None)
        self._stop_reason = None
        if stop_at is not None and start >= stop_at:
            logging.info("Skipping training since max_steps has already saved.")
            return self
        if self.is_chief:
            checkpoints.set_damaged_aside(self._model_dir, path)
            history.cut_after(self._model_dir, start)
        program, training_input, hook_states = self._live.prepare_to_train(
            path, input_fn, restart_input=restart_input
        )
        run = self._run(ModeKeys.TRAIN, program, last_step=last_step)
        loop = TrainingLoop(run, training_input, hooks, saving_listeners, hook_states)
        ran_to_end = loop.run(stop_at)
        self._live.trained_to(
            checkpoints.path_of(self._model_dir, loop.saved_step),
            is_paused=stop_at != last_step or not ran_to_end,
            hook_states=loop.hook_states,
        )
        self._stop_reason = run.stop_reason
        return self

    @property
    def stop_reason(self) -> str | None:
        """Why a hook ended the last training of this process; None if none did."""
        return self._stop_reason

    def evaluate(
        self,
        input_fn: InputFn,
        steps: int | None = None,
        name: str | None = None,
        checkpoint_path: str | os.PathLike | None = None,
        hooks: Sequence[Hook] = (),
    ) -> dict[str, float]:
        """Evaluates the newest checkpoint, or the one at `checkpoint_path`.

        The result is also written to `eval/metrics.json` and to TensorBoard's events beside it.

        Args:
          input_fn: Batches of (features, labels).
          steps: Number of batches at most; None for all.
          name: Of this evaluation if there are several: its folder is `eval_<name>`.
          checkpoint_path: Without suffix, as `latest_checkpoint` gives it.
          hooks: Run around each batch.

        Returns:
          `loss` and each metric of `eval_metric_ops`, means over all examples, `global_step`, and
          `n`, the number of examples.

        Raises:
          ValueError: If nothing was trained, the input is empty, or the checkpoint does not fit.
        """
        check_count("steps", steps)
        check_kind(Hook, hooks)
        program = self._live.go_to(self._checkpoint(checkpoint_path))
        folder = self._model_dir / (f"eval_{name}" if name else "eval")
        run = self._run(ModeKeys.EVAL, program, eval_dir=folder)
        metrics = evaluation.evaluate(run, make_dataset(input_fn), steps, hooks)
        evaluation.write_metrics(metrics, folder)
        scalars = {key: metrics[key] for key in metrics if key not in ("global_step", "n")}
        self._summaries.write(folder, scalars, metrics["global_step"])
        return metrics

    def predict(
        self,
        input_fn: InputFn,
        predict_keys: Sequence[str] | None = None,
        checkpoint_path: str | os.PathLike | None = None,
        yield_single_examples: bool = True,
    ) -> Iterator[dict[str, np.ndarray]]:
        """Predicts with the newest checkpoint, or the one at `checkpoint_path`, as it is iterated.

        Args:
          input_fn: Batches of features, or of (features, labels), whose labels are not used.
          predict_keys: Which predictions; None for all.
          checkpoint_path: Without suffix, as `latest_checkpoint` gives it.
          yield_single_examples: A dict an example; otherwise a dict a batch.

        Returns:
          A generator of `model_fn`'s predictions as NumPy.

        Raises:
          ValueError: At once, if nothing was trained, the checkpoint does not fit, or one of
            `predict_keys` is not predicted.
        """
        program = self._live.go_to(self._checkpoint(checkpoint_path))
        return prediction.predict(
            program,
            make_dataset(input_fn),
            predict_keys=predict_keys,
            single_examples=yield_single_examples,
        )

    def export_saved_model(
        self,
        export_dir_base: str | os.PathLike,
        signatures_fn: SignaturesFn,
        *,
        assets_extra: Mapping[str, str | os.PathLike] | None = None,
        checkpoint_path: str | os.PathLike | None = None,
    ) -> str:
        """Exports the newest checkpoint, or the one at `checkpoint_path`, to be served.

        Args:
          export_dir_base: Where the version folder goes; its name is the time in seconds.
          signatures_fn: The network to a dict of signatures by name, each a tf.function with an
            `input_signature` that closes over the network and uses no other variable.
          assets_extra: Files to copy to `assets.extra/`: path there to path here.
          checkpoint_path: Without suffix, as `latest_checkpoint` gives it.

        Returns:
          The path of the version folder. It is written under another name and renamed last.

        Raises:
          ValueError: If nothing was trained or the checkpoint does not fit.
        """
        program = self._live.go_to(self._checkpoint(checkpoint_path))
        return export_saved_model(program.net, export_dir_base, signatures_fn, assets_extra)

    def _checkpoint(self, checkpoint_path: str | os.PathLike | None) -> str:
        if checkpoint_path is not None:
            if not os.path.exists(f"{os.fspath(checkpoint_path)}.index"):
                raise ValueError(
                    "`checkpoint_path` must name a checkpoint without its suffix, received "
                    f"{os.fspath(checkpoint_path)!r}. The newest is {self.latest_checkpoint()!r}."
                )
            return os.fspath(checkpoint_path)
        path = self._newest_whole()
        if path is None:
            raise ValueError(
                f"`model_dir` must hold a checkpoint, received {self.model_dir!r} without one. "
                "Train first."
            )
        return path

    def _newest_whole(self) -> str | None:
        newest = self.latest_checkpoint()
        if self._live.is_at(newest):
            return newest  # It was written or read by this process.
        return checkpoints.newest_whole_checkpoint(self._model_dir)

    def _checkpoint_to_train_from(self) -> str | None:
        """The newest whole checkpoint, as the chief sees it; None if there is none."""
        path = self._newest_whole() if self.is_chief else None
        step = self.from_chief(checkpoints.step_of(path) if path else -1)
        return checkpoints.path_of(self._model_dir, int(step)) if step >= 0 else None

    def _run(self, mode: str, program: Program, **fields) -> Run:
        return Run(
            mode=mode,
            program=program,
            config=self._config,
            summaries=self._summaries,
            model_dir=self._model_dir,
            **fields,
        )

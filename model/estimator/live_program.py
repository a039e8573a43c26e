"""The program of this process, and which checkpoint it stands at, so that none is read twice."""

from collections.abc import Callable

import keras
import tensorflow as tf

from model.estimator.checkpoints import restore_input, restore_network, restore_training
from model.estimator.input_data import TrainingInput
from model.estimator.program import Program
from model.estimator.variable_groups import network_variables
from model.estimator.warm_start import WarmStartSettings, warm_start

# While it trains, and after a training that failed.
_BETWEEN_CHECKPOINTS = "between checkpoints"


class LiveProgram:
    """A program, built when first needed, and brought to the checkpoint that is asked for."""

    def __init__(
        self,
        build: Callable[[], Program],
        seed: int,
        warm_start_from: WarmStartSettings | None = None,
    ):
        """`build` makes a program with fresh weights, which `warm_start_from` may give others.

        `seed` is for inputs without one.
        """
        self._build = build
        self._seed = seed
        self._warm_start_from = warm_start_from
        self._program: Program | None = None
        self._network_is_at: str | None = None  # The checkpoint that network and step equal.
        self._optimizer_is_at: str | None = None
        self._training_input: TrainingInput | None = None
        self._is_paused = False
        self._hook_states: dict[str, dict] = {}

    @property
    def program(self) -> Program:
        """The program as it is; freshly built if there was none."""
        if self._program is None:
            self._program = self._build()
        return self._program

    def go_to(self, path: str) -> Program:
        """Brings network and step to the checkpoint at `path`, reading it only if need be.

        If it has averages of the weights, the network holds those.

        Raises:
          ValueError: If the checkpoint is damaged or of another network; nothing has changed then.
        """
        if self._network_is_at != path:
            restore_network(self.program, path)
            self._network_is_at = path
            self._optimizer_is_at = None  # A training must read the weights themselves.
        elif self._optimizer_is_at == path and self.program.average is not None:
            self.program.average.use()
        return self.program

    def is_at(self, path: str | None) -> bool:
        """Whether network and step are already those of the checkpoint at `path`."""
        return path is not None and path == self._network_is_at

    def prepare_to_train(
        self,
        path: str | None,
        input_fn: Callable[[], tf.data.Dataset],
        *,
        restart_input: bool,
    ) -> tuple[Program, TrainingInput, dict[str, dict]]:
        """Brings program and input to the checkpoint at `path`, or to a fresh start if it is None.

        Until `trained_to`, the program counts as standing at no checkpoint.

        Returns:
          Program, input, and the states of hooks to go on from.

        Raises:
          ValueError: If the checkpoint is damaged, or of another network or optimizer.
        """
        if path is None and self._network_is_at is not None:
            self._program = None  # Its weights are of checkpoints that are gone, or lie elsewhere.
        program = self.program
        goes_on = path is not None and path == self._network_is_at == self._optimizer_is_at
        if goes_on:
            if program.average is not None:
                program.average.put_back()
        elif path is not None:
            self._hook_states = restore_training(program, path)
            if program.average is not None:
                program.average.forget()
        else:
            self._hook_states = {}
            if self._warm_start_from is not None:
                warm_start(network_variables(program)["net"], self._warm_start_from)
                if program.average is not None:
                    program.average.start()
        self._network_is_at = _BETWEEN_CHECKPOINTS
        is_known = self._training_input is None or self._training_input.input_fn is input_fn
        if goes_on and is_known:
            if not self._is_paused:
                self._training_input.go_on(may_restart=restart_input)
        else:
            # For a dataset that shuffles without a seed of its own.
            keras.utils.set_random_seed(self._seed)
            self._training_input = TrainingInput(input_fn)
            if path is not None and is_known:
                restore_input(self._training_input, path, may_restart=restart_input)
        return program, self._training_input, self._hook_states

    def trained_to(self, path: str, *, is_paused: bool, hook_states: dict[str, dict]) -> None:
        """Notes that program and input stand at the checkpoint at `path`, just saved.

        If `is_paused`, the next training is the same run, for which an input that is at its end has
        ended; for another run it starts anew.
        """
        self._network_is_at = self._optimizer_is_at = path
        self._is_paused = is_paused
        self._hook_states = hook_states

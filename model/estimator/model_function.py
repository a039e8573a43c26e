"""Calls a user's `model_fn` with the arguments it names, and checks what comes back."""

import inspect
from collections.abc import Callable

from model.estimator.run_config import RunConfig
from model.estimator.spec import EstimatorSpec

_REQUIRED = ("features", "net", "mode")
_OPTIONAL = ("labels", "params", "config", "step", "rows")


class ModelFunction:
    """A `model_fn` together with the `params` and the `config` it is called with.

    Raises:
      ValueError: If `model_fn` lacks a required argument or has one of an unknown name.
    """

    def __init__(self, model_fn: Callable[..., EstimatorSpec], params, config: RunConfig):
        names = tuple(inspect.signature(model_fn).parameters)
        unknown = [name for name in names if name not in _REQUIRED + _OPTIONAL]
        missing = [name for name in _REQUIRED if name not in names]
        if unknown or missing:
            raise ValueError(
                f"`model_fn` must take {', '.join(_REQUIRED)} and may take {', '.join(_OPTIONAL)}, "
                f"received ({', '.join(names)}). "
                + (f"Add {', '.join(missing)}." if missing else "Put the rest into `params`.")
            )
        self._model_fn = model_fn
        self._names = names
        self._params = params
        self._config = config

    def __call__(self, *, features, labels, net, mode: str, step, rows) -> EstimatorSpec:
        """The spec of one batch, or of a part of it.

        `step` is the global step, int64 scalar; `rows` int64 `[N]` says which of the step's whole
        batch these N examples are.

        Raises:
          ValueError: If there are labels that `model_fn` cannot take, or it does not return an
            `EstimatorSpec` for `mode`.
        """
        if labels is not None and "labels" not in self._names:
            raise ValueError(
                "`model_fn` must take `labels` if the input has some, received "
                f"({', '.join(self._names)}). Add `labels`."
            )
        offered = {
            "features": features,
            "labels": labels,
            "net": net,
            "mode": mode,
            "params": self._params,
            "config": self._config,
            "step": step,
            "rows": rows,
        }
        spec = self._model_fn(**{name: offered[name] for name in self._names})
        if not isinstance(spec, EstimatorSpec) or spec.mode != mode:
            received = spec.mode if isinstance(spec, EstimatorSpec) else type(spec).__name__
            raise ValueError(
                f"`model_fn` must return an EstimatorSpec for mode {mode!r}, "
                f"received {received!r}. Pass on its `mode`."
            )
        return spec

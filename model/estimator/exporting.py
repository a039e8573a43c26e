"""A SavedModel in a numeric version folder, which appears whole or not at all."""

import os
import pathlib
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping

import tensorflow as tf

from model.estimator.tensor_file import reason
from model.estimator.tf_variables import tf_variable

SignaturesFn = Callable[[Callable], Mapping[str, Callable]]


def export_saved_model(
    net,
    export_dir_base: str | os.PathLike,
    signatures_fn: SignaturesFn,
    assets_extra: Mapping[str, str | os.PathLike] | None = None,
) -> str:
    """Writes `<export_dir_base>/<version>/`; see `Estimator.export_saved_model`."""
    base = pathlib.Path(export_dir_base)
    base.mkdir(parents=True, exist_ok=True)
    # The name is not a number, so TensorFlow Serving, which polls `base`, does not look inside.
    partial = pathlib.Path(tempfile.mkdtemp(prefix="partial-", dir=base))
    try:
        # A plain module with TensorFlow's own variables: one that holds a Keras 3 model loads in
        # Python, but not in the C++ loader that TensorFlow Serving uses.
        module = tf.Module()
        module.net_variables = [tf_variable(variable) for variable in net.variables]
        tf.saved_model.save(module, str(partial), signatures=dict(signatures_fn(net)))
        for name, source in (assets_extra or {}).items():
            target = partial / "assets.extra" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        partial.chmod(0o755)  # mkdtemp's 0700 would keep another user's server out.
        version = base / str(_next_version(base))
        partial.rename(version)
    except tf.errors.ResourceExhaustedError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise OSError(
            f"an export must be written to {base}, received {reason(error)!r}. Make room there, or "
            "export to another folder."
        ) from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return str(version)


def versions_in(folder: str | os.PathLike) -> list[pathlib.Path]:
    """The numeric version folders in `folder`, the oldest first; none if there is no folder."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    numbers = sorted((name for name in names if name.isdecimal()), key=int)
    return [pathlib.Path(folder) / number for number in numbers]


def _next_version(base: pathlib.Path) -> int:
    """Seconds since 1970, but above all versions there: a server takes the highest."""
    return max([int(time.time()), *(int(path.name) + 1 for path in versions_in(base))])

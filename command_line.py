"""What every program of the project does at its border: flags in, one error line out.

A main is `main(arguments: list[str]) -> int | None`: it gets the positional arguments, reads its
flags, builds a config and calls one function. Bad input reaches it as ValueError or OSError and
leaves as one line on standard error, `error: rule, value received, what to do`, with status 1.
Ctrl-C and SIGTERM leave as one line too, once the main has cleaned up.
"""

import errno
import logging as python_logging
import os
import signal
import sys
from collections.abc import Callable

from absl import app, flags, logging

# TensorFlow's C++ code reads this when it starts. What it would still say (no CUDA found, which CPU
# features) is not about what the user asked for; what goes wrong reaches Python as an exception.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_INTERRUPTED = 130  # 128 + SIGINT, as shells report it.
_TERMINATED = 143  # 128 + SIGTERM.

Main = Callable[[list[str]], int | None]


class _Terminated(BaseException):
    """SIGTERM was received: `timeout`, a container or a batch system ends the program."""


def run(main: Main, positionals: str | None = None) -> None:
    """Parses the flags, calls `main` and exits with its status.

    Args:
      main: Takes the positional arguments, returns the exit status (None is 0).
      positionals: How the positional arguments are called in the usage line, for example
        "IMG_OR_DIR..."; None if the program takes none, and then a stray one is refused.
    """
    app.run(
        lambda arguments: sys.exit(_status_of(main, arguments[1:], positionals)),
        flags_parser=_parse_flags,
    )


def _parse_flags(argv: list[str]) -> list[str]:
    try:
        arguments = flags.FLAGS(argv)
    except flags.Error as error:
        _print_error(str(error).removesuffix(" ?") + ". --help lists the flags.")
        sys.exit(1)
    logging.use_absl_handler()
    logging.get_absl_handler().setFormatter(
        python_logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S")
    )
    # Of the handler, through which what other loggers say goes too.
    logging.get_absl_handler().addFilter(_is_worth_a_line)
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(logging.INFO)
    return arguments


def _is_worth_a_line(record: python_logging.LogRecord) -> bool:
    # TensorFlow's Python tells, for one, how many microseconds it took to shard a checkpoint.
    return record.levelno >= python_logging.WARNING or "site-packages" not in record.pathname


def _status_of(main: Main, arguments: list[str], positionals: str | None) -> int:
    signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        if arguments and positionals is None:
            raise ValueError(
                f"this program takes flags only, received {' '.join(arguments)!r}. "
                "Write options as --name=value; --help lists them."
            )
        return main(arguments) or 0
    except KeyboardInterrupt:
        _print_error("interrupted")
        return _INTERRUPTED
    except _Terminated:
        _print_error("terminated")
        return _TERMINATED
    except (ValueError, OSError) as error:
        if logging.level_debug():  # --verbosity=1
            logging.exception("the error in full")
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        _print_error(f"{error}. Make room and run it again." if full else error)
        return 1
    finally:
        # What was done is done: a signal that comes while Python ends must not make it a failure.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


def _raise_terminated(*_) -> None:
    # So that it cleans up as after Ctrl-C; undisturbed, as `timeout` sends the signal twice.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Terminated


def _print_error(error: object) -> None:
    print("error: " + " ".join(str(error).split()), file=sys.stderr)

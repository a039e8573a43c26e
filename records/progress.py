"""How far a long piece of work is: a bar on a terminal, now and then a log line anywhere else."""

import sys
import time

import tqdm
from absl import logging

# A log file of an hour's work stays readable (720 lines), and nobody waits long for a sign of life.
_SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Counts what is done and shows it on standard error, with the rate and the time left.

        with Progress(50000, "captchas", "train") as progress:
            for batch in batches:
                progress.update(len(batch))

    On a terminal that is one moving bar. Elsewhere it is a log line at most every 5 s and one when
    all went well, with columns that line up:

        train | 12800 of 50000 captchas |    1602 captchas/s | 0:23 left
        train | 50000 of 50000 captchas |    1588 captchas/s | 31.5 s

    Leaving by an exception adds no last line: what went wrong is the news then.
    """

    def __init__(self, total: int, unit: str, label: str):
        """Starts at 0 of `total`; `unit` is a plural noun, `label` says what is being done.

        The clock starts when the `with` block is entered.

        Raises:
          ValueError: If `total` is negative.
        """
        if total < 0:
            raise ValueError(
                f"`total` must be 0 or more, received {total}. Count what there is to do first."
            )
        self._total = total
        self._unit = unit
        self._label = label
        self._done = 0
        self._bar = None

    def __enter__(self) -> "Progress":
        """Starts the clock and, on a terminal, draws the bar."""
        self._started = self._last_line = time.monotonic()
        if sys.stderr.isatty():
            self._bar = tqdm.tqdm(
                total=self._total,
                desc=self._label,
                unit=f" {self._unit}",  # tqdm joins number and unit: "1602 captchas/s".
                file=sys.stderr,
                dynamic_ncols=True,
            )
        return self

    def __exit__(self, error_type, error, traceback) -> None:
        """Ends the bar, or logs the last line if no exception is on its way."""
        if self._bar is not None:
            self._bar.close()
        elif error_type is None:
            elapsed = time.monotonic() - self._started
            self._log(elapsed, f"{elapsed:.1f} s")

    def update(self, count: int = 1) -> None:
        """Adds `count` to what is done."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
            return
        now = time.monotonic()
        # The line of the last unit is __exit__'s, with the whole time on it.
        if now - self._last_line >= _SECONDS_BETWEEN_LINES and self._done < self._total:
            self._last_line = now
            elapsed = now - self._started
            seconds_left = elapsed / self._done * (self._total - self._done) if self._done else None
            self._log(elapsed, f"{_clock(seconds_left)} left")

    def _log(self, elapsed: float, time_column: str) -> None:
        rate = self._done / elapsed if elapsed > 0 else 0.0
        logging.info(
            "%s | %*d of %d %s | %7s %s/s | %s",
            self._label,
            len(str(self._total)),
            self._done,
            self._total,
            self._unit,
            f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}",
            self._unit,
            time_column,
        )


def _clock(seconds: float | None) -> str:
    """Writes 250 as "4:10", 3850 as "1:04:10" and None as "?"."""
    if seconds is None:
        return "?"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"

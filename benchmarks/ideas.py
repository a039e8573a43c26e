r"""What each idea gives: the same training with one thing changed, a row in the ledger each.

  python benchmarks/ideas.py --list
  python benchmarks/ideas.py --ideas=base,adam                          # a minute each
  python data_gen --n 15000 --n_test 500 --out=runs/few
  python benchmarks/ideas.py --ideas=base,dots --data_dir=runs/few --steps=2100     # 4 minutes each
  python benchmarks/ideas.py --ideas=base,relu --style=letters --steps=600
  python benchmarks/ideas.py --ideas=base --steps=30 --n_read=500 --norecord   # does it run

Trains the base with the idea, and reads 20,000 captchas of --style drawn from another seed. By
default captchas to train on are drawn live and none comes twice, and the base is train.py's
defaults without shifts, dropout and candidates. With --data_dir they are a dataset's, as often as
the steps need them, and the base is configs/captcha.flags without smoothed labels; 15,000 captchas
and 2,100 steps meet each captcha about as often as that does 50,000.
Differences of less than some 0.2 points are chance: `base_seed_1` is the base from another seed.
"""

import pathlib
import sys
import tempfile
import time

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from absl import flags

import command_line
import tensorflow_start

_IDEAS = flags.DEFINE_list("ideas", [], "Names, one after the other; see --list.")
_LIST = flags.DEFINE_bool("list", False, "Print the ideas.")
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "A dataset to train on. By default captchas of --style are drawn live."
)
_STEPS = flags.DEFINE_integer("steps", 1000, "Of the base, 64 captchas each.", lower_bound=2)
_STYLE = flags.DEFINE_enum("style", "default", ["default", "letters"], "Of the captchas to read.")
_N_READ = flags.DEFINE_integer("n_read", 20000, "Captchas to read.", lower_bound=1)
_RECORD = flags.DEFINE_bool("record", True, "Keep the rows in benchmarks/results.")

_READ_SEED = 4242  # No training here has it.


def main(_: list[str]) -> None:
    """Trains and reads, idea by idea."""
    tensorflow_start.import_quietly()
    from absl import logging

    from benchmarks import ledger
    from benchmarks.idea_table import IDEAS
    from benchmarks.idea_training import train_and_read

    if _LIST.value or not _IDEAS.value:
        for name, idea in IDEAS.items():
            print(f"{name:<18} {idea.what}")
        return
    unknown = [name for name in _IDEAS.value if name not in IDEAS]
    if unknown:
        raise ValueError(
            f"`ideas` must be among {', '.join(IDEAS)}, received {', '.join(unknown)}. See --list."
        )
    logging.set_verbosity(logging.WARNING)
    read = f"live:{_STYLE.value}?seed={_READ_SEED}&n_test={_N_READ.value}"
    data_dir = _DATA_DIR.value or f"live:{_STYLE.value}?seed=77"
    for name in _IDEAS.value:
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as model_dir:
            figures = train_and_read(IDEAS[name], data_dir, read, model_dir, _STEPS.value)
        figures["seconds"] = round(time.monotonic() - started)
        if _RECORD.value:
            ledger.record_row(_table(), name, IDEAS[name].what, figures)
        else:
            ledger.show({"idea": name, **figures})


def _table() -> str:
    if _DATA_DIR.value:
        return "ideas_with_a_dataset"
    return "ideas" if _STYLE.value == "default" else f"ideas_{_STYLE.value}"


if __name__ == "__main__":
    command_line.run(main)

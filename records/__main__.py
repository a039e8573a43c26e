"""Looks at a dataset: checks it, shows it, turns it back into files, says what it is.

python records verify captcha_data                       # every byte checked; 1 if any is wrong
python records show captcha_data --n 64 --out sheet.png  # a contact sheet
python records dump captcha_data --split test --out png  # <index>_<label>.png and labels.csv
python records info captcha_data                         # counts, sizes, seed, style, versions
"""

import pathlib
import sys

# `python records` puts this folder first on the path; ours are imported from the one above.
sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from absl import flags

import command_line
from records.description import load_description
from records.dump import dump
from records.errors import DatasetError
from records.layout import SPLITS
from records.progress import Progress
from records.show import show
from records.summary import split_summary, summary
from records.verify import verify_dataset

_SPLIT = flags.DEFINE_enum("split", "train", SPLITS, "Which split to show or dump.")
_N = flags.DEFINE_integer("n", None, "How many, from the first on. show: 64, dump: all of them.")
_OUT = flags.DEFINE_string(
    "out", None, "show: the PNG to write, by default DIR-SPLIT.png here. dump: the new folder."
)

_USAGE = "verify|show|dump|info DIR"
_DEFAULT_SHOWN = 64
_MOST_PROBLEMS = 50  # A shard that was written wrong has thousands, all alike.


def main(arguments: list[str]) -> int | None:
    """Runs the command that the first argument names on the dataset that the second one names."""
    if len(arguments) != 2 or arguments[0] not in _COMMANDS:
        raise ValueError(
            f"a command and a dataset are needed, {_USAGE}, received "
            f"{' '.join(arguments) or 'none'!r}. Write for example: python records info "
            "captcha_data"
        )
    name, dataset_dir = arguments
    command, options = _COMMANDS[name]
    for option in ("split", "n", "out"):
        if flags.FLAGS[option].present and option not in options:
            raise ValueError(
                f"`--{option}` goes with show and dump only, received it with {name}. Leave it out."
            )
    return command(dataset_dir)


def _verify(dataset_dir: str) -> int:
    num_problems, shown = 0, []
    with Progress(_num_records(dataset_dir), "records", "verify") as progress:
        # Listed after the bar has gone: the two would write over each other.
        for problem in verify_dataset(dataset_dir, on_progress=progress.update):
            num_problems += 1
            if num_problems <= _MOST_PROBLEMS:
                shown.append(problem)
    for problem in shown:
        print(problem)
    if num_problems > len(shown):
        print(f"and {num_problems - len(shown)} more")
    if num_problems:
        return 1
    description = load_description(dataset_dir)
    totals = "; ".join(f"{split} {split_summary(description, split)}" for split in SPLITS)
    print(f"{description.dataset_dir}: all as written; {totals}")
    return 0


def _num_records(dataset_dir: str) -> int:
    """How many there are to verify; 0 if the dataset does not describe itself."""
    try:
        description = load_description(dataset_dir)
    except DatasetError as error:
        if error.file == ".":
            raise  # There is no dataset to verify.
        return 0
    except OSError:
        return 0
    return sum(map(description.num_examples, SPLITS))


def _show(dataset_dir: str) -> None:
    description = load_description(dataset_dir)
    dataset_name = description.dataset_dir.resolve().name
    out = pathlib.Path(_OUT.value or f"{dataset_name}-{_SPLIT.value}.png")
    num_shown = show(
        description, _SPLIT.value, _DEFAULT_SHOWN if _N.value is None else _N.value, out
    )
    print(f"{out}: {num_shown} of {description.num_examples(_SPLIT.value)} of {_SPLIT.value}")


def _dump(dataset_dir: str) -> None:
    description = load_description(dataset_dir)
    if _OUT.value is None:
        raise ValueError("`--out` must name a new folder for dump, received none. Add it.")
    num_dumped = dump(description, _SPLIT.value, _N.value, _OUT.value)
    print(f"{_OUT.value}: {num_dumped} images of {_SPLIT.value} and labels.csv")


def _info(dataset_dir: str) -> None:
    description = load_description(dataset_dir)
    print(summary(description), end="")


_COMMANDS = {
    "verify": (_verify, ()),
    "show": (_show, ("split", "n", "out")),
    "dump": (_dump, ("split", "n", "out")),
    "info": (_info, ()),
}

if __name__ == "__main__":
    command_line.run(main, positionals=_USAGE)

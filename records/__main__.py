"""Looks at a dataset: checks it, shows it, turns it back into files, says what it is.

Two commands, run by the package `labelling`, let an exported network help with labels.

python records verify captcha_data                       # every byte checked; 1 if any is wrong
python records show captcha_data --n 64 --out sheet.png  # a contact sheet
python records dump captcha_data --split test --out png  # <index>_<label>.png and labels.csv
python records info captcha_data                         # counts, sizes, seed, style, versions
python records label my_new --saved_model exports/captcha  # proposes labels for a folder of files
python records audit my_data --saved_model exports/captcha # finds labels that are probably wrong
"""

import pathlib
import sys

# `python records` puts this folder first on the path; ours are imported from the one above.
sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from absl import flags

import command_line
import tensorflow_start
from records.description import load_description
from records.dump import dump
from records.errors import DatasetError
from records.layout import SPLITS
from records.progress import Progress
from records.show import show
from records.summary import split_summary, summary
from records.verify import verify_dataset

_SPLIT = flags.DEFINE_enum("split", "train", SPLITS, "Which split to show or dump.")
_N = flags.DEFINE_integer(
    "n",
    None,
    "How many, from the first on. show: 64, dump: all of them. label, audit: how many of the list "
    "are on the contact sheet, 100 and 200.",
)
_OUT = flags.DEFINE_string(
    "out",
    None,
    "show: the PNG to write, by default DIR-SPLIT.png here. dump: the new folder. label: the CSV, "
    "by default DIR_labels.csv beside DIR. audit: the new folder, by default DIR_audit here.",
)
_SAVED_MODEL = flags.DEFINE_string("saved_model", None, "label, audit: as python export wrote it.")
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "label: replace a list, corrections and all.")
_START = flags.DEFINE_string(
    "start",
    "auto",
    "audit: weights that networks start from. model: those of --saved_model, which must not have "
    "been trained on the labels to audit; fresh; auto: model, unless it may know the labels.",
)
_MIN_CERTAINTY = flags.DEFINE_float(
    "min_certainty", 0.5, "audit: list what is wrong at least as certainly as this, in (0, 1)."
)
_SEED = flags.DEFINE_integer("seed", 0, "audit: of folds, weights, order and shifts.")

_USAGE = "verify|show|dump|info|label|audit DIR"
_DEFAULT_SHOWN = 64
_MOST_PROBLEMS = 50  # A shard that was written wrong has thousands, all alike.


def main(arguments: list[str]) -> int | None:
    """Runs the command that the first argument names on the dataset that the second one names."""
    if len(arguments) != 2 or arguments[0] not in _COMMANDS:
        raise ValueError(
            f"a command and a folder are needed, {_USAGE}, received "
            f"{' '.join(arguments) or 'none'!r}. Write for example: python records info "
            "captcha_data"
        )
    name, dataset_dir = arguments
    command, options = _COMMANDS[name]
    for option in sorted({option for _, known in _COMMANDS.values() for option in known}):
        if flags.FLAGS[option].present and option not in options:
            *others, last = [taker for taker, (_, known) in _COMMANDS.items() if option in known]
            takers = f"{', '.join(others)} and {last}" if others else last
            raise ValueError(
                f"`--{option}` goes with {takers} only, received it with {name}. Leave it out."
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


def _label(folder: str) -> int:
    # Here and not above: of records only this file, and only to run these commands, may reach for
    # labelling, which needs TensorFlow. Its configs do not: bad flags are refused at once.
    from labelling.propose_config import ProposeConfig

    config = ProposeConfig(
        folder=folder,
        saved_model=_saved_model("label"),
        out=_OUT.value,
        overwrite=_OVERWRITE.value,
        **({} if _N.value is None else {"num_shown": _N.value}),
    )
    tensorflow_start.import_quietly()
    from labelling.propose import propose_labels

    proposed = propose_labels(config)
    for error in proposed.unreadable:
        print(error, file=sys.stderr)
    print(
        f"{config.csv_path}: {proposed.num_labels} labels proposed, the doubtful first; "
        f"{proposed.num_shown} of them are in {config.sheet_path}"
    )
    print(f"correct it, then: python data_gen --from_images {config.csv_path} --out my_data")
    return 1 if proposed.unreadable else 0


def _audit(dataset_dir: str) -> None:
    from labelling.audit_config import AuditConfig

    config = AuditConfig(
        dataset_dir=dataset_dir,
        saved_model=_saved_model("audit"),
        out=_OUT.value,
        start=_START.value,
        min_certainty=_MIN_CERTAINTY.value,
        seed=_SEED.value,
        **({} if _N.value is None else {"num_shown": _N.value}),
    )
    tensorflow_start.import_quietly()
    from labelling.audit import audit

    audited = audit(config)
    print(
        f"{config.out_dir}: {audited.num_suspects} of {audited.num_pictures} labels are probably "
        "wrong, the surest first in audit.csv and audit.png"
    )
    print(
        "correct the first lines of labels.csv, which has all pictures with the labels proposed, "
        f"then: python data_gen --from_images {config.out_dir / 'labels.csv'} --out corrected_data"
    )


def _saved_model(command: str) -> str:
    if _SAVED_MODEL.value is None:
        raise ValueError(
            f"`--saved_model` must name an exported network for {command}, received none. Write "
            "one: python export --model_dir=models/captcha --out=exports/captcha"
        )
    return _SAVED_MODEL.value


_COMMANDS = {
    "verify": (_verify, ()),
    "show": (_show, ("split", "n", "out")),
    "dump": (_dump, ("split", "n", "out")),
    "info": (_info, ()),
    "label": (_label, ("n", "out", "saved_model", "overwrite")),
    "audit": (_audit, ("n", "out", "saved_model", "start", "min_certainty", "seed")),
}

if __name__ == "__main__":
    command_line.run(main, positionals=_USAGE)

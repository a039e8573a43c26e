"""How many wrong labels `python records audit` finds, and how much of its list is right.

  python benchmarks/audit_labels.py --data=DIR --name=published --seeds=0,1,2
  python benchmarks/audit_labels.py --data=DIR --name=noise --noise=0.02 --seeds=0,1,2

--data is a folder of pictures with labels.csv (`file,label`) and corrections.csv
(`file,label,correct`), which says which of those are wrong. For each seed the pictures are imported
and audited; with --n, so many of them drawn by that seed; with --noise, under their right labels of
which this share gets another character at one place. A label is found if it is listed; a line of
the list is right if its label is wrong. Seconds are those of the audit.
"""

import csv
import hashlib
import pathlib
import sys
import tempfile
import time
from typing import Any

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import numpy as np
from absl import flags

import command_line
import tensorflow_start
from benchmarks.published_labels import Labelled, csv_rows, published_labels
from data_gen.import_config import ImportConfig
from data_gen.import_images import import_images
from records.image_decoding import decode_image_file

_DATA = flags.DEFINE_string("data", None, "Folder of pictures with the two lists.", required=True)
_SAVED_MODEL = flags.DEFINE_string("saved_model", "exports/captcha", "As `python export` wrote it.")
_NAME = flags.DEFINE_string("name", None, "Of the entry in the ledger. None keeps nothing.")
_SEEDS = flags.DEFINE_list("seeds", ["0"], "Of the draw, the import and the audit.")
_N = flags.DEFINE_integer("n", None, "How many pictures; by default all.", lower_bound=100)
_NOISE = flags.DEFINE_float("noise", None, "Share of labels to make wrong.", 0, 1)
_START = flags.DEFINE_string("start", "auto", "As of `records audit`.")


def main(_: list[str]) -> None:
    """Imports, audits, compares; once for each seed."""
    tensorflow_start.import_quietly()
    from benchmarks import ledger

    figures: dict[str, Any] = {}
    totals = np.zeros(4, int)
    for seed in map(int, _SEEDS.value):
        counts, seconds = _audited(_chosen(seed), seed)
        figures |= {
            f"seed {seed}: wrong, listed, found, proposed right": ", ".join(map(str, counts)),
            f"seed {seed}: seconds": round(seconds),
        }
        totals += counts
        ledger.show(figures)
    wrong, listed, found, right = map(int, totals)
    figures |= {
        "found, of wrong labels": found / wrong,
        "right, of listed labels": found / max(1, listed),
        "right, of proposed labels": right / max(1, listed),
    }
    if _NAME.value:
        title = f"Wrong labels found by records audit: {_NAME.value}"
        ledger.record(f"audit_{_NAME.value}", title, figures)
    else:
        ledger.show(figures)


def _chosen(seed: int) -> list[Labelled]:
    """The pictures to audit, under the labels to audit them with."""
    files = published_labels(_DATA.value)
    generator = np.random.default_rng((seed, 0, 0))
    files = [files[index] for index in sorted(generator.permutation(len(files))[: _N.value])]
    if _NOISE.value is None:
        return files
    alphabet = sorted({char for file in files for char in file.correct})
    return [
        file._replace(published=_spoilt(file.correct, alphabet, generator))
        if generator.random() < _NOISE.value
        else file._replace(published=file.correct)
        for file in files
    ]


def _spoilt(label: str, alphabet: list[str], generator: np.random.Generator) -> str:
    """The label with another character at one place."""
    place = int(generator.integers(len(label)))
    other = generator.choice([char for char in alphabet if char != label[place]])
    return label[:place] + str(other) + label[place + 1 :]


def _audited(files: list[Labelled], seed: int) -> tuple[tuple[int, int, int, int], float]:
    """How many labels are wrong, are listed, are both, and have the right one proposed."""
    from labelling.audit import audit
    from labelling.audit_config import AuditConfig

    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        with (folder / "labels.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("file", "label"))
            rows.writerows((path, published) for path, published, _ in files)
        import_images(
            ImportConfig(source=folder / "labels.csv", out_dir=folder / "data", seed=seed)
        )
        started = time.monotonic()
        audit(
            AuditConfig(
                dataset_dir=str(folder / "data"),
                saved_model=_SAVED_MODEL.value,
                out=str(folder / "audit"),
                seed=seed,
                start=_START.value,
            )
        )
        seconds = time.monotonic() - started
        correct = {_pixels(file.path): file.correct for file in files}
        imported = [
            (row["published"], correct[_pixels(folder / "audit" / row["file"])])
            for row in csv_rows(folder / "audit" / "labels.csv")
        ]
        listed = [
            (row["label"], row["proposed"], correct[_pixels(folder / "audit" / row["file"])])
            for row in csv_rows(folder / "audit" / "audit.csv")
        ]
    num_wrong = sum(published != right for published, right in imported)
    num_found = sum(published != right for published, _, right in listed)
    num_right = sum(proposed == right for _, proposed, right in listed)
    for published, proposed, right in listed:
        if right in (published, proposed):
            continue
        print(f"listed {published} > {proposed}, right is {right}")
    for published, proposed, right in listed:
        if right == published:
            print(f"listed {published} > {proposed}, though it is right")
    return (num_wrong, len(listed), num_found, num_right), seconds


def _pixels(path: pathlib.Path) -> bytes:
    return hashlib.sha256(decode_image_file(path).tobytes()).digest()


if __name__ == "__main__":
    command_line.run(main)

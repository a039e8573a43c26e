"""Makes a dataset of people's own labelled pictures, and says which were left out and why."""

import collections
import pathlib
from typing import Any

from absl import logging

from data_gen.import_config import ImportConfig
from data_gen.import_report import REJECTED, Report, make_report, report_lines, write_report
from data_gen.import_sources import write_sources
from data_gen.label_source import find_labels
from data_gen.picture_files import Picture, pixels_at
from data_gen.picture_selection import (
    Common,
    Selection,
    find_alphabet,
    find_common,
    rejected_conflicts,
    select,
    without_conflicts,
)
from data_gen.picture_split import split
from data_gen.picture_work import Encoding, inspect_all, with_final_hashes, write_splits
from data_gen.preview import write_preview
from data_gen.rejection import Rejected
from records.dataset_writer import DatasetWriter, check_out_dir
from records.schema import captcha_fields

_SHOWN_REJECTIONS = 20


def import_images(config: ImportConfig) -> None:
    """Writes the pictures of `config.source` as a dataset under `config.out_dir`.

    What became of the files is logged in short, and comes with the dataset as import_report.json;
    those that cannot be used are in rejected.csv too, a row of `file,reason` each; sources.csv says
    which file each example was. Pictures that
    are identical, as the dataset has them, lie in the same split; labelled differently, all of them
    are rejected.

    Raises:
      ValueError: If `out_dir` exists without `overwrite`, or too few pictures can be used, or they
        change meanwhile.
      OSError: If writing fails or a worker dies. What was under `out_dir` stays as it was.
    """
    check_out_dir(config.out_dir, overwrite=config.overwrite)  # Before all pictures are decoded.
    source = find_labels(config.source, config.label_pattern, config.label_case)
    pictures, unusable = inspect_all(source.files, config.num_workers)
    selection = _select(config, pictures, unusable)
    train, test = split(selection.accepted, config.num_test, config.seed)
    common = selection.common
    fields = captcha_fields(
        height_px=common.size[1],
        width_px=common.size[0],
        num_positions=common.num_positions,
        encoding=config.encoding,
        variable_length=common.variable_length,
    )
    report = make_report(source, pictures, selection, len(test))
    with DatasetWriter(
        config.out_dir, fields=fields, alphabet=selection.alphabet, overwrite=config.overwrite
    ) as writer:
        encoding = Encoding(fields, selection.alphabet, common.size, config.resize)
        splits = {"train": train, "test": test}
        write_splits(writer, splits, encoding, config.num_workers)
        examples = ((pixels_at(file, common.size, config.resize), file.label) for file in train)
        write_preview(examples, writer.path / "preview.png")
        write_report(report, writer.path)
        write_sources(splits, writer.path)
        writer.finish(_provenance(config, common, report))
    _log_rejected(selection.rejected, config.out_dir / REJECTED)
    for line in report_lines(report):
        logging.info("import | %s", line)


def _select(config: ImportConfig, pictures: list[Picture], unusable: list[Rejected]) -> Selection:
    """Raises ValueError if too few pictures fit together."""
    kept, conflicts = without_conflicts(pictures)
    if not kept:
        raise _too_few(config, kept, [*unusable, *rejected_conflicts(conflicts)])
    common = find_common(kept, config.wanted)
    fitting, unfit = select(kept, common, config.wanted)
    alphabet = config.alphabet or find_alphabet(fitting)
    fitting = with_final_hashes(fitting, common.size, config.resize, config.num_workers)
    accepted, more_conflicts = without_conflicts(fitting)
    conflicts += more_conflicts
    rejected = sorted([*unusable, *unfit, *rejected_conflicts(conflicts)])
    if len({picture.pixel_hash for picture in accepted}) < 2:
        raise _too_few(config, accepted, rejected)
    if config.alphabet is None and len(alphabet) < 2:
        raise ValueError(
            f"labels must have 2 different characters, received {alphabet!r} alone. If there are "
            "more, name all of them with --alphabet."
        )
    return Selection(accepted, rejected, common, alphabet, conflicts)


def _provenance(config: ImportConfig, common: Common, report: Report) -> dict[str, Any]:
    """What --like needs besides the description of the dataset."""
    return {
        "generator": "data_gen --from_images",
        "source": str(config.source),
        "label_pattern": config.label_pattern,
        "label_case": config.label_case,
        "lengths": list(common.lengths),
        "resize": config.resize,
        "seed": config.seed,
        "num_rejected": report["rejected"],
    }


def _log_rejected(rejected: list[Rejected], listed_in: pathlib.Path | None) -> None:
    for name, _, reason in rejected[:_SHOWN_REJECTIONS]:
        logging.warning("rejected | %s | %s", name if name.isprintable() else repr(name), reason)
    if len(rejected) > _SHOWN_REJECTIONS:
        logging.warning(
            "rejected | and %d more%s",
            len(rejected) - _SHOWN_REJECTIONS,
            f", all in {listed_in}" if listed_in else "",
        )


def _too_few(config: ImportConfig, accepted: list[Picture], rejected: list[Rejected]) -> ValueError:
    _log_rejected(sorted(rejected), None)  # No dataset will have the list.
    most = ""
    if rejected:
        kind, count = collections.Counter(file.kind for file in rejected).most_common(1)[0]
        example = next(file.reason for file in rejected if file.kind == kind)
        most = f", {count} of them {kind}: {example}"
    return ValueError(
        f"an import must have 2 different pictures at least, received {len(accepted)} that can be "
        f"used of {str(config.source)!r}, {len(rejected)} rejected{most}. Correct the files, "
        "--label_pattern, --length, --alphabet or --resize."
    )

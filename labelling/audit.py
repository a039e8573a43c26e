"""Finds the labels of a dataset that are probably wrong, from what networks read out of fold.

Several networks are trained on different parts of the dataset, so that each picture can be read by
some that have not been told its label. Where those agree on another one, the label is a suspect.
"""

import math
from typing import NamedTuple

import numpy as np
from absl import logging

from export.reader import Reader
from labelling.audit_config import AuditConfig
from labelling.audit_folder import AUDIT, Picture, Suspect, write_lists
from labelling.certainty import Findings, find_slips
from labelling.examples import Examples, taken_out
from labelling.exported_weights import load_exported
from labelling.fold_network import BATCH_SIZE, FoldNetwork
from labelling.out_of_fold import FoldPlan, read_out_of_fold
from labelling.safe_start import Start, choose_start
from model.networks import NetworkConfig
from model.precision import dtype_policy
from records.description import DatasetDescription, load_description
from records.layout import SPLITS
from records.progress import Progress
from records.staged_folder import StagedFolder

_FEWEST_PICTURES = 100  # Fewer teach a network nothing, and are looked through in two minutes.
_FEWEST_STEPS = 800
_FEWEST_EPOCHS = 4
_LEAST_AGREEMENT = 0.8  # Below, suspects are rather what the networks cannot read.


class Audited(NamedTuple):
    """What came of it."""

    num_pictures: int
    num_suspects: int


def audit(config: AuditConfig) -> Audited:
    """Audits both splits together and writes `labelling.audit_folder`'s files.

    Equal configs and datasets give equal suspects on one machine.

    Raises:
      ValueError: If there is no dataset or it is damaged, it has too few pictures, the SavedModel
        cannot be used, or the output folder exists.
      OSError: If a file cannot be read or written.
    """
    dataset = load_description(config.dataset_dir)
    num_pictures = sum(map(dataset.num_examples, SPLITS))
    if num_pictures < _FEWEST_PICTURES:
        raise ValueError(
            f"an audit must have {_FEWEST_PICTURES} pictures or more, received {num_pictures} in "
            f"'{config.dataset_dir}'. Look through them: python records show {config.dataset_dir}"
        )
    folder = StagedFolder(config.out_dir, marker=AUDIT, overwrite=False)
    folder.check_final()  # Before a network is loaded.
    reader = Reader(config.saved_model)
    exported = load_exported(reader.path)
    network = NetworkConfig(
        name=exported.description.net,
        image_shape=exported.description.image_shape,
        num_positions=dataset.num_positions,
        num_classes=dataset.num_classes,
        activation=exported.description.activation,  # What its weights were trained with.
        dropout=0,
        dtype_policy=dtype_policy("auto"),
    )
    with folder:
        with taken_out(dataset, network.image_shape, folder.path) as examples:
            start = choose_start(
                config.start, examples, reader, exported, network, dataset.alphabet
            )
            findings = _find(config, examples, network, start)
        suspects, others = _sort_out(config, dataset, examples.pictures, findings)
        write_lists(suspects, others, config.num_shown, folder.path)
        folder.commit(durable=False)  # As a dump, it is made again if the power goes.
    return Audited(num_pictures, len(suspects))


def _find(
    config: AuditConfig, examples: Examples, network: NetworkConfig, start: Start
) -> Findings:
    """Trains, reads, compares."""
    plan = FoldPlan(seed=config.seed)
    epoch = len(examples.pictures) * (1 - 1 / plan.num_folds) / BATCH_SIZE
    num_steps = max(_FEWEST_STEPS, math.ceil(_FEWEST_EPOCHS * epoch))
    logging.info(
        "audit | %d pictures | %d networks of %d steps each: %d folds, %d times",
        len(examples.pictures),
        plan.num_networks,
        num_steps,
        plan.num_folds,
        plan.num_repeats,
    )
    with Progress(num_steps * plan.num_networks, "steps", "audit") as progress:
        log_probabilities = read_out_of_fold(
            FoldNetwork(network, num_steps),
            examples.pixels,
            examples.labels,
            examples.groups,
            plan,
            start,
            progress.update,
        )
    findings = find_slips(log_probabilities, examples.labels)
    agreement = (findings.classes == examples.labels).all(axis=1).mean()
    logging.info(
        "audit | out of fold %.1f %% are read as labelled | %.2f %% of characters taken for wrong",
        100 * agreement,
        100 * findings.slip_rate,
    )
    if agreement < _LEAST_AGREEMENT:
        logging.warning(
            "audit | that is too little to tell wrong labels from what networks cannot read: give "
            "more pictures, or a --saved_model that was trained on some like these"
        )
    return findings


def _sort_out(
    config: AuditConfig,
    dataset: DatasetDescription,
    pictures: list[Picture],
    findings: Findings,
) -> tuple[list[Suspect], list[Picture]]:
    """The suspects, surest first, and the others in the order of the dataset."""
    character_of_class = np.array([*dataset.alphabet, ""])  # No character for the blank.
    suspects, others = [], []
    for picture, classes, certainty in zip(
        pictures, findings.classes, findings.certainty, strict=True
    ):
        proposed = "".join(character_of_class[classes])
        if proposed != picture.label and certainty >= config.min_certainty:
            suspects.append(Suspect(picture, proposed, float(certainty)))
        else:
            others.append(picture)
    return sorted(suspects, key=lambda suspect: -suspect.certainty), others

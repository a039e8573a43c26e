"""Makes a dataset again from what its provenance.json says, and compares."""

import pathlib

from absl import logging

from data_gen.generate import GenerateConfig
from data_gen.import_config import ImportConfig
from data_gen.origin import GENERATOR, style_of, versions
from records.description import DatasetDescription
from records.layout import SPLITS
from records.schema import field_of


def config_like(
    dataset: DatasetDescription, out_dir: pathlib.Path, *, overwrite: bool, num_workers: int
) -> GenerateConfig | ImportConfig:
    """The configuration that made `dataset`, for another folder.

    Raises:
      ValueError: If data_gen did not make it, or a font or picture of it has changed.
    """
    made = dataset.provenance
    if made.get("generator") != GENERATOR:
        if "source" in made:
            return _import_config(dataset, out_dir, overwrite=overwrite, num_workers=num_workers)
        raise ValueError(
            f"--like needs a dataset that data_gen made, received {str(dataset.dataset_dir)!r} by "
            f"{made.get('generator')!r}. Name another."
        )
    for package, version in versions().items():
        if made["versions"].get(package) != version:
            logging.warning(
                "like | it was drawn with %s %s, here is %s: pictures may differ",
                package,
                made["versions"].get(package),
                version,
            )
    features = {field.feature for field in dataset.fields}
    return GenerateConfig(
        style=style_of(made),
        num_train=dataset.num_examples("train"),
        num_test=dataset.num_examples("test"),
        out_dir=out_dir,
        seed=made["seed"],
        encoding=field_of(dataset.fields, "image").storage,
        with_map="map" in features,
        renderer=made["renderer"],
        overwrite=overwrite,
        num_workers=num_workers,
    )


def _import_config(
    dataset: DatasetDescription, out_dir: pathlib.Path, *, overwrite: bool, num_workers: int
) -> ImportConfig:
    made = dataset.provenance
    height_px, width_px, _ = dataset.image_shape
    return ImportConfig(
        source=pathlib.Path(made["source"]),
        out_dir=out_dir,
        label_pattern=made["label_pattern"],
        label_case=made["label_case"],
        num_test=dataset.num_examples("test"),
        seed=made["seed"],
        width_px=width_px,
        height_px=height_px,
        lengths=tuple(made["lengths"]),
        alphabet=dataset.alphabet,
        resize=made["resize"],
        encoding=field_of(dataset.fields, "image").storage,
        overwrite=overwrite,
        num_workers=num_workers,
    )


def check_alike(wanted: DatasetDescription, received: DatasetDescription) -> int:
    """Compares the hashes of all shards.

    Returns:
      How many there are.

    Raises:
      ValueError: If one differs; names the first.
    """
    num_shards = 0
    for split in SPLITS:
        pairs = zip(wanted.shards(split), received.shards(split), strict=False)
        for ours, theirs in pairs:
            if ours != theirs:
                raise ValueError(
                    f"{theirs.file} must have the SHA-256 that it has in {wanted.dataset_dir}, "
                    f"{ours.sha256}, received {theirs.sha256}. Install the versions that "
                    f"{wanted.dataset_dir / 'provenance.json'} names."
                )
            num_shards += 1
        if len(wanted.shards(split)) != len(received.shards(split)):
            raise ValueError(
                f"{split} must have {len(wanted.shards(split))} shards as in {wanted.dataset_dir}, "
                f"received {len(received.shards(split))}. Put the original pictures back."
            )
    return num_shards

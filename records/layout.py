"""Where the files of a dataset lie and what they are called.

captcha_data/
  data_info.csv        the fields of a record: records/schema.py
  features.json        the same for TFDS: records/tfds_metadata.py
  dataset_info.json    splits and counts, for TFDS
  provenance.json      what the data depends on; count, bytes and SHA-256 of each shard
  train/captcha-train.tfrecord-00000-of-00010
  test/captcha-test.tfrecord-00000-of-00004
"""

import dataclasses

NAME = "captcha"
SPLITS = ("train", "test")

DATA_INFO = "data_info.csv"
FEATURES = "features.json"
DATASET_INFO = "dataset_info.json"
PROVENANCE = "provenance.json"

SHARD_PATTERN = "*.tfrecord*"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shard:
    """One file of a split, as provenance.json lists it."""

    file: str  # Relative to the dataset: train/captcha-train.tfrecord-00000-of-00010.
    examples: int
    bytes: int
    sha256: str  # 64 lower-case hexadecimal digits, of the whole file.


def shard_file(split: str, index: int, num_shards: int) -> str:
    """Path of shard `index` of `num_shards`, relative to the dataset."""
    return f"{split}/{NAME}-{split}.tfrecord-{index:05d}-of-{num_shards:05d}"

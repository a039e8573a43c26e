"""features.json and dataset_info.json: with them TensorFlow Datasets opens what we write.

    tfds.builder_from_directory("captcha_data").as_dataset(split="train")

Both are written without TFDS and hold only keys that it knows, as it refuses others. The features
are called as in the records: image_raw, label, map_raw.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from records.layout import NAME, Shard
from records.schema import Field, field_of
from records.tfrecord import FRAME_BYTES

_VERSION = "1.0.0"  # Of the dataset in TFDS's sense, which requires one.
_CLASSES = "tensorflow_datasets.core.features."


def features_json(fields: Sequence[Field], num_classes: int) -> str:
    """Writes the text of features.json; labels are classes 0 to `num_classes` - 1."""
    features = {field.name: _feature(field, num_classes) for field in fields}
    return _to_json(
        {
            "pythonClassName": _CLASSES + "features_dict.FeaturesDict",
            "featuresDict": {"features": features},
        }
    )


def dataset_info_json(fields: Sequence[Field], shards: Mapping[str, Sequence[Shard]]) -> str:
    """Writes the text of dataset_info.json, for the shards of each split."""
    return _to_json(
        {
            "name": NAME,
            "version": _VERSION,
            "description": "Images of captchas with the class index of each character.",
            "fileFormat": "tfrecord",
            "splits": [
                {
                    "name": split,
                    "filepathTemplate": "{SPLIT}/{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
                    # Numbers of 64 bits are strings in protobuf's JSON. Of the records alone.
                    "numBytes": str(
                        sum(shard.bytes - FRAME_BYTES * shard.examples for shard in members)
                    ),
                    "shardLengths": [str(shard.examples) for shard in members],
                }
                for split, members in shards.items()
            ],
            "supervisedKeys": {
                "tuple": {
                    "items": [
                        {"featureKey": field_of(fields, "image").name},
                        {"featureKey": field_of(fields, "label").name},
                    ]
                }
            },
        }
    )


def _feature(field: Field, num_classes: int) -> dict[str, Any]:
    shape = {"dimensions": [str(size) for size in field.shape]}
    match field.storage:
        case "raw":
            return {
                "pythonClassName": _CLASSES + "tensor_feature.Tensor",
                "tensor": {"shape": shape, "dtype": field.dtype, "encoding": "bytes"},
            }
        case "png" | "jpeg":
            return {
                "pythonClassName": _CLASSES + "image_feature.Image",
                "image": {"shape": shape, "dtype": field.dtype, "encodingFormat": field.storage},
            }
        case "int64_list":
            return {
                "pythonClassName": _CLASSES + "sequence_feature.Sequence",
                "sequence": {
                    "length": str(field.num_values),
                    "feature": {
                        "pythonClassName": _CLASSES + "class_label_feature.ClassLabel",
                        "classLabel": {"numClasses": str(num_classes)},
                    },
                },
            }


def _to_json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=4, sort_keys=True) + "\n"

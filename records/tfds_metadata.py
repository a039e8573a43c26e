"""features.json and dataset_info.json: with them TensorFlow Datasets opens what we write.

    tfds.builder_from_directory("captcha_data").as_dataset(split="train")

Both are written without TFDS and hold only keys that it knows, as it refuses others. The features
are called as in the records: image_raw, label, length, map_raw. TFDS knows no blank: to it that is
one class more, and `length` says how many of a label's classes are characters.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from records.layout import NAME, Shard
from records.schema import Field, field_of, has_blank
from records.tfrecord import FRAME_BYTES

_VERSION = "1.0.0"  # Of the dataset in TFDS's sense, which requires one.
_CLASSES = "tensorflow_datasets.core.features."


def features_json(fields: Sequence[Field], num_characters: int) -> str:
    """Writes the text of features.json, for labels in an alphabet of `num_characters`."""
    num_classes = num_characters + has_blank(fields)
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
    if field.feature == "length":  # A number, no class.
        return _tensor(field, shape, "none")
    match field.storage:
        case "raw":
            return _tensor(field, shape, "bytes")
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


def _tensor(field: Field, shape: Mapping[str, Any], encoding: str) -> dict[str, Any]:
    return {
        "pythonClassName": _CLASSES + "tensor_feature.Tensor",
        "tensor": {"shape": shape, "dtype": field.dtype, "encoding": encoding},
    }


def _to_json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=4, sort_keys=True) + "\n"

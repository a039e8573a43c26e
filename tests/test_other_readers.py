"""Readers that share no code with ours find the pictures and labels that were drawn.

tests/test_tfds.py has one more, tensorflow-datasets.
"""

import base64
import pickle
import subprocess
import sys

import pytest
import tensorflow as tf

from data_gen.example import make_example
from data_gen.generate import GenerateConfig, generate
from data_gen.style import Style

NUM_EXAMPLES = 12
SEED = 5

pytestmark = pytest.mark.slow  # Beam takes 2 s to import, each reader is a program of its own.


def parsed(records):
    """By TensorFlow's own message class; the keys with their only bytes, or their integers."""
    for record in records:
        features = tf.train.Example.FromString(record).features.feature
        yield {
            name: feature.bytes_list.value[0]
            if feature.WhichOneof("kind") == "bytes_list"
            else list(feature.int64_list.value)
            for name, feature in features.items()
        }


def read_with_tensorboard(shard, _):
    from tensorboard.compat.tensorflow_stub import errors
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New

    reader, records = PyRecordReader_New(str(shard)), []
    while True:
        try:
            reader.GetNext()  # Compares both checksums.
        except errors.OutOfRangeError:
            return parsed(records)
        records.append(reader.record())


def read_with_beam(shard, tmp_path):
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    # Without the mode the DirectRunner downloads another runner first, if it can.
    options = PipelineOptions(["--direct_running_mode=multi_threading"])
    with beam.Pipeline("DirectRunner", options) as pipeline:
        _ = (
            pipeline
            | beam.io.ReadFromTFRecord(str(shard))  # Compares both checksums.
            | beam.Map(base64.b64encode)
            | beam.io.WriteToText(
                str(tmp_path / "records"),
                shard_name_template="",
                coder=beam.coders.BytesCoder(),
            )
        )
    return parsed(map(base64.b64decode, (tmp_path / "records").read_bytes().splitlines()))


def read_with_tfrecord(shard, tmp_path):
    # The package brings tf.train.Example under TensorFlow's own name, and protobuf refuses a
    # second one in a process: so it runs in one without TensorFlow.
    code = (
        "import pickle, sys, tfrecord\n"
        "found = list(tfrecord.tfrecord_loader(sys.argv[1], None))\n"
        "pickle.dump(found, open(sys.argv[2], 'wb'))\n"
    )
    out = tmp_path / "records"
    subprocess.run([sys.executable, "-c", code, str(shard), str(out)], check=True, timeout=120)
    return pickle.loads(out.read_bytes())


def facts(record, encoding):
    """Pixels, label, length and map of what a reader found, to be compared and sorted."""
    pixels = bytes(record["image_raw"])
    if encoding == "png":
        pixels = tf.io.decode_png(pixels).numpy().tobytes()
    assert record.keys() == {"image_raw", "label", "length", "map_raw"}
    return pixels, list(record["label"]), list(record["length"]), bytes(record["map_raw"])


STYLE = Style(width_px=104, min_length=3, max_length=6)


@pytest.fixture(scope="module", params=["raw", "png"])
def dataset(request, tmp_path_factory):
    """A folder of captchas and how they are encoded."""
    out_dir = tmp_path_factory.mktemp("readers") / "captcha_data"
    generate(
        GenerateConfig(
            style=STYLE,
            num_train=NUM_EXAMPLES,
            num_test=1,
            out_dir=out_dir,
            seed=SEED,
            encoding=request.param,
            with_map=True,
            num_workers=1,
        )
    )
    return out_dir, request.param


@pytest.mark.parametrize("read", [read_with_tensorboard, read_with_tfrecord, read_with_beam])
def test_another_reader_finds_what_was_drawn(dataset, read, tmp_path):
    out_dir, encoding = dataset
    (shard,) = (out_dir / "train").iterdir()
    found = sorted(facts(record, encoding) for record in read(shard, tmp_path))
    drawn = (
        make_example(STYLE, SEED, "train", index, with_map=True) for index in range(NUM_EXAMPLES)
    )
    assert found == sorted(
        (
            example.image.tobytes(),
            list(example.digits),
            [len(example.label)],
            example.character_map.tobytes(),
        )
        for example in drawn
    )

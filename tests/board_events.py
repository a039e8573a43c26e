"""Reads TensorBoard's events back."""

import io
import pathlib

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorboard.compat.proto import event_pb2


def events_in(folder):
    """All events in `folder`, file by file; a file's end that a kill cut short is left out."""
    for path in sorted(pathlib.Path(folder).glob("events.out.tfevents.*")):
        try:
            for record in tf.data.TFRecordDataset(str(path)):
                yield event_pb2.Event.FromString(record.numpy())
        except tf.errors.DataLossError:
            continue


def summaries_in(folder, plugin):
    """{(tag, step): value as NumPy} of one plugin: "scalars", "images", "histograms", "hparams"."""
    return {
        (value.tag, event.step): tf.make_ndarray(value.tensor)
        for event in events_in(folder)
        for value in event.summary.value
        if value.metadata.plugin_data.plugin_name == plugin
    }


def pictures_in(folder):
    """{(tag, step): uint8 [H, W, 3]} of the pictures in `folder`."""
    return {
        key: np.asarray(Image.open(io.BytesIO(value[2])).convert("RGB"))  # After width and height.
        for key, value in summaries_in(folder, "images").items()
    }

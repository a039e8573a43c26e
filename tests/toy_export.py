"""A network for the pictures of `toy_pictures`, exported as `python export` does it."""

import dataclasses
import json
import pathlib

from toy_pictures import ALPHABET, SIZE

from export.signatures import captcha_signatures
from model.captcha_estimator import network_config
from model.description import ModelDescription
from model.estimator.exporting import export_saved_model
from model.networks import build_network

DESCRIPTION = ModelDescription(
    net="small", image_shape=(SIZE[1], SIZE[0], 3), alphabet=ALPHABET, num_positions=2
)
SEED = 5


def export_toy_network(folder: pathlib.Path, **more) -> pathlib.Path:
    """The version folder. The weights are the fresh ones of `SEED`, so it reads nothing.

    `more` goes into model.json.
    """
    net = build_network(network_config(DESCRIPTION, seed=SEED))
    described = folder / "model.json"
    described.write_text(json.dumps({**dataclasses.asdict(DESCRIPTION), "step": 7, **more}))
    path = export_saved_model(
        net,
        folder / "exports",
        lambda net: captcha_signatures(
            net, image_shape=DESCRIPTION.image_shape, alphabet=ALPHABET, num_positions=2
        ),
        {"model.json": described},
    )
    return pathlib.Path(path)

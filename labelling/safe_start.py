"""Whether the networks of an audit may start from a network that may know the labels."""

from collections.abc import Callable, Sequence

import numpy as np
from absl import logging

from export.reader import Reader
from labelling.examples import Examples
from labelling.exported_weights import ExportedNetwork, fresh_weights
from model.networks import NetworkConfig

# Of the labels, beyond chance. A network that has learnt the wrong ones has learnt the others too.
_MOST_READ = 0.1
_MOST_TRIED = 2000  # Pictures, to tell.

Start = Callable[[int], Sequence[np.ndarray]]  # A seed to the weights of a network.


def choose_start(
    wanted: str,
    examples: Examples,
    reader: Reader,
    exported: ExportedNetwork,
    network: NetworkConfig,
    alphabet: str,
) -> Start:
    """Where networks start from; it is logged, with the reason.

    A network that was trained on these very labels has learnt wrong ones by heart, and whatever is
    trained on from there finds them right. So "auto" takes the exported weights only if they were
    trained on drawn captchas, or if the network reads so few of the labels that it cannot have been
    trained on them.

    Args:
      wanted: "auto"; or "model", the exported weights, or "fresh" ones, whatever is known.
      examples: Of the dataset.
      reader: The exported network, to read with.
      exported: The same, its weights.
      network: To be started.
      alphabet: Of the dataset.
    """

    def exported_start(seed: int) -> list[np.ndarray]:
        return exported.weights_for(network, alphabet, seed)

    def fresh_start(seed: int) -> list[np.ndarray]:
        return fresh_weights(network, seed)

    if wanted == "fresh":
        logging.info("audit | networks start from fresh weights")
        return fresh_start
    if wanted == "model":
        why = "is said not to know these labels"
    elif exported.trained_on_drawings:
        why = "was trained on drawn captchas"
    else:
        accuracy = _sequence_accuracy(reader, examples)
        if accuracy > _MOST_READ + network.num_classes**-network.num_positions:
            logging.info(
                "audit | networks start from fresh weights: %s reads %.1f %% as labelled and may "
                "have been trained on these very labels. If it was not: --start=model",
                reader.path,
                100 * accuracy,
            )
            return fresh_start
        why = f"reads {accuracy:.1%} as labelled and so does not know the labels"
    logging.info("audit | networks start from the weights of %s, which %s", reader.path, why)
    return exported_start


def _sequence_accuracy(reader: Reader, examples: Examples) -> float:
    """Of some of the labels, as published."""
    some = slice(None, None, -(-len(examples.pictures) // _MOST_TRIED))
    texts = reader.read_images(np.asarray(examples.pixels[some])).texts
    labels = [picture.label for picture in examples.pictures[some]]
    return float(np.mean([text == label for text, label in zip(texts, labels, strict=True)]))

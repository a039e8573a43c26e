r"""How long networks train until they read 97 and 99 % of whole captchas: ours, and peers.

  python benchmarks/peers.py --minutes=30                        # all six: two hours and a half
  python benchmarks/peers.py --minutes=1                         # the short form: eight minutes
  python benchmarks/peers.py --minutes=60 --peers=ours,keras_ocr
  python benchmarks/peers.py --peer=ours --minutes=5 --flagfile=configs/quick.flags
  python benchmarks/peers.py --peer=keras_ocr --minutes=1 --precision=float32 --norecord

Each trains in a process of its own, by the same Estimator and on the same captchas, with the
settings that its authors publish (benchmarks/peer_networks.py says where, and what our pictures
made us change). By default captchas are drawn while they train and none comes twice, as some of
them were published for a million pictures; drawing takes most time from the network that learns
from most of them, which is ours. Ours is trained twice: as it is meant to be (--ours), and
`ours_short`, whose learning rate falls in as many steps as 97 % take. Name a dataset with
--data_dir, and all of them read that.

Seconds are of training, without reading the test captchas, and as they are read after each tenth
of the time so far, up to a tenth too long. It ends at 99 %, or when the time is up. --peer trains
one in this process and takes the flags of train.py too.
"""

import dataclasses
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from absl import flags

import command_line
import tensorflow_start
import train

PUBLISHED = ("captcha_tensorflow", "captcha_break", "keras_ocr")
_OURS_EACH = ("ours", "ours_short")
_WITH_OUR_CODE = (*_OURS_EACH, "book")
_ALL = (*_WITH_OUR_CODE, *PUBLISHED)

_PEERS = flags.DEFINE_list("peers", list(_ALL), "Which to train, one after the other.")
_PEER = flags.DEFINE_enum("peer", None, _ALL, "Train only this one, in this process.")
_MINUTES = flags.DEFINE_float("minutes", 30, "Of training, for each.", lower_bound=0.01)
_OURS = flags.DEFINE_string("ours", "configs/captcha.flags", "Flagfile of our network.")
_RECORD = flags.DEFINE_bool("record", True, "Keep the figures in benchmarks/results.")
_PASSED_ON = ("minutes", "data_dir", "seed", "precision", "record")

_PERCENT = (50, 97, 99)  # Of whole captchas.
_COLUMNS = "seconds, images, sequence_accuracy, character_accuracy"


def main(_: list[str]) -> int:
    """Trains one, or all in processes of their own, and then compares."""
    if _PEER.value is not None:
        _train(_PEER.value)
        return 0
    unknown = [name for name in _PEERS.value if name not in _ALL]
    if unknown or not _PEERS.value:
        raise ValueError(
            f"`peers` must be some of {', '.join(_ALL)}, received {','.join(_PEERS.value)!r}. "
            "Leave the flag out for all."
        )
    passed_on = [
        # As they are given: a flag of its own value would be in every command of the ledger.
        flags.FLAGS[name].serialize()
        for name in _PASSED_ON
        if flags.FLAGS[name].present
    ]
    status = 0
    for name in _PEERS.value:
        given = {
            "ours": [f"--flagfile={_OURS.value}"],
            "ours_short": ["--flagfile=configs/quick.flags", "--max_steps=1200"],
            "book": ["--flagfile=configs/book.flags"],
        }.get(name, [])
        command = ["benchmarks/peers.py", f"--peer={name}", *given, *passed_on]
        print(f"\npython {' '.join(command)}", flush=True)
        status = max(
            status, subprocess.run([sys.executable, *command], cwd=ROOT, check=False).returncode
        )
    if _RECORD.value:
        _compare()
    return status


def _train(name: str) -> None:
    tensorflow_start.import_quietly()
    from benchmarks import ledger
    from benchmarks.peer_training import prepare_ours, prepare_peer, readings

    with tempfile.TemporaryDirectory() as model_dir:
        config = dataclasses.replace(train.config_of_flags(), model_dir=model_dir)
        trainee = prepare_ours(config) if name in _WITH_OUR_CODE else prepare_peer(name, config)
        curve = list(readings(trainee, 60 * _MINUTES.value, _PERCENT[-1] / 100))
    end = curve[-1]
    figures = {
        "source": trainee.source,
        "parameters": trainee.estimator.net.count_params(),
        "precision": trainee.precision,
        "batch_size": trainee.config.batch_size,
        "data": trainee.config.data_dir,
        "training_seconds": end.seconds,
        "images_seen": end.images,
        "images_per_second": end.images / end.seconds,
    }
    for percent in _PERCENT:
        reached = [r for r in curve if r.sequence_accuracy >= percent / 100]
        missed = f"not within {end.seconds:.0f} s"
        figures[f"seconds_to_{percent}_percent_whole"] = reached[0].seconds if reached else missed
        figures[f"images_to_{percent}_percent_whole"] = reached[0].images if reached else missed
    figures["best_sequence_accuracy"] = max(r.sequence_accuracy for r in curve)
    figures["best_character_accuracy"] = max(r.character_accuracy for r in curve)
    if _RECORD.value:
        ledger.record(
            f"peers_{name}",
            f"Time to whole captchas read right: {name}, at most {_MINUTES.value:g} minutes",
            figures,
            series={_COLUMNS: [list(dataclasses.astuple(reading)) for reading in curve]},
        )
    else:
        ledger.show(figures)


def _compare() -> None:
    """Of all that are in the ledger, so that one can be trained again by itself."""
    from benchmarks import ledger

    entries = {name: ledger.read(f"peers_{name}") for name in _ALL}
    found = {name: entry["figures"] for name, entry in entries.items() if entry is not None}
    figures = {}
    for name, own in found.items():
        for key in ("parameters", "images_seen", "images_per_second", "best_sequence_accuracy"):
            figures[f"{name}: {key}"] = own[key]
        for percent in _PERCENT:
            key = f"seconds_to_{percent}_percent_whole"
            figures[f"{name}: {key}"] = own[key]
            if name not in _OURS_EACH:
                ours = [found[each][key] for each in _OURS_EACH if each in found]
                sooner = min((s for s in ours if not isinstance(s, str)), default=None)
                figures[f"{name}: times ours, to {percent} %"] = times(
                    own[key], own["training_seconds"], sooner
                )
    ledger.record(
        "peers", "Time to whole captchas read right: ours, and networks of others", figures
    )


def times(seconds: float | str, trained_seconds: float, ours: float | str | None) -> float | str:
    """How many times as long as ours one took; text where one of them did not arrive."""
    if not isinstance(ours, int | float):
        return "ours did not"
    if isinstance(seconds, int | float):
        return seconds / ours
    return f"more than {trained_seconds / ours:.1f}"


if __name__ == "__main__":
    train.define_flags()
    flags.FLAGS.set_default("data_dir", "live:default?seed=0")
    command_line.run(main)

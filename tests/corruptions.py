"""Ways in which a dataset can be damaged, edited or written wrong: a table for test_corruptions.py.

Each is a function of a dataset of tests/tiny_dataset.py and a generator, changes the dataset, and
returns where `records.verify` must see it: files of which it names one at least, and the number of
the record if there is one.
"""

import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from tiny_dataset import ALPHABET, tiny_record, tiny_values
from wrong_writer import edit_provenance, replace_records

from records.description import load_description
from records.example_proto import encode_example
from records.schema import captcha_fields, field_of
from records.tfrecord import frame, read_records

DESCRIPTIONS = ("provenance.json", "data_info.csv", "features.json", "dataset_info.json")


class Place(NamedTuple):
    """Where a corruption must be seen."""

    files: set[str]
    record: int | None = None  # None: verify may name one, or none.


Corruption = Callable[[pathlib.Path, np.random.Generator], Place]


# Damage to the bytes of a file.


def flip_a_bit_of_a_shard(dataset, rng):
    shard = any_shard(dataset, rng)
    offsets = frame_offsets(dataset / shard)
    place = flip_a_bit(dataset / shard, rng)
    return Place({shard}, sum(offset <= place for offset in offsets) - 1)


def flip_a_bit_of_a_description(dataset, rng):
    file = str(rng.choice(DESCRIPTIONS))
    flip_a_bit(dataset / file, rng)
    return Place({file})


def flip_a_bit_of_another_file(dataset, rng):
    file = str(rng.choice(["preview.png", "rejected.csv"]))
    flip_a_bit(dataset / file, rng)
    return Place({file})


def overwrite_a_block(dataset, rng):
    file = any_file(dataset, rng)
    content = bytearray((dataset / file).read_bytes())
    start = int(rng.integers(len(content)))
    stop = min(len(content), start + int(rng.integers(1, 65)))
    content[start:stop] = bytes(byte ^ 0xFF for byte in content[start:stop])
    (dataset / file).write_bytes(content)
    return Place({file})


def zero_a_block(dataset, rng):
    """As a disk does that lost a sector: the place keeps its size."""
    shard = any_shard(dataset, rng)
    content = bytearray((dataset / shard).read_bytes())
    start = int(rng.integers(len(content) - 64))
    content[start : start + 64] = bytes(64)
    (dataset / shard).write_bytes(content)
    return Place({shard})


def cut_a_shard(dataset, rng):
    shard = any_shard(dataset, rng)
    length = int(rng.integers(os.path.getsize(dataset / shard)))
    os.truncate(dataset / shard, length)
    return Place({shard})


def cut_a_shard_between_records(dataset, rng):
    shard = "train/captcha-train.tfrecord-00000-of-00002"  # It has three.
    offsets = frame_offsets(dataset / shard)
    os.truncate(dataset / shard, int(rng.choice(offsets[1:])))
    return Place({shard})


def empty_a_shard(dataset, rng):
    shard = any_shard(dataset, rng)
    os.truncate(dataset / shard, 0)
    return Place({shard})


def cut_another_file(dataset, rng):
    file = str(rng.choice([*DESCRIPTIONS, "preview.png", "rejected.csv"]))
    os.truncate(dataset / file, int(rng.integers(os.path.getsize(dataset / file))))
    return Place({file})


def append_to_a_file(dataset, rng):
    file = any_file(dataset, rng)
    more = [b"\n", b"\0" * 16, b"more", frame(b"")][int(rng.integers(4))]
    (dataset / file).write_bytes((dataset / file).read_bytes() + more)
    return Place({file})


# Files that are missing, renamed, copied or one too many.


def remove_a_shard(dataset, rng):
    shard = any_shard(dataset, rng)
    (dataset / shard).unlink()
    return Place({shard})


def remove_another_file(dataset, rng):
    file = str(rng.choice([*DESCRIPTIONS[1:], "preview.png", "rejected.csv"]))
    (dataset / file).unlink()
    return Place({file})


def remove_the_provenance(dataset, rng):
    (dataset / "provenance.json").unlink()
    return Place({"."})


def rename_a_shard(dataset, rng):
    shard = any_shard(dataset, rng)
    (dataset / shard).rename(dataset / another_name(dataset, rng))
    return Place({shard})


def copy_a_shard(dataset, rng):
    copy = another_name(dataset, rng)
    shutil.copy(dataset / any_shard(dataset, rng), dataset / copy)
    return Place({copy})


def put_one_shard_in_the_place_of_another(dataset, rng):
    first, second = two_shards(dataset, rng)
    shutil.copy(dataset / first, dataset / second)
    return Place({second})


def swap_two_shards(dataset, rng):
    first, second = two_shards(dataset, rng)
    (dataset / first).rename(dataset / "between")
    (dataset / second).rename(dataset / first)
    (dataset / "between").rename(dataset / second)
    return Place({first, second})


def add_a_file_among_the_shards(dataset, rng):
    file = f"{rng.choice(['train', 'test'])}/{rng.choice(['notes.txt', 'a.tfrecord', 'x'])}"
    (dataset / file).write_bytes(rng.bytes(int(rng.integers(40))))
    return Place({file})


def put_a_folder_in_the_place_of_a_file(dataset, rng):
    file = any_file(dataset, rng)
    (dataset / file).unlink()
    (dataset / file).mkdir()
    return Place({file} if file != "provenance.json" else {"."})


# Whole records changed, with checksums that are right again.


def swap_two_records(dataset, rng):
    shard = "train/captcha-train.tfrecord-00000-of-00002"
    records = list(read_records(dataset / shard))
    first = int(rng.integers(2))
    records[first], records[2] = records[2], records[first]
    return write_records(dataset, shard, records)


def repeat_a_record(dataset, rng):
    shard = any_shard(dataset, rng)
    records = list(read_records(dataset / shard))
    records.insert(0, records[int(rng.integers(len(records)))])
    return write_records(dataset, shard, records)


def drop_a_record(dataset, rng):
    shard = any_shard(dataset, rng)
    records = list(read_records(dataset / shard))
    del records[int(rng.integers(len(records)))]
    return write_records(dataset, shard, records)


def change_a_label(dataset, rng):
    shard = any_shard(dataset, rng)
    records = list(read_records(dataset / shard))
    label = np.array([9, int(rng.integers(5))])  # No example of ours begins with a 9.
    records[-1] = tiny_record("train", 0, load_description(dataset).fields, label=label)
    return write_records(dataset, shard, records)


# Descriptions edited by hand: nothing else is made to fit.


def edit_a_value_of_the_provenance(dataset, rng):
    provenance = read_provenance(dataset)
    holder, key = any_leaf(provenance, rng)
    value = holder[key]
    holder[key] = value + 1 if isinstance(value, int) else f"{value[1:]}{value[0]}x"
    return write_by_hand(dataset, provenance)


def remove_a_key_of_the_provenance(dataset, rng):
    provenance = read_provenance(dataset)
    holder, key = any_leaf(provenance, rng)
    del holder[key]
    return write_by_hand(dataset, provenance)


def add_a_key_to_the_provenance(dataset, rng):
    return write_by_hand(dataset, {**read_provenance(dataset), f"note{rng.integers(9)}": "mine"})


def reorder_the_provenance(dataset, rng):
    items = list(read_provenance(dataset).items())
    place = int(rng.integers(1, len(items)))
    return write_by_hand(dataset, dict(items[place:] + items[:place]))


def take_another_alphabet_of_the_same_length(dataset, rng):
    provenance = read_provenance(dataset)
    place = int(rng.integers(1, 10))
    provenance["label"]["alphabet"] = ALPHABET[place:] + ALPHABET[:place]
    return write_by_hand(dataset, provenance)


def respell_the_provenance(dataset, rng):
    text = (dataset / "provenance.json").read_bytes()
    old, new = [(b"\n", b"\r\n"), (b": ", b":"), (b"  ", b"\t"), (b'"s', b'"\\u0073')][
        int(rng.integers(4))
    ]
    (dataset / "provenance.json").write_bytes(text.replace(old, new, int(rng.integers(1, 9))))
    return Place({"provenance.json"})


def edit_a_line_of_a_description(dataset, rng):
    file = str(rng.choice(DESCRIPTIONS[1:]))
    lines = (dataset / file).read_text().splitlines(keepends=True)
    index = int(rng.integers(len(lines)))
    lines[index] = [lines[index].upper() + " ", "", lines[index] + "x\n", "\n" + lines[index]][
        int(rng.integers(4))
    ]
    (dataset / file).write_text("".join(lines))
    return Place({file})


def take_the_provenance_of_another_dataset(dataset, rng):
    def edit(provenance):  # As another run of the same program writes it, its seal included.
        for shards in provenance["shards"].values():
            for shard in shards:
                shard["sha256"] = rng.bytes(32).hex()

    edit_provenance(dataset, edit)
    return Place(set(shards_of(dataset)))


# Written wrong by a program: counts, sizes, hashes and the seal all fit.


def miscount(dataset, rng):
    shard = any_shard(dataset, rng)
    records = list(read_records(dataset / shard))
    num_said = len(records) + int(rng.integers(1, 4))
    replace_records(dataset, *split_and_index(shard), records, num_said=num_said)
    return Place({shard})


def write_a_label_outside_the_alphabet(dataset, rng):
    wrong = [(3, 11), (-1, 3), (10, 3), (3, 2**40)]  # A blank before a character is wrong too.
    return write_one_wrong(dataset, rng, label=np.array(wrong[int(rng.integers(len(wrong)))]))


def write_no_label(dataset, rng):
    """Blanks alone; where labels do not vary in length, a class that there is not."""
    return write_one_wrong(dataset, rng, label=np.array([10, 10]))


def write_a_length_that_is_not_the_labels(dataset, rng):
    """A record that says 0 or 3; where there is no such field, one of another dataset's."""
    if not load_description(dataset).has_blank:
        return write_one_wrong(dataset, rng, label=np.array([3, 10]))
    return write_one_wrong(dataset, rng, length=rng.choice([[0], [3]], axis=0))


def write_a_map_of_more_characters(dataset, rng):
    return write_one_wrong(dataset, rng, map=np.full((4, 6), int(rng.integers(3, 256)), np.uint8))


def write_an_image_of_another_size(dataset, rng):
    description = load_description(dataset)
    values = tiny_values("train", 0, description.has_blank)
    fields = captcha_fields(
        height_px=5,
        width_px=int(rng.integers(1, 9)),
        num_positions=2,
        encoding=field_of(description.fields, "image").storage,
        with_map=True,
        variable_length=description.has_blank,
    )
    for feature in ("image", "map"):
        values[feature] = np.zeros(field_of(fields, feature).shape, np.uint8)
    used = {field.feature: values[field.feature] for field in fields}
    return write_wrong_bytes(dataset, rng, encode_example(fields, used))


def write_a_record_that_lacks_a_field(dataset, rng):
    fields = load_description(dataset).fields
    left_out = int(rng.integers(len(fields)))
    kept = [field for index, field in enumerate(fields) if index != left_out]
    values = tiny_values("train", 0, True)
    record = encode_example(kept, {field.feature: values[field.feature] for field in kept})
    return write_wrong_bytes(dataset, rng, record)


def write_a_record_that_is_no_example(dataset, rng):
    return write_wrong_bytes(dataset, rng, rng.bytes(int(rng.integers(90))))


def write_features_of_another_dataset(dataset, rng):
    path = dataset / "features.json"
    path.write_text(
        path.read_text().replace('"numClasses": "1', f'"numClasses": "{rng.integers(2, 9)}')
    )

    def edit(provenance):
        provenance["files"]["features.json"] = hashlib.sha256(path.read_bytes()).hexdigest()

    edit_provenance(dataset, edit)
    return Place({"features.json"})


# What the corruptions share.


def shards_of(dataset):
    return sorted(path.relative_to(dataset).as_posix() for path in dataset.glob("t*/*.tfrecord-*"))


def any_shard(dataset, rng):
    return str(rng.choice(shards_of(dataset)))


def two_shards(dataset, rng):
    return map(str, rng.choice(shards_of(dataset), 2, replace=False))


def any_file(dataset, rng):
    return str(rng.choice([*shards_of(dataset), *DESCRIPTIONS, "preview.png", "rejected.csv"]))


def another_name(dataset, rng):
    """A path that no file has, where a shard might be put by mistake."""
    split, number = rng.choice(["train", "test"]), int(rng.integers(2, 99))
    return [
        f"{split}/captcha-{split}.tfrecord-{number:05d}-of-00002",
        f"{split}/captcha-{split}.tfrecord-00000-of-{number + 1:05d}",
        f"{split}/captcha-{split}.tfrecord-00000-of-00002.bak",
        f"{split}/shard{number}",
        f"{split}/.shard{number}",
        f"captcha-{split}.tfrecord-00000-of-00002",
        f"shard{number}",
    ][int(rng.integers(7))]


def split_and_index(shard):
    split, name = shard.split("/")
    return split, int(name.split("-")[2])


def flip_a_bit(path, rng) -> int:
    content = bytearray(path.read_bytes())
    place = int(rng.integers(len(content)))
    content[place] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)
    return place


def frame_offsets(path):
    """Where each record of a whole shard begins."""
    lengths = [len(frame(record)) for record in read_records(path)]
    return [sum(lengths[:number]) for number in range(len(lengths))]


def write_records(dataset, shard, records):
    (dataset / shard).write_bytes(b"".join(map(frame, records)))
    return Place({shard})


def write_one_wrong(dataset, rng, **changes):
    fields = load_description(dataset).fields
    return write_wrong_bytes(dataset, rng, tiny_record("train", 0, fields, **changes))


def write_wrong_bytes(dataset, rng, record):
    """Writes `record` in the place of one of a shard, and all that is said of the shard."""
    shard = any_shard(dataset, rng)
    records = list(read_records(dataset / shard))
    number = int(rng.integers(len(records)))
    records[number] = record
    replace_records(dataset, *split_and_index(shard), records)
    return Place({shard}, number)


def read_provenance(dataset):
    return json.loads((dataset / "provenance.json").read_text())


def write_by_hand(dataset, provenance):
    text = json.dumps(provenance, indent=2, ensure_ascii=False) + "\n"
    (dataset / "provenance.json").write_text(text)
    return Place({"provenance.json"})


def any_leaf(content, rng):
    """The dict or list that holds some value, and its key or index."""
    leaves = []

    def collect(holder):
        for key in holder if isinstance(holder, dict) else range(len(holder)):
            if isinstance(holder[key], dict | list):
                collect(holder[key])
            else:
                leaves.append((holder, key))

    collect(content)
    return leaves[int(rng.integers(len(leaves)))]


# What training's checks before the first step see of each. `load_description` reads two small
# files, `check_sizes` the names and sizes of all, `check_hashes` every byte.
DESCRIPTION, SIZES, HASHES, NONE = "load_description", "check_sizes", "check_hashes", "none"

# For each the checks of which one sees it, whatever is drawn.
CORRUPTIONS: dict[Corruption, set[str]] = {
    flip_a_bit_of_a_shard: {HASHES},
    flip_a_bit_of_a_description: {DESCRIPTION, HASHES},
    flip_a_bit_of_another_file: {HASHES},
    overwrite_a_block: {DESCRIPTION, HASHES},
    zero_a_block: {HASHES},
    cut_a_shard: {SIZES},
    cut_a_shard_between_records: {SIZES},
    empty_a_shard: {SIZES},
    cut_another_file: {DESCRIPTION, HASHES},
    append_to_a_file: {DESCRIPTION, SIZES, HASHES},
    remove_a_shard: {SIZES},
    remove_another_file: {DESCRIPTION, HASHES},
    remove_the_provenance: {DESCRIPTION},
    rename_a_shard: {SIZES},
    copy_a_shard: {SIZES},
    put_one_shard_in_the_place_of_another: {SIZES, HASHES},
    swap_two_shards: {SIZES, HASHES},
    add_a_file_among_the_shards: {SIZES},
    put_a_folder_in_the_place_of_a_file: {DESCRIPTION, SIZES, HASHES},
    swap_two_records: {HASHES},
    repeat_a_record: {SIZES},
    drop_a_record: {SIZES},
    change_a_label: {SIZES, HASHES},
    edit_a_value_of_the_provenance: {DESCRIPTION},
    remove_a_key_of_the_provenance: {DESCRIPTION},
    add_a_key_to_the_provenance: {DESCRIPTION},
    reorder_the_provenance: {DESCRIPTION},
    take_another_alphabet_of_the_same_length: {DESCRIPTION},
    respell_the_provenance: {DESCRIPTION},
    edit_a_line_of_a_description: {DESCRIPTION, HASHES},
    take_the_provenance_of_another_dataset: {HASHES},
    miscount: {HASHES},
    # The data is what was written, so that only reading the records tells. Training meets those
    # records sooner or later, and then asks `verify_dataset` which they are.
    write_a_label_outside_the_alphabet: {NONE},
    write_no_label: {NONE},
    write_a_length_that_is_not_the_labels: {NONE},
    write_a_map_of_more_characters: {NONE},
    write_an_image_of_another_size: {NONE},
    write_a_record_that_lacks_a_field: {NONE},
    write_a_record_that_is_no_example: {NONE},
    write_features_of_another_dataset: {NONE},
}

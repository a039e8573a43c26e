import os
import re

import pytest

from records.errors import FrameError
from records.tfrecord import FRAME_BYTES, frame, read_records

RECORDS = [b"first", b"", b"\x00" * 30, b"last"]


@pytest.fixture
def shard(tmp_path):
    path = tmp_path / "captcha-train.tfrecord-00000-of-00001"
    path.write_bytes(b"".join(map(frame, RECORDS)))
    return path


def test_a_frame_has_the_bytes_that_the_format_says():
    # Length 4, its masked CRC-32C, "0427", its masked CRC-32C: computed with TensorFlow 2.21.
    assert frame(b"0427").hex() == "0400000000000000424552043034323751df082a"


def test_records_read_back_in_their_order(shard):
    assert list(read_records(shard)) == RECORDS


def test_an_empty_file_has_no_records(tmp_path):
    (tmp_path / "empty").touch()
    assert list(read_records(tmp_path / "empty")) == []


def test_every_flipped_bit_is_found(shard):
    whole = shard.read_bytes()
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        shard.write_bytes(damaged)
        with pytest.raises(FrameError):
            list(read_records(shard))


def test_every_cut_within_a_frame_is_found(shard):
    whole = shard.read_bytes()
    boundaries = {0}
    for record in RECORDS:
        boundaries.add(max(boundaries) + FRAME_BYTES + len(record))
    for length in set(range(len(whole))) - boundaries:
        os.truncate(shard, length)
        with pytest.raises(FrameError, match="it is cut"):
            list(read_records(shard))
        shard.write_bytes(whole)


def test_a_cut_between_two_records_is_not_found_here(shard):
    os.truncate(shard, FRAME_BYTES + len(RECORDS[0]))
    assert list(read_records(shard)) == RECORDS[:1]


@pytest.mark.parametrize(
    ("offset", "record", "frame_offset", "message"),
    [
        (0, 0, 0, "the length's checksum must match, received the length 4"),
        (7, 0, 0, "the length's checksum must match, received the length 9223372036854775813"),
        (14, 0, 0, "the record's checksum must match, received 5 bytes"),
        (21 + 16 + 20, 2, 37, "the record's checksum must match, received 30 bytes"),
    ],
    ids=["length", "huge_length", "record", "third_record"],
)
def test_damage_is_told_with_file_record_and_byte(shard, offset, record, frame_offset, message):
    damaged = bytearray(shard.read_bytes())
    damaged[offset] ^= 0x80 if offset == 7 else 1
    shard.write_bytes(damaged)
    place = f"{shard}, record {record} at byte {frame_offset}: {message}"
    with pytest.raises(FrameError, match="^" + re.escape(place)) as caught:
        list(read_records(shard))
    assert (caught.value.record, caught.value.offset) == (record, frame_offset)


def test_the_records_before_the_damage_are_still_read(shard):
    os.truncate(shard, os.path.getsize(shard) - 1)
    records = read_records(shard)
    assert [next(records) for _ in range(3)] == RECORDS[:3]
    with pytest.raises(FrameError, match="record 3"):
        next(records)


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        next(read_records(tmp_path / "none"))


@pytest.mark.slow  # TensorFlow takes 3 s to import.
def test_tensorflow_reads_our_frames_and_we_read_its(shard, tmp_path):
    import tensorflow as tf

    assert [record.numpy() for record in tf.data.TFRecordDataset(str(shard))] == RECORDS
    theirs = tmp_path / "theirs"
    with tf.io.TFRecordWriter(str(theirs)) as writer:
        for record in RECORDS:
            writer.write(record)
    assert theirs.read_bytes() == shard.read_bytes()

import sys

import pytest
from memory_store import FILES, files_below
from tiny_dataset import (
    ALPHABET,
    NUM_EXAMPLES,
    PROVENANCE,
    files_of,
    tiny_fields,
    tiny_records,
    write_tiny_dataset,
)

from records import remote_folder
from records.dataset_writer import DatasetWriter
from records.remote_folder import file_systems
from records.shard_writer import write_shard

URL = "memory://bucket/captcha_data"


@pytest.fixture(autouse=True)
def _empty_store():
    FILES.clear()


def test_a_dataset_at_a_url_has_the_files_of_one_in_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(remote_folder.tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    write_tiny_dataset(URL, num_shards=2)
    assert not list((tmp_path / "temporary").iterdir())
    assert files_below(URL) == files_of(write_tiny_dataset(tmp_path / "captcha_data", num_shards=2))


def test_provenance_is_written_last(monkeypatch):
    store = file_systems(URL)
    written = []

    def create(path, create=store.create):
        written.append(path)
        return create(path)

    monkeypatch.setattr(store, "create", create)
    write_tiny_dataset(URL)
    assert written[-1] == f"{URL}/provenance.json"
    assert written.count(written[-1]) == 1


def test_what_is_there_is_refused(tmp_path):
    write_tiny_dataset(URL)
    before = dict(FILES)
    with pytest.raises(ValueError, match=f"must not exist yet, received '{URL}', which holds 6 f"):
        write_tiny_dataset(URL)
    with pytest.raises(ValueError, match="--overwrite must not be set for an --out like"):
        write_tiny_dataset(URL, overwrite=True)
    assert before == FILES


def test_somebody_elses_files_are_refused():
    FILES[f"{URL}/holiday.jpg"] = b"sun"
    with pytest.raises(ValueError, match="which holds 1 files"):
        write_tiny_dataset(URL)


def test_what_a_killed_program_left_is_removed(tmp_path):
    FILES[f"{URL}/unfinished/begun"] = b""
    FILES[f"{URL}/train/captcha-train.tfrecord-00007-of-00009"] = b"old"
    FILES[f"{URL}_2/provenance.json"] = b"a neighbour"
    write_tiny_dataset(URL)
    assert files_below(URL) == files_of(write_tiny_dataset(tmp_path / "captcha_data"))
    assert FILES[f"{URL}_2/provenance.json"] == b"a neighbour"


def write_then(act):
    """Writes one shard at the URL as a worker would, and then calls `act` with the writer."""
    with DatasetWriter(URL, fields=tiny_fields(), alphabet=ALPHABET) as writer:
        for split, num_examples in NUM_EXAMPLES.items():
            ((file, _),) = writer.plan(split, num_examples=num_examples, bytes_per_example=100)
            shard = write_shard(
                file_systems(URL).create(f"{writer.url}/{file}"),
                file,
                tiny_records(split, num_examples, tiny_fields()),
            )
            writer.add_shards(split, [shard])
        act(writer)


def test_workers_may_write_at_the_url_itself(tmp_path):
    write_then(lambda writer: writer.finish(PROVENANCE))
    assert files_below(URL) == files_of(write_tiny_dataset(tmp_path / "captcha_data"))


def test_an_error_leaves_nothing():
    with pytest.raises(ZeroDivisionError):
        write_then(lambda writer: 1 / 0)
    assert not FILES


def test_a_file_too_many_among_the_shards_is_refused():
    def intrude(writer):
        FILES[f"{URL}/train/captcha-train.tfrecord-00003-of-00009"] = b"somebody else's"
        writer.finish(PROVENANCE)

    with pytest.raises(ValueError, match=r"nothing else, received a difference in .*00003-of"):
        write_then(intrude)
    assert not FILES


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s4://bucket/data", r"a client for, received 's4://bucket/data' .*apache-beam\[gcp\]"),
        ("hdfs://data", r"received 'hdfs://data' .* Install the client"),
        ("gs://bucket/data", r"received 'gs://bucket/data' .* Install the client"),
    ],
    ids=["unknown", "hdfs_not_installed", "gs_not_installed"],
)
def test_a_url_without_a_client_is_refused(url, message):
    with pytest.raises(ValueError, match=message):
        write_tiny_dataset(url)


def test_without_beam_a_url_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam.io.filesystems", None)
    with pytest.raises(ValueError, match=r"received an environment without it. Type: make beam"):
        write_tiny_dataset(URL)

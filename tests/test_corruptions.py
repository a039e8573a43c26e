"""1,000 random corruptions: `records.verify` finds each, training refuses all that it can see."""

import itertools
import os
import shutil

import numpy as np
import pytest
from corruptions import CORRUPTIONS, DESCRIPTION, HASHES, NONE, SIZES
from tiny_dataset import files_of, write_tiny_dataset

from records.description import check_hashes, check_sizes, load_description
from records.verify import verify_dataset

NUM_CORRUPTIONS = 1000
SEED = 20261121


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """Four, with maps, two shards a split, and two files that came with them."""
    folder = tmp_path_factory.mktemp("whole")

    def add_files(dataset):
        (dataset / "preview.png").write_bytes(bytes(range(256)))
        (dataset / "rejected.csv").write_text("file,reason\na.png,too small\n")

    return [
        write_tiny_dataset(
            folder / f"{encoding}_{variable_length}",
            encoding=encoding,
            with_map=True,
            variable_length=variable_length,
            num_shards=2,
            before_finish=add_files,
        )
        for encoding in ("raw", "png")
        for variable_length in (False, True)
    ]


def refused_by(dataset) -> str:
    """Which of training's checks refuses a dataset."""
    try:
        description = load_description(dataset)
    except (ValueError, OSError):
        return DESCRIPTION
    for name, check in ((SIZES, check_sizes), (HASHES, check_hashes)):
        try:
            check(description)
        except ValueError:
            return name
    return NONE


def corrupted(datasets, folder):
    """Yields 1,000 times the corruption, its place, and the corrupted dataset."""
    kinds = itertools.cycle(itertools.product(CORRUPTIONS, datasets))
    for number, (corrupt, whole) in enumerate(itertools.islice(kinds, NUM_CORRUPTIONS)):
        dataset = folder / str(number)
        shutil.copytree(whole, dataset)
        place = corrupt(dataset, np.random.default_rng((SEED, number)))
        yield number, corrupt, place, dataset
        shutil.rmtree(dataset)


def is_found(dataset, place) -> bool:
    """Whether verify names a file of `place`, and its record if it has one."""
    return any(
        problem.file in place.files and place.record in (None, problem.record)
        for problem in verify_dataset(dataset)
    )


def test_whole_datasets_have_no_problem_and_are_not_refused(datasets):
    """Without this, a check that refuses everything would pass all of the other tests."""
    for dataset in datasets:
        assert list(verify_dataset(dataset)) == []
        assert refused_by(dataset) == NONE


@pytest.mark.slow
def test_a_thousand_corruptions_are_a_thousand_found(datasets, tmp_path):
    missed, unlike = [], []
    num_found = 0
    for number, corrupt, place, dataset in corrupted(datasets, tmp_path):
        if is_found(dataset, place):
            num_found += 1
        else:
            missed.append((number, corrupt.__name__, place, list(verify_dataset(dataset))))
        if refused_by(dataset) not in CORRUPTIONS[corrupt]:
            unlike.append((number, corrupt.__name__, refused_by(dataset)))
    assert missed == []
    assert unlike == []
    assert num_found == NUM_CORRUPTIONS


def test_every_corruption_changes_something(datasets, tmp_path):
    """One that does not would be a hole in the table."""
    for number, (corrupt, whole) in enumerate(itertools.product(CORRUPTIONS, datasets)):
        dataset = tmp_path / str(number)
        shutil.copytree(whole, dataset)
        corrupt(dataset, np.random.default_rng((SEED, number)))
        before = files_of(whole), sorted(path.name for path in whole.rglob("*"))
        assert before != (files_of(dataset), sorted(path.name for path in dataset.rglob("*")))


def test_a_corruption_that_changes_nothing_is_not_found(datasets):
    from corruptions import Place

    whole = datasets[0]
    assert not is_found(whole, Place(set(files_of(whole))))


def test_every_problem_is_one_line(datasets, tmp_path):
    for _, _, _, dataset in itertools.islice(corrupted(datasets, tmp_path), len(CORRUPTIONS)):
        for problem in verify_dataset(dataset):
            assert "\n" not in str(problem)
            assert os.fspath(dataset) not in problem.file

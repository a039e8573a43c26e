"""The networks in pretrained/ read what its README says, and trainings can begin with them."""

import json

import pytest
from conftest import ROOT

from model.captcha_estimator import network_config
from model.description import description_in
from model.estimator import fitting_variables
from model.networks import build_network

PRETRAINED = ROOT / "pretrained"
# Folder, style, whole captchas: below the 95 % interval that README gives for them.
READ = [("letters", "letters", 0.98), ("letters_large", "letters", 0.98)]
FOLDERS = [folder for folder, _, _ in READ]


def test_each_folder_is_tested():
    assert {path.name for path in PRETRAINED.iterdir() if path.is_dir()} == set(FOLDERS)


@pytest.mark.parametrize(("folder", "style", "least_accuracy"), READ, ids=FOLDERS)
def test_it_reads_captchas_that_nobody_has_seen(
    run_program, tmp_path, folder, style, least_accuracy
):
    done = run_program(
        "benchmarks/read_fresh.py",
        f"--saved_model={PRETRAINED / folder}",
        f"--style={style}",
        "--seed=77",
        "--n=500",
        f"--figures={tmp_path / 'figures.json'}",
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["n"] == 500
    assert figures["sequence_accuracy"] > least_accuracy


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_training_can_begin_with_all_of_its_weights(folder):
    (described,) = (PRETRAINED / folder).glob("*/assets.extra/model.json")
    net = build_network(network_config(description_in(described)))
    variables = {weight.path: weight.value for weight in net.weights}
    assert set(fitting_variables(variables, PRETRAINED / folder)) == set(variables)

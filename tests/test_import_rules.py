"""DESIGN: data moves one way, so imports point one way. This reads them and compares."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Who may import what of ours. `command_line` is what mains share; anybody's main may.
MAY_IMPORT = {
    "records": set(),
    "data_gen": {"records"},
    "model": set(),
    "model/estimator": set(),
    "export": {"model", "records"},
    "report": {"model", "records"},
    "training": {"records", "model", "report", "data_gen"},  # data_gen: `--data_dir=live:...`.
    "train.py": {"training"},
    "predict.py": {"export"},
    "labelling": {"records", "model", "export"},
    "mining": {"records", "data_gen", "export"},
}
OURS = {
    "report",
    "training",
    "records",
    "data_gen",
    "model",
    "export",
    "labelling",
    "mining",
    "train",
    "predict",
    "benchmarks",
    "tests",
}
# `python records label|audit` are commands about a dataset, so that is where people look for them;
# but what they do needs a network. So this one main reaches against the arrows, where it runs them.
MAIN_MAY_IMPORT = {"records/__main__.py": {"labelling"}}


def files_of(place):
    path = ROOT / place
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def imports_of(path):
    """Top-level names of ours that a file imports, and whole dotted names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write the whole name"
            yield node.module


@pytest.mark.parametrize("place", MAY_IMPORT)
def test_imports_point_one_way(place):
    own = place.split("/")[0].removesuffix(".py")
    for path in files_of(place):
        for name in imports_of(path):
            top = name.split(".")[0]
            if top not in OURS:
                continue
            if place == "model/estimator":
                assert name.startswith("model.estimator"), f"{path} imports {name}"
            else:
                more = MAIN_MAY_IMPORT.get(path.relative_to(ROOT).as_posix(), set())
                assert top in MAY_IMPORT[place] | {own} | more, f"{path} imports {name}"


def test_what_a_main_may_import_besides_it_imports_only_to_run_a_command():
    for file, besides in MAIN_MAY_IMPORT.items():
        for node in ast.parse((ROOT / file).read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", None) or node.names[0].name]
                assert besides.isdisjoint(name.split(".")[0] for name in names), file


def test_every_folder_of_ours_has_a_rule():
    folders = {path.parent.relative_to(ROOT).parts[0] for path in ROOT.glob("*/*.py")}
    assert folders - {"benchmarks", "docs", "tests"} == {
        place.split("/")[0] for place in MAY_IMPORT if "." not in place
    }


def test_flags_are_read_in_mains_only():
    mains = {ROOT / "train.py", ROOT / "predict.py", ROOT / "command_line.py"}
    for place in MAY_IMPORT:
        for path in files_of(place):
            if path.name != "__main__.py" and path not in mains:
                assert "absl.flags" not in imports_of(path), path
                assert "from absl import flags" not in path.read_text(), path


def test_no_module_hides_a_package_that_we_import():
    """`python data_gen` puts data_gen/ on the path: a data_gen/captcha.py would hide captcha."""
    packages = {"absl", "captcha", "keras", "numpy", "PIL", "tensorflow", "tqdm", "google"}
    for path in ROOT.glob("*/*.py"):
        assert path.stem not in packages, path

import ast
import pathlib

import pytest

import model.estimator

PACKAGE = pathlib.Path(model.estimator.__file__).parent
ROOT = PACKAGE.parent.parent
OURS = {path.name for path in ROOT.iterdir() if path.is_dir()} | {
    path.stem for path in ROOT.glob("*.py")
}


def _imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            yield node.module


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_the_estimator_imports_nothing_else_of_ours(path):
    ours = [module for module in _imported(path) if module.partition(".")[0] in OURS]
    assert [module for module in ours if not f"{module}.".startswith("model.estimator.")] == []


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_the_estimator_knows_nothing_of_captchas(path):
    words = ("captcha", "image", "digit", "label_", "alphabet")
    assert [word for word in words if word in path.read_text().lower()] == []

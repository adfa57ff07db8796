"""The page of problems has each type of problem details that the package can answer with."""

import ast
from pathlib import Path

import antiphon
from antiphon.http.limits import DEFAULTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/problems.md").read_text()
LIMITS = (ROOT / "docs/reference/limits.md").read_text()
START = "urn:antiphon:"


def trees(*words):
    """Return the modules in which one of some words stands."""
    sources = [path.read_text() for path in Path(antiphon.__file__).parent.rglob("*.py")]
    return [ast.parse(source) for source in sources if any(word in source for word in words)]


def texts(node):
    return [each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]


def problem_types(tree):
    """Yield the types in a module: whole, and those that begin with the PROBLEM_TYPE of the module."""
    beginning = next((text for text in texts(tree) if text.startswith(START) and text.endswith("-")), "")
    for text in texts(tree):
        if text.startswith(START) and not text.endswith(("-", ":")):
            yield text
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and ast.unparse(node).startswith("f'{PROBLEM_TYPE}"):
            yield f"{beginning}{texts(node)[-1]}"


def test_each_type_has_a_row():
    found = {kind for tree in trees(START, "PROBLEM_TYPE") for kind in problem_types(tree)}
    shown = {line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `urn:")}
    assert found | {f"{START}limit:<name>"} == shown
    assert len(found) > 5


def test_each_limit_has_a_row():
    raised = {
        node.args[1].value
        for tree in trees("over_limit")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "over_limit"
        and isinstance(node.args[1], ast.Constant)
    }
    assert len(raised) > 8
    assert [name for name in raised | DEFAULTS.keys() if f"\n| `{name}` |" not in LIMITS] == []

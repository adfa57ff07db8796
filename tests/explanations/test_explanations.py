"""Each kind of error is explained, and each explanation's example raises it."""

import ast
import os
import sys
from pathlib import Path

import pytest

import antiphon
from antiphon.cli.docs import explanations
from antiphon.explanations import COMMAND
from tests.helpers.rows import rows

PACKAGE = Path(antiphon.__file__).parent
EXPLAINED = explanations()
EXAMPLES = [
    pytest.param(kind, code, id=f"{kind}-{number}")
    for kind, each in EXPLAINED.items()
    for number, code in enumerate(each.raising)
]
NOT_HERE = {"missing-package": ("redis", None)}
"""What is not installed, by the kind of error that comes from it."""


def raised_kinds():
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "explained":
                assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}: an id is a literal"
                yield node.args[0].value


def test_the_source_and_the_explanations_have_the_same_kinds():
    assert sorted({*raised_kinds()}) == sorted(EXPLAINED)


@rows("kind", EXPLAINED)
def test_an_explanation_says_what_it_is_and_shows_it(kind):
    assert EXPLAINED[kind].raising
    assert len(EXPLAINED[kind].summary) > 20


def notes_of(error):
    while error is not None:
        yield from getattr(error, "__notes__", ())
        error = error.__cause__ or error.__context__


@rows("kind, code", EXAMPLES)
def test_an_example_raises_its_error(kind, code, monkeypatch, tmp_path, caplog):
    """Or the log has the error, if a request met it."""
    monkeypatch.setattr(os, "environ", {**os.environ})
    monkeypatch.setitem(sys.modules, *NOT_HERE.get(kind, ("no_module", None)))
    file = tmp_path / "example.py"
    file.write_text(code)
    error = None
    try:
        exec(compile(code, str(file), "exec"), {"__name__": "example"})
    except Exception as raised:
        error = raised
    errors = [error, *(record.exc_info[1] for record in caplog.records if record.exc_info)]
    assert f"{COMMAND} {kind}" in [note for each in errors for note in notes_of(each)]

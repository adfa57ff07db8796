"""The order of a dialect's modules: each can be loaded first, since no two of them need each other to be loaded.

A contract of import-linter orders the dialects; it knows no difference between loading and calling, as this does: an
exception answers with a response, whose data structures raise exceptions.
"""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import antiphon.dialects

FOLDER = Path(antiphon.dialects.__file__).parent


def modules():
    for path in FOLDER.rglob("*.py"):
        parts = path.relative_to(FOLDER).with_suffix("").parts
        yield ".".join(("antiphon", "dialects", *parts)).removesuffix(".__init__"), path


def loaded_by(path, known):
    """The modules of the dialects that a module imports when it is loaded."""
    for statement in ast.parse(path.read_text()).body:
        if isinstance(statement, ast.ImportFrom):
            names = {f"{statement.module}.{alias.name}" for alias in statement.names}
            yield from names & known or {statement.module} & known


def test_no_two_modules_load_each_other():
    paths = dict(modules())
    graph = {name: set(loaded_by(path, paths.keys())) for name, path in paths.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(paths)

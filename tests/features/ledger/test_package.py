"""The package stands on public names alone, as one of anybody else would, and stays small."""

import ast
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

FOLDER = Path(__file__).parents[3] / "packages/antiphon-ledger/src/antiphon_ledger"
MODULES = [*FOLDER.glob("*.py")]
LISTED = (Path(__file__).parents[3] / "docs/reference/names.md").read_text()


def used_of_antiphon(tree):
    """Yield each module and name that code uses: ``from antiphon import http`` and ``http.Forbidden``."""
    modules = {}
    for each in ast.walk(tree):
        if isinstance(each, ast.ImportFrom) and (each.module or "").split(".")[0] == "antiphon":
            for name in each.names:
                if name.name in import_module(each.module).__all__:
                    yield each.module, name.name
                else:
                    modules[name.asname or name.name] = f"{each.module}.{name.name}"
        elif isinstance(each, ast.Import):
            assert not any(name.name.startswith("antiphon.") for name in each.names)
    for each in ast.walk(tree):
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id in modules:
            yield modules[each.value.id], each.attr


def test_the_package_uses_public_names_alone():
    used = {found for path in MODULES for found in used_of_antiphon(ast.parse(path.read_text()))}
    assert len(used) > 30
    assert [name for name in used if f"\n## {name[0]}\n" not in LISTED] == []
    assert [name for name in used if name[1] not in import_module(name[0]).__all__] == []
    private = [
        f"{path.name}:{each.lineno}: {each.attr}"
        for path in MODULES
        for each in ast.walk(ast.parse(path.read_text()))
        if isinstance(each, ast.Attribute) and each.attr.startswith("_") and not each.attr.endswith("__")
        and each.attr != "_replace" and not (isinstance(each.value, ast.Name) and each.value.id == "self")
    ]  # fmt: skip
    assert private == []


def test_the_package_has_at_most_900_lines_of_code():
    """Neither blank lines, comments nor docstrings count."""
    count = 0
    for path in [*MODULES, FOLDER / "schema.sql"]:
        text, described = path.read_text(), set()
        for each in ast.walk(ast.parse(text)) if path.suffix == ".py" else ():
            if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
                described |= {*range(each.lineno, each.end_lineno + 1)}
        lines = [line.strip() for number, line in enumerate(text.splitlines(), 1) if number not in described]
        count += len([line for line in lines if line and not line.startswith(("#", "--"))])
    assert count <= 900


def test_the_schema_is_a_file_of_the_package():
    assert files("antiphon_ledger").joinpath("schema.sql").is_file()

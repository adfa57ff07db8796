"""The page of names: each can be imported from where it says, and what the other pages import and speak of is on it."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import antiphon
from antiphon.http.errors import ERRORS
from tests.http.header_table import value_types

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/names.md").read_text()
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ELSEWHERE = {"datetime"}


def listed():
    """Each module on the page with its names, without what is told of them there."""
    for module, names in re.findall(r"^\| `(antiphon[\w.]*)` \| ([^|]*) \|", PAGE, re.MULTILINE):
        yield module, re.findall(r"(?:^|, )`(\w+)`", names.partition(", what")[0])


NAMES = dict(listed()) | {"antiphon.http.errors": [cls.__name__ for cls in ERRORS.values()]}
LISTED = {(module, name) for module, names in NAMES.items() for name in names}


def imported():
    """What the snippets of all pages import of the project, with the page."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for snippet in SNIPPET.findall(page.read_text()):
            for node in ast.walk(ast.parse(snippet)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("antiphon"):
                    yield from ((str(page.relative_to(ROOT)), node.module, name.name) for name in node.names)


@pytest.mark.parametrize(("module", "name"), sorted(LISTED), ids=".".join)
def test_a_name_can_be_imported_from_where_it_says(module, name):
    assert hasattr(importlib.import_module(module), name)


def test_the_package_has_these_names_and_no_others():
    assert sorted(NAMES["antiphon"]) == sorted(antiphon.__all__)


def test_each_error_stands_beside_its_status():
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|$", PAGE, re.MULTILINE)
    assert rows == [(str(status), cls.__name__) for status, cls in sorted(ERRORS.items())]


def test_what_other_pages_import_is_on_it():
    # HTTPError is everybody's, and so it may come with the errors, too.
    known = LISTED | {("antiphon.http.errors", "HTTPError")}
    unknown = {each for each in imported() if each[1:] not in known and "dialects" not in each[1]}
    assert unknown == set()


def test_the_types_of_all_headers_are_on_it():
    names = {name for _, name in LISTED}
    assert value_types() - ELSEWHERE <= names

"""The page of names: each can be imported from where it says, and what the other pages import and speak of is on it."""

import ast
import importlib
import re
from pathlib import Path

from antiphon import http
from antiphon.http import HTTPError
from tests.helpers.rows import rows
from tests.http.header_table import value_types

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/names.md").read_text()
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ELSEWHERE = {"datetime"}


def listed():
    """Each place on the page with the names in its section, and what is said of each."""
    for section in PAGE.split("\n## ")[1:]:
        place, _, rows = section.partition("\n")
        for name, said in re.findall(r"^\| \[`(\w+)`\]\([^)]+\) \| (.+) \|$", rows, re.MULTILINE):
            yield (place, name), said


SAID = dict(listed())
TYPES = re.findall(r"^### (\w+)$", PAGE.partition("\n## antiphon.types\n")[2], re.MULTILINE)
LISTED = {*SAID, *(("antiphon.types", name) for name in TYPES)}
PLACES = (
    "antiphon", "antiphon.http", "antiphon.features", "antiphon.logs", "antiphon.testing", "antiphon.testing.pairs",
    "antiphon.testing.races", "antiphon.testing.stores", "antiphon.features.stores",
    "antiphon.http1",
    "antiphon.embedding", "antiphon.cli", "antiphon.types",
)  # fmt: skip


def imported():
    """What the snippets of all pages import of the project, with the page."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for snippet in SNIPPET.findall(page.read_text()):
            for node in ast.walk(ast.parse(snippet)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("antiphon"):
                    yield from ((str(page.relative_to(ROOT)), node.module, name.name) for name in node.names)


@rows("module, name", sorted(LISTED), ids=".".join)
def test_a_name_can_be_imported_from_where_it_says(module, name):
    assert hasattr(importlib.import_module(module), name)


@rows("place", PLACES)
def test_a_place_has_the_names_on_the_page_and_no_others(place):
    assert {name for where, name in LISTED if where == place} == set(importlib.import_module(place).__all__)


def test_each_name_has_a_sentence():
    assert [name for name, said in SAID.items() if not re.fullmatch(r"[A-Z0-9`].{8,}\.", said)] == []


def test_each_error_stands_beside_its_status():
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|$", PAGE, re.MULTILINE)
    assert rows == [
        (str(each.status), each.__name__)
        for _, each in sorted(HTTPError.by_status.items())
        if each.__name__ in http.__all__
    ]


def test_what_other_pages_import_is_on_it():
    inner = "docs/maintainers/reading-handlers.md"  # for those who change the reader
    found = [each for each in imported() if each[0] != inner and "dialects" not in each[1]]
    unknown = {each for each in found if each[1:] not in LISTED}
    assert unknown == set()


def test_the_types_of_all_headers_are_on_it():
    names = {name for _, name in LISTED}
    assert value_types() - ELSEWHERE <= names

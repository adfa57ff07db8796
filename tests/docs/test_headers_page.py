"""The page on headers tells of the type of each attribute for a header."""

import re
from pathlib import Path

import antiphon.http
from tests.helpers.rows import rows
from tests.http.header_table import value_types

PAGE = Path(__file__).parents[2] / "docs/reference/headers.md"
TYPES = [
    (name, re.findall(r"`([a-z_]+)(?:\([^`]*\))?`", asked))
    for names, asked in re.findall(r"^\| (`[A-Z][^|]*) \| ([^|]*) \|$", PAGE.read_text(), re.MULTILINE)
    for name in re.findall(r"`(\w+)`", names)
]


def test_the_page_tells_of_each_type():
    assert sorted(name for name, _ in TYPES) == sorted(value_types() - {"datetime"})


@rows("name, asked", TYPES, ids=[name for name, _ in TYPES])
def test_a_type_has_what_the_page_says(name, asked):
    cls = getattr(antiphon.http, name)
    assert [attribute for attribute in asked if not hasattr(cls, attribute)] == []

"""The reference of headers lists the attributes of the table and no others, and tells where their types are."""

import re
from pathlib import Path

import pytest

import antiphon.http
from tests.helpers.rows import rows
from tests.http.header_table import HEADER_FIELDS, value_types

pytestmark = pytest.mark.once

PAGE = Path(__file__).parents[2] / "docs/reference/headers.md"
TYPES = [
    (name, re.findall(r"`([a-z_]+)(?:\([^`]*\))?`", asked))
    for names, asked in re.findall(r"^\| (`[A-Z][^|]*) \| ([^|]*) \|$", PAGE.read_text(), re.MULTILINE)
    for name in re.findall(r"`(\w+)`", names)
]


def table(side):
    """The attributes of one side, as Markdown."""
    rows = [
        (getattr(field, f"{side}_attribute"), getattr(field, f"{side}_type"), field.name, field.source)
        for field in HEADER_FIELDS
        if getattr(field, f"{side}_attribute")
    ]
    lines = [
        f"| `{name}` | `{type_}` | {header} | {source} |".replace(" | None`", "?`")
        for name, type_, header, source in rows
    ]
    return "\n".join(["| attribute | type | header | source |", "|---|---|---|---|", *lines]) + "\n"


def test_the_page_has_each_attribute():
    text = PAGE.read_text()
    assert table("request") in text
    assert table("response") in text


def test_the_page_tells_of_each_type():
    assert sorted(name for name, _ in TYPES) == sorted(value_types() - {"datetime"})


@rows("name, asked", TYPES, ids=[name for name, _ in TYPES])
def test_a_type_has_what_the_page_says(name, asked):
    cls = getattr(antiphon.http, name)
    assert [attribute for attribute in asked if not hasattr(cls, attribute)] == []

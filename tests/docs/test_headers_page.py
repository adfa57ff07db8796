"""The reference of headers lists the attributes of the table, and no others."""

from pathlib import Path

from tests.http.header_table import HEADER_FIELDS

PAGE = Path(__file__).parents[2] / "docs/reference/headers.md"


def table(side):
    """The attributes of one side, as Markdown."""
    rows = [
        (getattr(field, f"{side}_attribute"), getattr(field, f"{side}_type"), field.name, field.source)
        for field in HEADER_FIELDS
        if getattr(field, f"{side}_attribute")
    ]
    lines = [f"| `{name}` | `{type_}` | {header} | {source} |".replace(" | None`", "?`") for name, type_, header, source in rows]
    return "\n".join(["| attribute | type | header | source |", "|---|---|---|---|", *lines]) + "\n"


def test_the_page_has_each_attribute():
    text = PAGE.read_text()
    assert table("request") in text
    assert table("response") in text

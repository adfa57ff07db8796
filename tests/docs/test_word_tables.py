"""The tables of names on the pages for programs that come from another framework."""

import re
from pathlib import Path

import pytest

from antiphon import App, Request, Response

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
THINGS = {"request": Request.blank(), "response": Response(), "app": App()}
KEPT = {
    ("request", "flash"): "the order of its arguments differs",
    ("request", "json"): "it is a value, not a function",
    ("app", "mount"): "it is for applications, not for blueprints",
}
"""Names of other frameworks that Antiphon has, too, with a different meaning."""


def rows(page: str) -> list[tuple[str, str]]:
    text = (PAGES / f"from-{page}.md").read_text()
    table = text.partition(f"| {page.title()} | Antiphon |\n|---|---|\n")[2].partition("\n\n")[0]
    return [tuple(line.strip("| ").split(" | ", 1)) for line in table.splitlines()]


@pytest.mark.parametrize("page", ["asok", "kay", "microdot", "pyramid"])
def test_a_page_begins_with_a_table_whose_names_are_true(page):
    assert (PAGES / f"from-{page}.md").read_text().index(f"## Names of {page.title()} and Antiphon") < 1500
    assert len(rows(page)) > 5
    for theirs, ours in rows(page):
        for thing, name in re.findall(r"`(request|response|app)\.(\w+)", theirs):
            if (thing, name) not in KEPT:
                with pytest.raises(AttributeError, match=f"has no '{name}'; use "):
                    getattr(THINGS[thing], name)
        for thing, name in re.findall(r"\b(request|response|app|Response)\.(\w+)", ours):
            assert hasattr(Response if thing == "Response" else type(THINGS[thing]), name), name

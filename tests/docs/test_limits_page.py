"""The reference of limits has each of them, with its default, and no others."""

import re
from inspect import signature
from pathlib import Path

import pytest

from antiphon.body.multipart import MultipartLimits
from antiphon.body.part_head import HeadLimits
from antiphon.features import Live, ResumableUploads, Users
from antiphon.http.limits import DEFAULTS

PAGE = (Path(__file__).parents[2] / "docs/reference/limits.md").read_text()
FIRST, SECOND = PAGE.split("## Responses beyond a limit: 413, 414, 431, 408")
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20}
UNLIMITED = ("file", "json_repeats", "sockets")
HEAD = HeadLimits()
OTHERS = {
    "part_head": HEAD.size,
    "part_fields": HEAD.fields,
    "part_name": HEAD.name,
    "outside": MultipartLimits().outside,
    "uploads": signature(ResumableUploads).parameters["max_open"].default,
    "open": signature(Users).parameters["max_open"].default,
    "live": signature(Live).parameters["max_watchers"].default // 100,
}


def rows(text):
    """Name and number of each row of a table, whose third column tells it; None for words."""
    for name, told in re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|", text, re.MULTILINE):
        number, _, unit = told.partition(" ")
        yield name, int(number) * UNITS.get(unit, 1) if number.isdigit() else None


@pytest.mark.parametrize(("text", "known"), [(FIRST, DEFAULTS), (SECOND, OTHERS)], ids=["limits", "others"])
def test_the_page_has_each_limit_with_its_default(text, known):
    assert dict(rows(text)) == {name: None if name in UNLIMITED else most for name, most in known.items()}

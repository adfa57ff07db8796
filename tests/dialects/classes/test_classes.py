"""The comparison of classes: each difference needs a reason, and each reason is on the page."""

import re
from pathlib import Path

import pytest

from tests.dialects.classes import __main__ as classes
from tests.helpers.rows import rows

PAGE = Path(__file__).parents[3] / "docs/reference/compatibility.md"
pytestmark = pytest.mark.once


def test_each_reason_is_on_the_page():
    table = PAGE.read_text().partition("## Classes")[2].partition("| differences | reason")[2]
    reasons = re.findall(r"^\| (\w+) \| ", table, re.MULTILINE)
    assert sorted(reasons) == sorted({row["reason"] for row in classes.rows()})


@rows(
    "difference, reason",
    (("kind", "'data descriptor'", "'value'"), "descriptors"),
    (("set", "! AttributeError", "'read: True'"), "works"),
    (("set", "'read: True'", "! AttributeError"), None),
    (("override: property with super()", "'as read, as read'", "! AttributeError"), None),
)
def test_a_difference_without_a_row_has_no_reason(difference, reason):
    difference = classes.Difference("flask", "app.Flask", "name", *difference)
    unexplained, reasons = classes.explained([difference], classes.rows())
    assert (unexplained, [*reasons]) == (([], [reason]) if reason else ([difference], []))


@pytest.mark.processes
def test_microdot_s_classes_differ_only_as_the_table_says():
    """The smallest original, for each change; `scripts/weekly classes` compares all."""
    result = classes.compared("microdot")
    assert (result.classes > 20, result.operations > 4000) == (True, True)
    assert classes.explained(result.found, classes.rows())[0] == []
    assert classes.explained(result.found, [])[0] == result.found != []

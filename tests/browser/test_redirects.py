"""Locations of a client's choice, read by a browser: those that pass stay on this site."""

import itertools

import pytest

from antiphon import Response

pytestmark = pytest.mark.processes

HERE = "http://here.example"
SIGNS = ["/", "\\", ":", "\t", "\n", " ", "@", "?", "http:", "%5C", "."]
TRAPS = [
    "".join(signs) + end
    for count in range(5)
    for signs in itertools.product(SIGNS, repeat=count)
    for end in ("evil.example", "here.example/")
]
PARSE = """(locations, base) => locations.map(location => {
  try { return new URL(location, base).origin } catch { return "none" }
})"""


def test_a_location_of_a_client_s_choice_stays_on_this_site(page):
    sent = sorted({Response.redirect(trap, otherwise="/home", origin=HERE).location for trap in TRAPS})
    assert len(sent) > 500
    origins = page.run(PARSE, sent, f"{HERE}/a/b")
    assert [location for location, origin in zip(sent, origins, strict=True) if origin != HERE] == []
    assert HERE not in page.run(PARSE, ["//evil.example", "/\\evil.example", "/\t/evil.example"], f"{HERE}/a/b")

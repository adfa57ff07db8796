"""Expressions matched in linear time find what trying finds."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.dialects.werkzeug import routing
from antiphon.dialects.werkzeug.routing.matcher import linear
from antiphon.dialects.werkzeug.routing.parts import Variable
from tests.dialects.werkzeug.routing.long_paths import PATHS
from tests.helpers.rows import rows

MAP = routing.Map()
CONVERTERS = [
    routing.UnicodeConverter(MAP),
    routing.UnicodeConverter(MAP, minlength=2),
    routing.UnicodeConverter(MAP, maxlength=2),
    routing.UnicodeConverter(MAP, length=2), routing.BaseConverter(MAP), routing.IntegerConverter(MAP),
    routing.IntegerConverter(MAP, signed=True),
    routing.FloatConverter(MAP, signed=True),
    routing.AnyConverter(MAP, "a", "ab", "", "1-"),
    routing.PathConverter(MAP), routing.UUIDConverter(MAP),
]  # fmt: skip
CHUNKS = st.lists(
    st.sampled_from(("-", ".", "a", "--", "1", "/", "//", "aa"))
    | st.sampled_from(CONVERTERS).map(lambda c: Variable("x", c)),
    min_size=2,
    max_size=6,
)
TEXTS = st.text("aab1-./\n\0٣", max_size=14) | st.text("a1-/", min_size=8, max_size=40)


@settings(max_examples=4 * settings.default.max_examples)
@given(CHUNKS, TEXTS)
def test_it_finds_what_trying_finds(chunks, text):
    by_places = linear(chunks)
    if by_places is None:
        assert sum(isinstance(chunk, Variable) for chunk in chunks) < 2
        return
    groups = [re.escape(chunk) if isinstance(chunk, str) else f"({chunk.converter.regex})" for chunk in chunks]
    found = re.fullmatch("".join(groups), text)
    assert by_places.match(text) == (found and found.groups())


@rows("rule, make", PATHS.items())
def test_a_path_that_fits_nearly_everywhere_is_refused(rule, make):
    assert not routing.Map([routing.Rule(rule, endpoint="x")]).bind("example.com").test(f"/{make(40_000)}")


def test_a_long_path_is_taken_apart_like_a_short_one():
    rules = [routing.Rule("/<path:a>/x/<path:b>/", endpoint="x"), routing.Rule("/<c>-<d>.<e>", endpoint="y")]
    adapter = routing.Map(rules).bind("example.com")
    for many in (1, 50):
        start, end = "a/" * many, "b/" * many
        assert adapter.match(f"/{start}x/{end}") == ("x", {"a": start[:-1], "b": end[:-1]})
        assert adapter.match(f"/{'a-' * many}b.{'c' * many}") == (
            "y",
            {"c": "-".join("a" * many), "d": "b", "e": "c" * many},
        )

"""Tagged JSON: Flask reads what the dialect writes, and the other way round."""

from datetime import UTC, datetime

import pytest
from flask.json import tag as theirs
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from antiphon.dialects.flask.json import tag as ours
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("aä\0\" <") | st.binary(max_size=9)
    | st.text("<a").map(Markup) | st.uuids() | st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC)),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.sampled_from(["", "a", " b", " di", " t", " t__", " b__"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
REFUSED = ['{" b": 5}', '{" u": "x"}', '{" t": 5}', "", "{"]


@given(VALUES)
def test_is_what_flask_writes_and_reads(value):
    text = ours.TaggedJSONSerializer().dumps(value)
    assert text == theirs.TaggedJSONSerializer().dumps(value)
    read = ours.TaggedJSONSerializer().loads(text)
    assert repr(read) == repr(theirs.TaggedJSONSerializer().loads(text))


@rows("text", REFUSED)
def test_refuses_what_flask_refuses(text):
    for module in (theirs, ours):
        with pytest.raises((ValueError, TypeError, AttributeError)):
            module.TaggedJSONSerializer().loads(text)


@rows("module", [ours, theirs])
def test_has_each_tag_once(module):
    serializer = module.TaggedJSONSerializer()

    class Other(module.JSONTag):
        key = " u"

        def to_python(self, value):
            return value

    with pytest.raises(KeyError, match="Tag ' u' is already registered"):
        serializer.register(Other)
    serializer.register(Other, force=True, index=0)
    assert serializer.tags[" u"] is serializer.order[0]
    assert serializer.loads('{" u": "x"}') == "x"


def test_a_tag_says_what_it_lacks():
    tag = ours.JSONTag(ours.TaggedJSONSerializer())
    for method in (tag.check, tag.to_json, tag.to_python):
        with pytest.raises(NotImplementedError):
            method(1)

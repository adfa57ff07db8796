"""Tagged JSON: Flask reads what the dialect writes, and the other way round."""

from collections import OrderedDict
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from flask.json import tag as theirs
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from antiphon.dialects.flask.json import tag as ours
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class HTML:
    def __html__(self):
        return "<i>"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("aä\0\" <") | st.binary(max_size=9)
    | st.text("<a").map(Markup) | st.uuids() | st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC)),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.sampled_from(["", "a", " b", " di", " t", " t__", " b__"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
WRITTEN_OTHERWISE_THAN_READ = {
    "a moment elsewhere": MOMENT.astimezone(timezone(timedelta(hours=5))),
    "a moment nowhere": MOMENT.replace(tzinfo=None),
    "a part of a second": MOMENT.replace(microsecond=5),
    "what has HTML": HTML(),
    "names that are no text": {1: "a", 2.5: "b"},
    "an ordered dict": OrderedDict(a=(1,)),
    "text of a class": type("Text", (str,), {})("a"),
    "a number of a class": type("Number", (int,), {})(5),
}
READ = [
    '{" t": [1, {" b": "aGk="}]}', '{ " t" : [] }', '{"\\u0020t": [1]}', '{" unknown": 1}', '{" t": [], "a": 1}',
    '{" di": {" t__": 1}}', '{" di": {"a": 1}}', '[{" m": "<"}]', '{" d": "nonsense"}', '" t"', "NaN", '{"a": " t"}',
]  # fmt: skip
REFUSED = ['{" b": 5}', '{" u": "x"}', '{" t": 5}', "", "{"]


@given(VALUES)
def test_is_what_flask_writes_and_reads(value):
    text = ours.TaggedJSONSerializer().dumps(value)
    assert text == theirs.TaggedJSONSerializer().dumps(value)
    read = ours.TaggedJSONSerializer().loads(text)
    assert repr(read) == repr(theirs.TaggedJSONSerializer().loads(text))


@rows("value", WRITTEN_OTHERWISE_THAN_READ.values(), ids=WRITTEN_OTHERWISE_THAN_READ)
def test_writes_what_json_reads_as_something_else_as_flask_does(value):
    texts = [module.TaggedJSONSerializer().dumps(value) for module in (ours, theirs)]
    assert texts[0] == texts[1]


@rows("text", READ)
def test_reads_what_it_would_not_write(text):
    read = [module.TaggedJSONSerializer().loads(text) for module in (ours, theirs)]
    assert repr(read[0]) == repr(read[1])


@rows("text", REFUSED)
def test_refuses_what_flask_refuses(text):
    for module in (theirs, ours):
        with pytest.raises((ValueError, TypeError, AttributeError)):
            module.TaggedJSONSerializer().loads(text)


def ordered(module):
    class TagOrderedDict(module.JSONTag):
        __slots__ = ("serializer",)
        key = " od"

        def check(self, value):
            return isinstance(value, OrderedDict)

        def to_json(self, value):
            return [[name, self.serializer.tag(each)] for name, each in value.items()]

        def to_python(self, value):
            return OrderedDict(value)

    return TagOrderedDict


def small(module):
    """A tag for what needs none otherwise, and whose key begins as no other does."""

    class TagSmall(module.JSONTag):
        key = "small"

        def check(self, value):
            return type(value) is int and value < 10

        def to_json(self, value):
            return str(value)

        def to_python(self, value):
            return int(value)

    return TagSmall


@rows("tag_class, index, value", [
    (ordered, 0, OrderedDict(b=1, a=(OrderedDict(c=b"x"),))),
    (small, None, [5, 11, {"a": 3}]),
])  # fmt: skip
def test_may_have_more_tags(tag_class, index, value):
    texts = []
    for module in (ours, theirs):
        serializer = module.TaggedJSONSerializer()
        serializer.register(tag_class(module), index=index)
        texts.append(serializer.dumps(value))
        assert repr(serializer.loads(texts[-1])) == repr(value)
    assert texts[0] == texts[1]


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


@rows("module", [ours, theirs])
def test_a_class_may_have_other_tags_from_the_start(module):
    class Fewer(module.TaggedJSONSerializer):
        default_tags = [module.PassDict, module.TagUUID]  # noqa: RUF012 - as Flask declares it

    value = {"a": UUID(int=1), "b": (1,)}
    assert Fewer().loads(Fewer().dumps(value)) == {"a": UUID(int=1), "b": [1]}


def test_a_tag_says_what_it_lacks():
    tag = ours.JSONTag(ours.TaggedJSONSerializer())
    for method in (tag.check, tag.to_json, tag.to_python):
        with pytest.raises(NotImplementedError):
            method(1)

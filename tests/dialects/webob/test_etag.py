"""Entity tags and If-Range, as WebOb has them and RFC 9110 §13.1 reads them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webob import etag as original

from antiphon.dialects.webob import etag as dialect
from tests.helpers.rows import rows

tags = st.from_regex(r'(W/)?"[a-z]{0,3}"', fullmatch=True)


@given(
    st.lists(tags, max_size=3).map(", ".join) | st.sampled_from(["*", "", "abc", "a b"]), st.booleans(), st.text("abc")
)
def test_lists_are_read_as_the_original_does(header, strong, tag):
    theirs, ours = [library.ETagMatcher.parse(header, strong=strong) for library in (original, dialect)]
    for look in [str, repr, lambda e: tag in e, lambda e: "" in e, lambda e: getattr(e, "etags", "any")]:
        assert look(ours) == look(theirs)


class Request:
    """The least that a property needs of a request."""

    if_none_match = dialect.etag_property("HTTP_IF_NONE_MATCH", dialect.NoETag, "14.26", strong=False)

    def __init__(self, **environ):
        self.environ = environ


@pytest.mark.feature("pyramid-019")
def test_is_a_property_of_the_request_that_can_be_set_and_deleted():
    request = Request(HTTP_IF_NONE_MATCH='"a", W/"b"')
    assert request.if_none_match.etags == ["a", "b"]
    request.if_none_match = dialect.ETagMatcher(["c"])
    assert request.environ == {"HTTP_IF_NONE_MATCH": '"c"'}
    request.if_none_match = "d"  # the original sends it without quotes, which is no header
    assert request.environ == {"HTTP_IF_NONE_MATCH": '"d"'}
    with pytest.raises(ValueError, match="entity tag"):
        request.if_none_match = "d e"
    request.if_none_match = dialect.AnyETag
    assert request.if_none_match is dialect.AnyETag
    request.if_none_match = None
    assert request.environ == {}
    assert request.if_none_match is dialect.NoETag
    del request.if_none_match
    assert [bool(each) for each in (dialect.AnyETag, dialect.NoETag)] == [False, False]
    assert [str(dialect.AnyETag), str(dialect.NoETag)] == ["*", ""]
    assert [repr(dialect.AnyETag), repr(dialect.NoETag)] == ["<ETag *>", "<No ETag>"]
    assert ["x" in dialect.AnyETag, "x" in dialect.NoETag] == [True, False]


class Response:
    """The least that If-Range looks at."""

    def __init__(self, etag=None, modified=None):
        self.etag_strong = etag
        self.last_modified = modified


THEN = datetime(2001, 11, 9, 1, 8, 47, tzinfo=UTC)


@rows(
    "header, response, is_in",
    (None, Response(), True), ("", Response("a"), True), ('"a"', Response("a"), True), ('"a"', Response("b"), False),
    ('"a"', Response(), False), ('W/"a"', Response("a"), False),
    ("Fri, 09 Nov 2001 01:08:47 GMT", Response(modified=THEN), True),
    ("Fri, 09 Nov 2001 01:08:47 GMT", Response("a"), False),
    # A part of another version must not be joined to one of this: the date has to be the same (§13.1.5).
    ("Fri, 09 Nov 2001 01:08:48 GMT", Response(modified=THEN), False),
    ("nonsense GMT", Response(modified=THEN), False),
)  # fmt: skip
def test_if_range_has_the_response_of_which_the_client_has_a_part(header, response, is_in):
    assert (response in dialect.IfRange.parse(header)) is is_in


@rows("header", [None, "", "*", '"a"', "ETAG", 'W/"a"', "Fri, 09 Nov 2001 01:08:47 GMT"])
def test_if_range_prints_as_in_the_original(header):
    theirs, ours = original.IfRange.parse(header), dialect.IfRange.parse(header)
    assert (str(ours), bool(ours), type(ours).__name__) == (str(theirs), bool(theirs), type(theirs).__name__)
    assert repr(ours).replace("datetime.timezone.utc", "UTC") == repr(theirs)
    assert str(dialect.IfRangeDate(THEN.replace(tzinfo=None))) == "Fri, 09 Nov 2001 01:08:47 GMT"
    assert str(dialect.IfRangeDate(None)) == ""

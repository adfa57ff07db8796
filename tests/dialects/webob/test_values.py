"""Ranges, dates and the values of headers, beside those of WebOb."""

import pickle
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialects.pyramid.util import strings_differ as pyramids_strings_differ
from antiphon.dialects.webob import byterange, datetime_utils, descriptors
from antiphon.dialects.webob.response import Response
from antiphon.dialects.webob.util import strings_differ
from tests.dialects.webob import original
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

numbers = st.one_of(st.none(), st.integers(-3, 12))


def made(call):
    value = call()
    return None if value is None else (str(value), repr(value), list(value))


@rows(
    "header",
    "bytes=0-4", "bytes=5-", "bytes=-5", "BYTES = 1 - 2", "bytes=4-2", "bytes=0-0", "lines=1-2", "", None, "bytes=a-b",
)  # fmt: skip
def test_a_range_is_read(header):
    same(
        *[
            outcome(lambda library=library: made(lambda: library.Range.parse(header)))
            for library in (original.byterange, byterange)
        ]
    )


@given(numbers, numbers, st.one_of(st.none(), st.integers(0, 12)))
def test_ranges_of_a_length(start, end, length):
    def part(library):
        asked = library.Range(0 if start is None else start, end)
        return asked.range_for_length(length), made(lambda: asked.content_range(length))

    if start is not None and end is None and length is not None and start + length < 0:
        assert byterange.Range(start, None).range_for_length(length) == ((0, length) if length else None)
    else:
        same(outcome(part, original.byterange), outcome(part, byterange))


@rows(
    "header", ["bytes 0-4/10", "bytes 0-4/*", "bytes */10", "bytes */*", "bytes 5-4/10", "bytes 0-10/10", "x", "", None]
)
def test_a_content_range_is_read(header):
    def content(library):
        return made(lambda: library.ContentRange.parse(header))

    same(outcome(content, original.byterange), outcome(content, byterange))


DATES = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "6 Nov 1994"]
DATES += [
    "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 +0200", "Sun, 06 Nov 1994 08:49:37 EST", "x", "", None,
]  # fmt: skip


PRINTED = [datetime(1994, 11, 6, 8, 49, 37), datetime(1994, 11, 6, 8, 49, 37, 999999, tzinfo=UTC), date(1994, 11, 6)]
PRINTED += [
    0, 1.9, -1, "text", b"bytes", (1994, 11, 6, 8, 49, 37, 0, 0, 0), datetime(1994, 11, 6).timetuple(), None, [],
]  # fmt: skip


def test_utc():
    assert (str(datetime_utils.UTC), datetime_utils.UTC.tzname(None)) == ("UTC", "UTC")
    assert datetime(2026, 1, 1, tzinfo=datetime_utils.UTC) == datetime(2026, 1, 1, tzinfo=UTC)
    assert pickle.loads(pickle.dumps(datetime_utils.UTC)) is datetime_utils.UTC


VALUES = {
    "parse_list": ["", None, "a", "a, b,,c ", ","], "serialize_list": ["a", ["a", 5], ()],
    "parse_int": ["5", "", None, "x"], "parse_int_safe": ["5", "", None, "x"],
    "parse_etag_response": ['"a"', 'W/"a"', "a", "", None, '"a\\"b"', '"'],
    "serialize_etag_response": ["a", '"a"', 'W/"a"', ("a", True), ("a", False)],
    "serialize_if_range": [datetime(1994, 11, 6), "x", ""], "serialize_range": [(0, 5), [1, None], "x", None, ""],
    "parse_auth": [None, "Basic abc==", 'Basic realm="x"', "Bearer t", 'Digest realm="a, b", nonce=c', "Basic", ""],
    "serialize_auth": [None, "x", ("Basic", "abc=="), ["Digest", {"realm": "x", "nonce": "y"}]],
    "serialize_content_range": [(0, 5, 10), (0, 5), "x", " ", (1,)],
}  # fmt: skip


@rows("name, value", [(name, value) for name, values in VALUES.items() for value in values])
def test_a_value_is_read_and_printed(name, value):
    same(*[outcome(getattr(library, name), value) for library in (original.descriptors, descriptors)])


def test_attributes_of_other_classes():
    class Own(Response):
        x_count = descriptors.converter(descriptors.header_getter("X-Count", "1"), int, str)
        x_since = descriptors.converter_date(descriptors.header_getter("X-Since", "1"))
        x_names = descriptors.list_header("X-Names", "1")
        x_until = descriptors.date_header("X-Until", "1")
        x_old = descriptors.deprecated_property(descriptors.header_getter("X-Old", "1"), "x_old", "use x_new", "1.8")

    response = Own(x_count=5, x_names=["a", "b"], x_since=0, x_until=0)
    assert dict(response.headerlist) | {"X-Count": "5", "X-Names": "a, b"} == dict(response.headerlist)
    assert (response.x_count, response.x_names, response.x_since.year, response.x_until.year) == (
        5,
        ("a", "b"),
        1970,
        1970,
    )
    for use in (lambda: response.x_old, lambda: setattr(response, "x_old", "1"), lambda: delattr(response, "x_old")):
        with pytest.warns(DeprecationWarning, match="use x_new"):
            use()


@rows("differ", [strings_differ, pyramids_strings_differ])
@rows("given", ["é", "\ud800", "", "secrets"])
def test_secrets_are_compared_with_what_anybody_may_send(differ, given):
    assert differ("secret", given)
    assert not differ(given, given)

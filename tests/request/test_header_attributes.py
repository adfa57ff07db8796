"""Every header that the table gives an attribute has it, with its type; see tests/http/headers.csv."""

from datetime import UTC, datetime, timedelta

import pytest

from antiphon import Request, Response
from antiphon.http.authorization import Challenge
from antiphon.http.cache_control import CacheControl
from antiphon.http.conditional import ETag
from antiphon.http.content_disposition import ContentDisposition
from antiphon.http.link import Link
from antiphon.http.ranges import ContentRange
from antiphon.http.structured_fields import Item, Priority, Token
from antiphon.http.tracing import ServerTiming
from tests.helpers.rows import rows
from tests.http.header_table import HEADER_FIELDS

pytestmark = pytest.mark.once

REQUEST = [pytest.param(field, id=field.name) for field in HEADER_FIELDS if field.request_attribute]
OWN = ("content_type", "location")
"""Attributes that convert what they are set to: see test_response.py."""
RESPONSE = [
    pytest.param(field, id=field.name)
    for field in HEADER_FIELDS
    if field.response_attribute and field.response_attribute not in OWN
]
MOMENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

NEUTRAL = {"bool": False, "str": ""}
"""What an absent header reads as, where that is neither None nor something empty."""

VALUES = {
    "str | None": ["text"],
    "tuple[str, ...]": [("a", "b")],
    "datetime | None": [MOMENT],
    "int | None": [0, 5],
    "bool": [True],
    "CacheControl": [CacheControl(max_age=60)],
    "ContentDisposition | None": [ContentDisposition("attachment", "ä.txt")],
    "ContentRange | None": [ContentRange(0, 9, 100)],
    "ETag | None": [ETag("a"), ETag("a", weak=True)],
    "tuple[Link, ...]": [(Link("/next", "next"),)],
    "tuple[Challenge, ...]": [(Challenge.basic("shop"), Challenge.bearer("shop"))],
    "tuple[ServerTiming, ...]": [(ServerTiming("db", 1.5), ServerTiming("cache"))],
    "int | datetime | None": [120, MOMENT],
    "Priority | None": [Priority(1), Priority(7, True)],
    "tuple[Item, ...]": [(Item(Token("cache"), {"hit": True}), Item("of others"))],
    "dict[str, bytes]": [{"sha-256": bytes(range(32))}],
    "dict[str, int]": [{"sha-256": 10, "md5": 0}],
    "dict[str, str]": [{"default": "https://example.com/reports"}],
    "dict[str, int | str]": [{"max-age": 60, "no-transform": True, "extension": "x"}],
}
"""What a header of each type is set to, and reads as then."""


@rows("field", REQUEST)
class TestARequest:
    def test_has_it_as_an_attribute_that_is_neutral_when_absent(self, field):
        value = getattr(Request.blank(), field.request_attribute)
        if field.name == "host":
            assert value == "localhost"
        elif field.request_type in NEUTRAL:
            assert value == NEUTRAL[field.request_type]
        elif field.request_type.endswith("None"):
            assert value is None
        else:
            assert not value

    def test_never_raises_for_what_a_client_sends(self, field):
        class Told:
            authority, scheme = "localhost", "http"

            def __init__(self, junk):
                self.junk = junk

            def field(self, name):
                return self.junk if name == field.name else None

        for junk in ("", "\x00", '"', ",;=" * 50, "9" * 100, "é" * 20):
            getattr(Request(Told(junk)), field.request_attribute)


@rows("field", RESPONSE)
class TestAResponse:
    def test_has_it_as_an_attribute_that_is_read_set_and_deleted(self, field):
        name = field.response_attribute
        for value in VALUES[field.response_type]:
            response = Response()
            absent = getattr(response, name)
            assert absent is None or not absent
            setattr(response, name, value)
            assert getattr(response, name) == value
            assert field.name in response.headers
            setattr(response, name, None)
            assert (getattr(response, name), response.headers.items()) == (absent, [])
            setattr(response, name, value)
            delattr(response, name)
            assert getattr(response, name) == absent

    def test_refuses_what_it_cannot_be(self, field):
        for bad in (object(), 1.5j, b"bytes", "a\r\nset-cookie: b=1", ["a\0"]):
            response = Response()
            with pytest.raises(ValueError, match=field.name):
                setattr(response, field.response_attribute, bad)
            assert field.name not in response.headers

    def test_reads_what_is_malformed_as_absent(self, field):
        absent = getattr(Response(), field.response_attribute)
        if field.response_type in ("str | None", "tuple[str, ...]"):
            return
        response = Response(headers={field.name: '=;"'})
        value = getattr(response, field.response_attribute)
        assert value == absent or field.name == "expires"


@rows(
    "name, value, printed",
    ("etag", "a", '"a"'),
    ("allow", ["GET", "POST"], "GET, POST"),
    ("retry_after", timedelta(minutes=2), "120"),
    ("retry_after", 1.2, "2"),
    ("last_modified", MOMENT, "Fri, 20 Nov 2026 12:00:00 GMT"),
    ("deprecation", datetime(2026, 1, 1, tzinfo=UTC), "@1767225600"),
    ("deprecation", datetime.max.replace(tzinfo=UTC), "@253402300799"),
    ("deprecation", datetime(1969, 12, 31, 23, 59, 58, 1, tzinfo=UTC), "@-2"),
    ("deprecation", datetime.min.replace(tzinfo=UTC), "@-62135596800"),
    ("clear_site_data", ["cache", "cookies"], '"cache", "cookies"'),
    ("www_authenticate", Challenge.basic("shop"), 'Basic realm="shop", charset="UTF-8"'),
    ("incremental", True, "?1"),
    ("accept_query", [Token("application/json"), "text/csv"], 'application/json, "text/csv"'),
    ("links", [Link("/2", "next")], "</2>; rel=next"),
    ("cache_status", [Item(Token("shop"), {"hit": True, "ttl": 30}), "other"], 'shop;hit;ttl=30, "other"'),
    ("cdn_cache_control", {"max-age": 60, "no-transform": True}, "max-age=60, no-transform"),
    ("content_digest", {"sha-256": b"hello"}, "sha-256=:aGVsbG8=:"),
    ("priority", Priority(1, True), "u=1, i"),
    ("reporting_endpoints", {"default": "https://a.example/"}, 'default="https://a.example/"'),
)
def test_a_header_is_printed(name, value, printed):
    response = Response()
    setattr(response, name, value)
    assert [text for _, text in response.headers.items()] == [printed]


@rows(
    "name, text, value",
    ("idempotency_key", '"8e03978e-40d5"', "8e03978e-40d5"),
    ("idempotency_key", r'"a \"b\""', 'a "b"'),
    ("idempotency_key", '"key";version=1', "key"),
    ("idempotency_key", "8e03978e-40d5", "8e03978e-40d5"),
    ("idempotency_key", '"a', None),
    ("idempotency_key", '"a", "b"', None),
    ("idempotency_key", "a b", None),
    ("idempotency_key", ":aGk=:", None),
    ("priority", "u=1, i", Priority(1, True)),
    ("priority", "i=?0", Priority()),
    ("priority", "u=8, i=1", Priority()),
    ("priority", "u=?1", Priority()),
    ("priority", "u=(1)", Priority()),
    ("priority", "u=1,", None),
    ("sec_ch_ua", '"Chromium";v="142"', (Item("Chromium", {"v": "142"}),)),
    ("sec_ch_ua", '"Chromium";v="142', ()),
    ("sec_ch_ua", '("Chromium")', ()),
    ("content_digest", "sha-256=:aGVsbG8=:, other=1", {"sha-256": b"hello"}),
)
def test_a_structured_field_of_a_request_is_read_as_its_value(name, text, value):
    request = Request.blank("/", headers={name.replace("_", "-"): text})
    assert getattr(request, name) == value


@rows("values, error", ("de", "must be a list"), (["de", "fr,en"], "comma: 'fr,en'"), (["de", ""], "empty .*: ''"))
def test_a_list_is_of_single_elements(values, error):
    with pytest.raises(ValueError, match=error):
        Response().content_language = values


def test_what_is_no_date_has_expired_long_ago():
    assert Response(headers={"expires": "0"}).expires.year == 1970

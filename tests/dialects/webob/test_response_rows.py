"""Responses, as the document has them, where no comparison with WebOb shows it."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from antiphon.dialects.webob import Response
from tests.dialects.werkzeug.environs import called, environ
from tests.helpers.rows import rows

feature = pytest.mark.feature
MOMENT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@feature("pyramid-064")
def test_content_type_params_are_all_parameters():
    response = Response(content_type='text/plain; format=flowed; title="a \\"b\\""')
    assert response.content_type_params == {"format": "flowed", "title": 'a "b"', "charset": "UTF-8"}
    response.content_type_params = {"b": "c d", "a": 'e"f'}
    assert response.headers["Content-Type"] == 'text/plain; a="e\\"f"; b="c d"'
    del response.content_type_params
    assert response.headers["Content-Type"] == "text/plain"


def cookies(response):
    return response.headers.getall("Set-Cookie")


@feature("pyramid-066")
@rows("max_age", [90061, timedelta(days=1, hours=1, minutes=1, seconds=1)])
def test_the_lifetime_is_seconds_or_a_timedelta(max_age):
    response = Response()
    response.set_cookie("a", "b", max_age=max_age)
    assert "Max-Age=90061;" in cookies(response)[0]


def expires_in(cookie):
    date = cookie.partition("expires=")[2].partition(";")[0]
    return datetime.strptime(date, "%a, %d-%b-%Y %H:%M:%S GMT").replace(tzinfo=UTC) - datetime.now(UTC)


@feature("pyramid-067")
@rows(
    "lifetime",
    [{"max_age": 3600}, {"expires": timedelta(hours=1)}, {"expires": 3600}],
    ids=["max_age", "delta", "seconds"],
)
def test_max_age_sets_expires_too(lifetime):
    response = Response()
    response.set_cookie("a", "b", **lifetime)
    assert "Max-Age=3600" in cookies(response)[0]
    assert timedelta(minutes=59) < expires_in(cookies(response)[0]) <= timedelta(hours=1)


@rows("zone", [UTC, None, "ahead"])
def test_expires_may_be_a_date(zone):
    from datetime import timezone

    until = datetime.now(timezone(timedelta(hours=5)) if zone == "ahead" else UTC) + timedelta(hours=1)
    response = Response()
    response.set_cookie("a", "b", expires=until.replace(tzinfo=None) if zone is None else until)
    assert timedelta(minutes=59) < expires_in(cookies(response)[0]) <= timedelta(hours=1)


@feature("pyramid-069")
@rows("seconds", [3600, timedelta(hours=1)])
def test_cache_expires_lets_caches_keep_a_response(seconds):
    response = Response()
    response.cache_expires(seconds, public=True)
    assert response.headers["Cache-Control"] == "max-age=3600, public"
    assert timedelta(minutes=59) < response.expires - datetime.now(UTC) <= timedelta(hours=1)
    response.cache_expires = 5
    assert response.headers["Cache-Control"] == "max-age=5"


@feature("pyramid-070")
@rows("seconds", [(), (0,), (True,)])
def test_a_response_that_caches_may_not_keep(seconds):
    response = Response()
    response.cache_expires(*seconds)
    assert response.headers["Cache-Control"] == "max-age=0, must-revalidate, no-cache, no-store"
    assert response.pragma == "no-cache"
    assert response.expires <= datetime.now(UTC)


@feature("pyramid-072")
@rows("keys, status", ({}, 200), ({"HTTP_IF_NONE_MATCH": "*"}, 304))
def test_conditions_are_honoured_if_that_is_wanted(keys, status):
    response = Response("body", etag="a", last_modified=MOMENT)
    assert called(response, environ(**keys))[0] == "200 OK"
    response.conditional_response = True
    sent, lines, body = called(response, environ(**keys))
    assert (int(sent[:3]), body) == (status, b"" if status == 304 else b"body")
    assert dict(lines)["ETag"] == '"a"'


@rows("status", [404, 500, 302])
def test_only_a_success_becomes_a_304(status):
    """RFC 9110 section 13.2.1; WebOb answers 304 where there is an error page with a tag."""
    response = Response("error", status, etag="a", conditional_response=True)
    assert called(response, environ(HTTP_IF_NONE_MATCH='"a"'))[2] == b"error"


def test_conditions_are_honoured_by_default_in_a_class_that_says_so():
    class Conditional(Response):
        default_conditional_response = True

    assert called(Conditional(etag="a"), environ(HTTP_IF_NONE_MATCH='"a"'))[0] == "304 Not Modified"


@feature("pyramid-073")
@rows("conditional", [True, False])
def test_head_is_answered_with_headers_alone(conditional):
    closed = []

    class Chunks:
        def __iter__(self):
            raise AssertionError("nothing is read")

        def close(self):
            closed.append(True)

    response = Response(app_iter=Chunks(), content_length=5, conditional_response=conditional)
    status, lines, body = called(response, environ(REQUEST_METHOD="HEAD"))
    assert (status, dict(lines)["Content-Length"], body, closed) == ("200 OK", "5", b"", [True])


@feature("pyramid-074")
@rows(
    "asked, status, content_range, body",
    ("bytes=2-4", 206, "bytes 2-4/10", b"234"),
    ("bytes=8-", 206, "bytes 8-9/10", b"89"),
    ("bytes=-3", 206, "bytes 7-9/10", b"789"),
    ("bytes=-99", 206, "bytes 0-9/10", b"0123456789"),
    ("bytes=5-99", 206, "bytes 5-9/10", b"56789"),
    ("bytes=10-", 416, "bytes */10", None),
    ("bytes=1-2,4-5", 200, None, b"0123456789"),
    ("bytes=-", 200, None, b"0123456789"),
    ("bytes=x", 200, None, b"0123456789"),
)
@rows("app_iter", [[b"0123456789"], [b"0", b"1234", b"", b"56789"], BytesIO(b"0123456789")])
def test_ranges(asked, status, content_range, body, app_iter):
    response = Response(app_iter=app_iter, content_length=10, conditional_response=True)
    if isinstance(app_iter, BytesIO):
        response.app_iter, response.content_length = BytesIO(app_iter.getvalue()), 10
    sent, lines, content = called(response, environ(HTTP_RANGE=asked))
    assert (int(sent[:3]), dict(lines).get("Content-Range")) == (status, content_range)
    assert dict(lines)["Content-Length"] == str(len(content))
    assert body is None or content == body


@feature("pyramid-080")
def test_a_class_has_a_default_content_type():
    class Plain(Response):
        default_content_type = "text/plain"
        default_charset = "latin-1"

    class Bare(Response):
        default_content_type = None

    assert (Plain("\u00fc").headers["Content-Type"], Plain("\u00fc").body) == ("text/plain; charset=latin-1", b"\xfc")
    assert (Bare(b"x").content_type, Response().content_type) == (None, "text/html")

"""Responses, as the document has them, where no comparison with WebOb shows it."""

from datetime import UTC, datetime, timedelta

import pytest

from antiphon.dialects.webob import Response
from tests.dialects.werkzeug.environs import called, environ
from tests.helpers.rows import rows

feature = pytest.mark.feature


def cookies(response):
    return response.headers.getall("Set-Cookie")


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


@rows("status", [404, 500, 302])
def test_only_a_success_becomes_a_304(status):
    """RFC 9110 section 13.2.1; WebOb answers 304 where there is an error page with a tag."""
    response = Response("error", status, etag="a", conditional_response=True)
    assert called(response, environ(HTTP_IF_NONE_MATCH='"a"'))[2] == b"error"

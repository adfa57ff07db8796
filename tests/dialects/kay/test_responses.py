"""What the document says of responses, where Werkzeug says something else today."""

from datetime import UTC, datetime, timedelta

import pytest

from antiphon.dialects.kay import BaseResponse, Request, Response
from antiphon.dialects.kay import werkzeug as old
from antiphon.dialects.werkzeug.datastructures import WWWAuthenticate
from antiphon.dialects.werkzeug.exceptions import MethodNotAllowed, NotFound
from tests.dialects.werkzeug.environs import called, environ
from tests.helpers.rows import rows

MOMENT = datetime(1994, 11, 6, 8, 49, 37)
WRITTEN = "Sun, 06 Nov 1994 08:49:37 GMT"


def sent(response, **keys):
    return response.get_wsgi_headers(environ(**keys))


@pytest.mark.feature("kay-158")
def test_a_realm_is_in_quotes():
    response = Response()
    response.www_authenticate.set_basic("here")
    assert response.headers["WWW-Authenticate"] == 'Basic realm="here"'
    response.www_authenticate.realm = 'a "b"'
    assert response.www_authenticate.realm == 'a "b"'
    response.www_authenticate = [WWWAuthenticate("bearer", {"realm": "a", "scope": "b"}), WWWAuthenticate("negotiate")]
    assert response.headers.getlist("WWW-Authenticate") == ['Bearer realm="a", scope=b', "Negotiate"]
    response.www_authenticate = WWWAuthenticate("digest", {"realm": "a", "stale": "TRUE"})
    assert response.headers["WWW-Authenticate"] == 'Digest realm="a", stale=TRUE'


@pytest.mark.feature("kay-133")
def test_earlier_names_of_the_headers():
    response = Response("a", headers=[("Location", "x"), ("X-A", "b")])
    assert response.header_list == list(response.headers)
    response.fix_headers(environ(SCRIPT_NAME="/app"))
    assert response.header_list == list(sent(response, SCRIPT_NAME="/app"))
    assert dict(response.header_list)["Location"] == "http://example.com:8000/app/x"


@pytest.mark.feature("kay-148")
@rows(
    "value, written, read",
    (120, "120", 120),
    ("120", "120", 120),
    (timedelta(minutes=2), "120", 120),
    (MOMENT, WRITTEN, MOMENT),
    (MOMENT.replace(tzinfo=UTC), WRITTEN, MOMENT),
)
def test_retry_after_is_seconds_or_a_moment(value, written, read):
    response = Response(status=503)
    response.retry_after = value
    assert (response.headers["Retry-After"], response.retry_after) == (written, read)
    response.retry_after = None
    assert response.retry_after is None
    assert "Retry-After" not in response.headers


@pytest.mark.feature("kay-134", "kay-184")
@rows(
    "location, whole",
    ("/b", "http://example.com:8000/b"),
    ("b", "http://example.com:8000/app/b"),
    ("?a=b", "http://example.com:8000/app/?a=b"),
    ("//other/b", "http://other/b"),
    ("https://other/b", "https://other/b"),
    ("/\u00fc?a=\u00fc", "http://example.com:8000/%C3%BC?a=%C3%BC"),
)
def test_location_is_joined_with_the_root(location, whole):
    response = Response(status=302)
    response.location = location
    response.content_location = "/\u00fc"
    headers = sent(response, SCRIPT_NAME="/app")
    assert (headers["Location"], headers["Content-Location"]) == (whole, "/%C3%BC")
    assert response.location == location
    assert ("Location", whole) in called(response, environ(SCRIPT_NAME="/app"))[1]


@pytest.mark.feature("kay-139", "kay-182")
def test_iter_encoded_takes_a_charset_and_has_its_own():
    class Latin(Response):
        charset = "latin-1"

    assert Response.charset == "utf-8"
    response = Latin(["\u00fc", b"b"])
    assert list(response.iter_encoded(None)) == [b"\xfc", b"b"]
    with pytest.warns(DeprecationWarning, match="charset"):
        assert list(response.iter_encoded("utf-8")) == [b"\xfc", b"b"]
    assert called(response, environ())[2] == b"\xfcb"
    assert response.content_type == "text/plain; charset=latin-1"


@pytest.mark.feature("kay-125", "kay-161", "kay-183")
def test_exceptions_give_a_base_response_that_can_be_made_a_custom_one():
    class Custom(Response):
        pass

    plain = NotFound().get_response(environ())
    assert isinstance(plain, BaseResponse)
    assert not isinstance(plain, Response)
    assert not isinstance(object(), BaseResponse)
    assert Custom.force_type(plain) is plain
    assert isinstance(plain, Custom)
    assert next(plain.iter_encoded(None)).startswith(b"<!doctype html>")
    assert Custom.force_type(MethodNotAllowed(["GET"]), environ()).allow == {"GET"}


@pytest.mark.feature("kay-180")
def test_names_at_the_top():
    for name in ("AcceptMixin", "Client", "EnvironBuilder", "Headers", "MultiDict", "responder", "wrap_file", "abort"):
        assert getattr(old, name).__name__ == name
    assert (old.Request, old.Response) == (Request, Response)
    assert old.FormDataParser is Request.form_data_parser_class
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        old.nothing_of_this_name  # noqa: B018


def test_retry_after_can_be_deleted():
    response = Response(headers={"Retry-After": "5"})
    del response.retry_after
    assert "Retry-After" not in response.headers

import pytest

from antiphon.http.headers import Headers
from antiphon.http.urls.url import URL
from antiphon.testing.requests import compose
from antiphon.testing.responses import ClientResponse
from antiphon.testing.servers.exchange import Head
from tests.helpers.rows import rows


def response(body=b"", status=200, headers=()):
    request = compose("GET", "/x", {}, base=URL("http://testserver"), headers=Headers(), http_version="1.1")
    return ClientResponse(request, Head(status, Headers(headers)), [], body)


def test_text_that_is_none_is_an_error():
    with pytest.raises(UnicodeDecodeError):
        response(b"\xff").text  # noqa: B018


@rows("body", [b"", b"{", b"\xff"])
def test_what_is_no_json_is_an_error_that_names_the_response(body):
    with pytest.raises(
        ValueError, match=r"^<ClientResponse 200 OK: GET http://testserver/x> is not JSON: the "
    ) as caught:
        response(body).json  # noqa: B018
    assert "400" not in str(caught.value)


def test_cookies_are_read_from_every_line():
    got = response(headers=[("set-cookie", "a=1; Path=/; HttpOnly"), ("set-cookie", "b=2; Max-Age=3")])
    assert got.cookies == {"a": "1", "b": "2"}
    assert (got.set_cookies[0].path, got.set_cookies[0].httponly, got.set_cookies[1].max_age) == ("/", True, 3)


def test_what_is_often_asked_for_has_a_name():
    got = response(status=303, headers=[("location", "/y"), ("content-type", "text/html")])
    assert (got.reason, got.location, got.content_type, got.url.path) == ("See Other", "/y", "text/html", "/x")
    assert (response().location, response().content_type) == (None, None)


@rows("body", [b"{}", b"[1]"])
def test_json_that_is_called_as_in_other_clients_says_what_to_write(body):
    with pytest.raises(TypeError, match=r"response\.json is an attribute, not a method: leave out the \(\)"):
        response(body).json()

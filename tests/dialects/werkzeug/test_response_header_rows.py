"""What the documents say of the headers of a response, where no comparison with Werkzeug shows it."""

import pytest

from antiphon.dialects.werkzeug.wrappers import Response
from tests.dialects.werkzeug.environs import called, environ, fields
from tests.helpers.rows import rows


@pytest.mark.feature("kay-103")
def test_a_status_with_a_line_end_is_refused():
    with pytest.raises(ValueError, match="control characters"):
        Response(status="200 OK\r\nX-Bad: 1")


@rows("status", ["abc", 0, 99, 1000, -200])
def test_a_status_without_a_code_of_three_digits_is_not_sent(status):
    with pytest.raises(ValueError, match="code of three digits"):
        called(Response("body", status=status), environ())


def test_headers_that_a_subclass_changes_are_sent():
    class Own(Response):
        def get_wsgi_headers(self, environ):
            headers = super().get_wsgi_headers(environ)
            headers["X-Own"] = "yes"
            return headers

    assert fields(Own("text"))["X-Own"] == "yes"


@pytest.mark.feature("kay-158")
def test_changes_of_the_challenge_are_sent():
    from antiphon.dialects.werkzeug.datastructures import WWWAuthenticate

    response = Response(status=401)
    response.www_authenticate = WWWAuthenticate("basic", {"realm": "here"})
    assert response.headers["WWW-Authenticate"] == "Basic realm=here"
    response.www_authenticate.realm = "over there"
    assert response.headers["WWW-Authenticate"] == 'Basic realm="over there"'
    response.www_authenticate = [WWWAuthenticate("basic", {"realm": "a"}), WWWAuthenticate("bearer", {"realm": "b"})]
    assert len(response.headers.getlist("WWW-Authenticate")) == 2
    del response.www_authenticate
    assert "WWW-Authenticate" not in response.headers


def test_a_range_that_is_not_there_is_refused():
    from antiphon.dialects.werkzeug.exceptions import RequestedRangeNotSatisfiable

    for wanted in ("bytes=10-", "bytes=x"):
        with pytest.raises(RequestedRangeNotSatisfiable) as raised:
            Response("text").make_conditional(environ(HTTP_RANGE=wanted), accept_ranges=True, complete_length=4)
        assert raised.value.length == 4

"""What the documents say of a response, where no comparison with Werkzeug shows it."""

from io import BytesIO

import pytest

from antiphon.dialects.werkzeug import wsgi
from antiphon.dialects.werkzeug.wrappers import Response
from antiphon.dialects.werkzeug.wsgi import FileWrapper
from tests.dialects.werkzeug.environs import called, environ, fields
from tests.helpers.rows import rows


@pytest.mark.feature("kay-096", "kay-097")
def test_what_is_passed_through_is_given_as_it_is():
    assert Response().direct_passthrough is False
    wrapped = wsgi.wrap_file(environ(), BytesIO(b"content"))
    assert isinstance(wrapped, FileWrapper)
    response = Response(wrapped, direct_passthrough=True)
    assert response.get_app_iter(environ()) is wrapped
    assert b"".join(wrapped) == b"content"
    with pytest.raises(RuntimeError, match="direct passthrough"):
        response.get_data()


@pytest.mark.feature("kay-156")
def test_the_stream_writes_to_the_body():
    response = Response("a")
    assert response.stream.write(b"bc") == 2
    response.stream.writelines([b"d", b"e"])
    assert response.stream.tell() == 5
    assert called(response, environ())[1:] == (
        [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "5")],
        b"abcde",
    )
    response.stream.close()
    with pytest.raises(ValueError, match="closed"):
        response.stream.write(b"f")


def test_json():
    assert Response('{"a": [1]}', mimetype="application/json").json == {"a": [1]}
    assert Response('{"a": [1]}').json is None
    assert Response("{", mimetype="application/x+json").get_json(silent=True) is None
    with pytest.raises(ValueError, match="Expecting"):
        Response("{").get_json(force=True)


def test_the_stream_of_a_response_is_like_a_file():
    response = Response(("a", "b"))
    stream = response.stream
    stream.flush()
    assert (stream.isatty(), stream.encoding, stream.tell()) == (False, "utf-8", 2)
    response.make_sequence()
    stream.write(b"c")
    assert response.response == ["a", "b", b"c"]
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        stream.isatty()


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

"""An environ made from a head is what a WSGI server would have made; a WSGI application answers as a handler."""

import asyncio
import io
import sys
from contextlib import suppress
from wsgiref.validate import validator

import pytest

from antiphon import Request, to_app
from antiphon.adapters.foreign.wsgi import from_wsgi, head_environ, make_environ
from antiphon.adapters.wsgi import WSGIHead
from antiphon.http.head import Address, DerivedHead, RequestHead
from antiphon.testing import Client
from tests.helpers.observed_values import SyncValues
from tests.helpers.rows import rows

HEADERS = [
    ("host", "example.com:8080"),
    ("accept", "a"),
    ("accept", "b"),
    ("cookie", "a=1"),
    ("cookie", "b=2"),
    ("x_forwarded_for", "forged"),
    ("x-forwarded-for", "10.0.0.1"),
    ("content-type", "text/plain"),
    ("content-length", "5"),
]


@pytest.fixture
def environ():
    head = RequestHead(
        "POST", "/café/ü", b"a=%20", HEADERS, b"hello", scheme="https", authority="example.com:8080", root_path="/äpp",
        raw_path=b"/%C3%A4pp/caf%C3%A9/%C3%BC", http_version="2", client=Address("::1", 5000),
    )  # fmt: skip
    return make_environ(Request(head))


def test_an_environ_has_the_host_of_a_target_that_is_a_whole_url(servers):
    given = servers.environ(HTTP_HOST="other.example", RAW_URI="http://example.com/x", path="/x")
    assert make_environ(Request(WSGIHead(given)))["HTTP_HOST"] == "example.com"
    assert given["HTTP_HOST"] == "other.example"


@rows("url, host", [("http://example.com:8080/x", "example.com:8080"), ("/x", "localhost")])
def test_an_environ_of_a_request_without_a_server_has_a_host(url, host):
    assert make_environ(Request.blank(url))["HTTP_HOST"] == host


@rows(
    "key, value",
    ("REQUEST_METHOD", "POST"),
    ("SCRIPT_NAME", "/\xc3\xa4pp"),
    ("PATH_INFO", "/caf\xc3\xa9/\xc3\xbc"),
    ("QUERY_STRING", "a=%20"),
    ("REQUEST_URI", "/%C3%A4pp/caf%C3%A9/%C3%BC?a=%20"),
    ("SERVER_NAME", "example.com"),
    ("SERVER_PORT", "8080"),
    ("SERVER_PROTOCOL", "HTTP/2"),
    ("REMOTE_ADDR", "::1"),
    ("REMOTE_PORT", "5000"),
    ("CONTENT_TYPE", "text/plain"),
    ("CONTENT_LENGTH", "5"),
    ("HTTP_HOST", "example.com:8080"),
    ("HTTP_ACCEPT", "a, b"),
    ("HTTP_COOKIE", "a=1; b=2"),
    ("HTTP_X_FORWARDED_FOR", "10.0.0.1"),
    ("wsgi.url_scheme", "https"),
)
def test_an_environ_has(environ, key, value):
    assert environ[key] == value


@rows(
    "root_path, path, raw_path, path_info",
    ("", "/caf\xe9", b"/caf%C3%A9", "/caf\xc3\xa9"),
    ("", "/\ufffd", b"/%FF", "/\xff"),
    ("/shop", "/\ufffd/x", b"/shop/%FF/x", "/\xff/x"),
    ("/a/b", "/c/\ufffd", b"/a%2Fb/c%2F%E2%82", "/c/\xe2\x82"),
    ("/\ufffd", "/\ufffd", b"/%FE/%FF", "/\xff"),
    ("", "/\ufffd", b"/%EF%BF%BD", "/\xef\xbf\xbd"),
    ("", "/\ufffd", None, "/\xef\xbf\xbd"),
    ("", "/rewritten/\ufffd", b"/%FF", "/rewritten/\xef\xbf\xbd"),
)
def test_a_path_has_the_bytes_that_were_sent_where_they_are_known(root_path, path, raw_path, path_info):
    head = RequestHead(path=path, root_path=root_path, raw_path=raw_path)
    assert make_environ(Request(head))["PATH_INFO"] == path_info
    given = {**make_environ(Request(head)), "PATH_INFO": path_info, "SCRIPT_NAME": ""}
    assert head_environ(DerivedHead(WSGIHead(given)))["PATH_INFO"] == path_info


def test_a_body_in_chunks_gets_a_length():
    request = Request(RequestHead("POST", headers=[("transfer-encoding", "chunked")], content=b"abc"))
    environ = make_environ(request)
    assert environ["CONTENT_LENGTH"] == "3"
    assert "HTTP_TRANSFER_ENCODING" not in environ
    assert environ["wsgi.input"].read() == b"abc"


def test_under_a_wsgi_server_it_is_the_server_s_own_with_the_body_unread():
    own = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/", "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http",
        "CONTENT_LENGTH": "5", "wsgi.input": io.BytesIO(b"hello"), "server.special": "kept",
    }  # fmt: skip
    request = Request(WSGIHead(own))
    assert request.body == b"hello"
    environ = make_environ(request)
    assert environ["server.special"] == "kept"
    assert environ["wsgi.input"].read() == b"hello"
    assert own["wsgi.input"].read() == b""


def hello(environ, start_response):
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
    start_response("201 Created", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return [environ["PATH_INFO"].encode(), b" ", body]


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_a_wsgi_application_answers_over_every_interface(interface):
    client = Client(to_app(from_wsgi(validator(hello))), interface=interface)
    response = client.post("/path", body=b"hello", content_type="text/plain")
    assert (response.status, response.text) == (201, "/path hello")
    assert [cookie.name for cookie in response.set_cookies] == ["a", "b"]


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_its_body_is_closed_when_the_client_leaves(interface):
    chunks = SyncValues(iter(lambda: b"more", None))

    def endless(environ, start_response):
        start_response("200 OK", [])
        return chunks

    with Client(to_app(from_wsgi(endless)), interface=interface) as client, client.stream("GET", "/") as response:
        assert next(iter(response)) == b"more"
    assert chunks.closed == 1


def test_a_body_in_one_chunk_of_the_declared_length_is_sent_at_once_and_then_closed(servers):
    """It has no second way through the thread, on which a small response would wait for the threads of others."""
    sent, chunks = [], SyncValues([b"hello"])

    def whole(environ, start_response):
        start_response("200 OK", [("Content-Length", "5")])
        return chunks

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        sent.append((message["type"], message.get("body"), message.get("more_body"), chunks.closed))

    asyncio.run(to_app(from_wsgi(whole))(servers.scope(), receive, send))
    assert sent == [("http.response.start", None, None, 0), ("http.response.body", b"hello", None, 0)]
    assert (next(chunks, "ended"), chunks.closed) == ("ended", 1)


def test_it_may_start_with_its_first_chunk_and_write():
    def late(environ, start_response):
        write = start_response("200 OK", [])
        write(b"written ")
        yield b"yielded"

    assert Client(to_app(from_wsgi(late))).get("/").body == b"written yielded"


def failing(after):
    """An application that answers 200, and at its failure 500: with ``exc_info``, as error pages of WSGI do."""

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/csv")])
        try:
            yield from after
            raise LookupError("no more rows")
        except LookupError:
            start_response("500 Internal Server Error", [("Content-Type", "text/html")], sys.exc_info())
            yield b"<h1>Internal Server Error</h1>"

    return application


def test_whitespace_around_a_value_is_left_out():
    """WSGI servers send it, and it is no part of the value (RFC 9110 §5.5)."""

    def application(environ, start_response):
        start_response("200 OK", [("X-Policy", "default-src 'self'; "), ("X-Empty", " ")])
        return [b"ok"]

    headers = Client(to_app(from_wsgi(application)), "asgi").get("/").headers
    assert (headers["x-policy"], headers["x-empty"]) == ("default-src 'self';", "")


def test_exc_info_replaces_the_head_that_was_not_taken_yet():
    response = from_wsgi(failing(after=[]))(Request.blank())
    assert (response.status, response.headers["content-type"]) == (500, "text/html")
    assert b"".join(response.body) == b"<h1>Internal Server Error</h1>"


def test_exc_info_is_raised_once_the_head_is_taken():
    response = from_wsgi(failing(after=[b"row 1\n"]))(Request.blank())
    assert (response.status, response.headers["content-type"]) == (200, "text/csv")
    chunks = iter(response.body)
    assert next(chunks) == b"row 1\n"
    with pytest.raises(LookupError, match="no more rows") as error:
        next(chunks)
    assert "application" in [entry.name for entry in error.traceback]
    assert (response.status, response.headers["content-type"]) == (200, "text/csv")


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_a_response_that_fails_midway_is_cut_off_and_logged(interface, caplog):
    client = Client(to_app(from_wsgi(failing(after=[b"row 1\n"]))), interface=interface)
    received = []
    with suppress(Exception), client.stream("GET", "/") as response:  # as the server does that is played
        received.extend(response)
    assert b"".join(received) in (b"", b"row 1\n")
    assert [record.exc_info[0] for record in caplog.records if record.exc_info][:1] == [LookupError]


def test_a_second_start_without_exc_info_is_refused():
    def twice(environ, start_response):
        start_response("200 OK", [])
        start_response("200 OK", [])
        return []

    with pytest.raises(RuntimeError, match="a second time, without exc_info"):
        from_wsgi(twice)(Request.blank())


def test_one_that_fails_or_never_starts_is_closed_and_answered_with_500(caplog):
    chunks = SyncValues([b"body"])
    client = Client(to_app(from_wsgi(lambda environ, start_response: chunks)))
    assert client.get("/").status == 500
    assert chunks.closed == 1
    assert "without calling start_response" in caplog.text

"""Requests that are sent: to applications in this process, to servers, and as messages."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket

import pytest

from antiphon.dialects.webob import Request
from antiphon.dialects.webob.client import SendRequest
from tests.dialects.werkzeug.environs import URLENCODED, environ
from tests.helpers.rows import rows


def answering(body, error=None, written=()):
    def application(_environ, start_response):
        write = start_response("500 Oops" if error else "200 OK", [("X-A", "b")], error)
        for chunk in written:
            write(chunk)
        return body

    return application


def test_an_application_may_start_when_it_is_read():
    def application(_environ, start_response):
        start_response("200 OK", [])
        yield b"late"

    assert Request(environ()).get_response(application).body == b"late"


def test_an_error_that_is_answered_is_raised_or_caught():
    error = ValueError("broken")
    application = answering([b"sorry"], (ValueError, error, None))
    made = Request(environ())
    with pytest.raises(ValueError, match="broken"):
        made.call_application(application)
    with pytest.raises(ValueError, match="broken"):
        made.send(application)
    status, _, body, caught = made.call_application(application, catch_exc_info=True)
    assert (status, [*body], caught[1]) == ("500 Oops", [b"sorry"], error)
    assert made.send(application, catch_exc_info=True).status_code == 500
    assert made.call_application(answering([]), catch_exc_info=True)[3] is None


class Echo(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sent = f"{self.command} {self.path} {self.headers['Host']} {self.headers['Content-Type']} {body.decode()}"
        self.send_response(201, "Made")
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.end_headers()
        self.wfile.write(sent.encode())

    def do_GET(self):
        """Say nothing."""
        self.server.is_over.wait(20)

    def log_message(self, *_):
        """Log nothing."""


@pytest.fixture(scope="module")
def port():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.is_over = threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.is_over.set()
    server.shutdown()
    thread.join(5)
    server.server_close()


def test_a_request_is_sent_to_the_server_that_it_names(port):
    made = Request.blank(f"http://127.0.0.1:{port}/a%20b?c=d", POST={"n": "\xfc"}, headers={"Host": "example.com"})
    answer = made.send()
    assert answer.status == "201 Made"
    assert answer.text == f"POST /a%20b?c=d example.com {URLENCODED} n=%C3%BC"
    assert answer.headers.getall("set-cookie") == ["a=1", "b=2"]


def test_a_server_that_is_too_slow_is_a_504(port):
    made = Request.blank(f"http://127.0.0.1:{port}/")
    made.environ["webob.client.timeout"] = 0.1
    assert made.send().status_code == 504


def test_a_server_that_is_not_there_is_a_502():
    with socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = Request.blank(f"http://127.0.0.1:{unused.getsockname()[1]}/").send()
    assert (answer.status_code, "refused" in answer.text) == (502, True)


def test_a_server_that_has_no_name_is_an_error():
    with pytest.raises(ValueError, match="ftp"):
        SendRequest()(environ(wsgi__url_scheme="ftp"), None)
    with pytest.raises(ValueError, match="neither SERVER_NAME"):
        SendRequest()(environ(SERVER_NAME=None, HTTP_HOST=None), None)


# As messages

MESSAGE = b"POST /a?b=c HTTP/1.1\r\nContent-Length: 7\r\nHost: example.com\r\nX-A: b, c\r\n\r\nthe \xc3\xa4\xc3"


def test_a_message_is_read_and_written():
    message = MESSAGE[:-1].replace(b"7", b"6")
    made = Request.from_bytes(message)
    assert (made.method, made.url, made.http_version, made.headers["x-a"]) == (
        "POST", "http://example.com/a?b=c", "HTTP/1.1", "b, c",
    )  # fmt: skip
    assert (made.text, made.as_bytes()) == ("the \xe4", message)
    assert Request.from_text(message.decode()).as_text() == str(made) == message.decode()


def test_the_body_may_be_left_out():
    made = Request(environ(b"some text"))
    assert made.as_bytes().endswith(b"\r\n\r\nsome text")
    assert b"\r\n\r\n" not in made.as_bytes(skip_body=True)
    assert made.as_bytes(skip_body=5).endswith(b"\r\n\r\n<body skipped (len=9)>")
    assert made.as_bytes(skip_body=9).endswith(b"\r\n\r\nsome text")
    assert made.as_text(skip_body=5).endswith("(len=9)>")


@rows("content_type", ["image/png", "text/plain; charset=zlib"])
def test_any_request_can_be_printed(content_type):
    made = Request(environ(b"\xff\xc3\xa4", CONTENT_TYPE=content_type))
    with pytest.raises((UnicodeDecodeError, LookupError)):
        made.as_text()
    assert str(made).endswith("\ufffd\xe4")


@rows(
    "message",
    b"", b"GET /\r\n\r\n", b"GET ftp://host/ HTTP/1.0\r\n\r\n", b"GET http://host/#part HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.0\r\nno colon\r\n\r\n", b"GET / HTTP/1.0\r\nContent-Length: 1\r\n\r\nab",
)  # fmt: skip
def test_malformed_messages_are_refused(message):
    with pytest.raises(ValueError, match=r"Bad HTTP|Unknown scheme|fragment|Invalid header|more data"):
        Request.from_bytes(message)


@rows(
    "body, content_type",
    ("n=ä".encode("latin-1"), f"{URLENCODED}; charset=latin-1"),
    (b"n=%E4", f"{URLENCODED}; charset=latin-1"),
    (
        '--b\r\nContent-Disposition: form-data; name="n"\r\n\r\nä\r\n--b\r\nContent-Disposition: form-data; '
        'name="f"; filename="ä"\r\n\r\ncontent\r\n--b--\r\n'.encode("latin-1"),
        "multipart/form-data; boundary=b; charset=latin-1",
    ),
)
def test_a_request_in_another_charset_is_transcoded(body, content_type):
    made = Request(environ(body, QUERY_STRING="q=%E4", CONTENT_TYPE=content_type))
    decoded = made.decode()
    assert (decoded.charset, decoded.POST["n"], decoded.GET["q"]) == ("UTF-8", "ä", "ä")
    assert (made.body, made.charset) == (body, "latin-1")
    if "f" in decoded.POST:
        assert (decoded.POST["f"].filename, decoded.POST["f"].value) == ("ä", b"content")
    assert decoded.decode() is decoded


def test_what_can_t_be_transcoded_is_an_error_unless_told():
    made = Request(environ(QUERY_STRING="q=%E4"))
    with pytest.raises(UnicodeDecodeError):
        made.decode("ascii")
    assert made.decode("ascii", "replace").GET["q"] == "\ufffd"
    with pytest.raises(LookupError, match="charset"):
        made.decode("zlib")

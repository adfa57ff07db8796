"""Requests that are malformed or too large, and how each of them is refused."""

from typing import NamedTuple

from tests.contract.process import ServerProcess
from tests.contract.wire import AUTHORITY, Closed, SentRequest

MIB = 1 << 20
FORM = "application/x-www-form-urlencoded"
CLOSED = "closed"
"""The outcome where a server refuses a request without an answer."""

_TEXT = b"GET /def/text HTTP/1.1"
_ECHO = b"POST /def/echo HTTP/1.1"
_HOST = f"Host: {AUTHORITY}".encode()
_CHUNKED = b"Transfer-Encoding: chunked"


class BadInput(NamedTuple):
    """Bytes to send on a connection of their own; ``usual`` is the status that most servers answer.

    The client half-closes the connection after them if ``ends``.
    """

    name: str
    usual: int
    message: bytes
    ends: bool = False

    def outcome(self, server: ServerProcess) -> str:
        """Return the status of the response, or ``CLOSED``. Raises AssertionError if the body has a traceback."""
        with server.connect() as connection:
            connection.send(self.message)
            if self.ends:
                connection.end_sending()
            try:
                response = connection.receive()
            except Closed:
                return CLOSED
        assert b"Traceback" not in response.body, response.body
        return str(response.status)


def _get(name: str, usual: int, target: str, *fields: tuple[str, str]) -> BadInput:
    return BadInput(name, usual, SentRequest("GET", target, fields).encoded)


def _post(name: str, usual: int, path: str, content_type: str, body: bytes) -> BadInput:
    return BadInput(name, usual, SentRequest("POST", path, (("Content-Type", content_type),), body).encoded)


def _lines(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([*lines, b"", body])


BAD_INPUTS: tuple[BadInput, ...] = (
    _get("A broken escape in the path", 400, "/def/text%zz"),
    _get("A broken escape in a path's parameter", 400, "/def/path/a%zz"),
    _get("A path that is not UTF-8", 400, "/def/text%ff"),
    _get("A path's parameter that is not UTF-8", 400, "/def/path/%ff"),
    _get("NUL in the path", 400, "/def/text%00"),
    _get("NUL in a path's parameter", 400, "/def/path/a%00b"),
    _get("A path with bytes that are not escaped", 400, "/def/path/\xff"),
    _get("A path with a NUL that is not escaped", 400, "/def/path/a\0b"),
    _get("A query of 200 KiB", 414, f"/def/args?{'q' * (200 << 10)}"),
    BadInput("A method that nobody knows", 405, SentRequest("BREW", "/def/text").encoded),
    _get("A header of 1 MiB", 431, "/def/text", ("X-Large", "x" * MIB)),
    _get("10,000 headers of 1 MiB", 431, "/def/text", *((f"X-{number:05}", "x" * 96) for number in range(10_000))),
    BadInput("NUL in a header", 400, _lines(_TEXT, _HOST, b"X-Value: a\0b")),
    BadInput("A header that is folded", 400, _lines(_TEXT, _HOST, b"X-Value: a", b" b")),
    BadInput("A header without a colon", 400, _lines(_TEXT, _HOST, b"X-Value")),
    BadInput("A space before the colon of a header", 400, _lines(_TEXT, _HOST, b"X-Value : a")),
    BadInput("No Host", 400, _lines(_TEXT)),
    BadInput("Two Hosts", 400, _lines(_TEXT, _HOST, b"Host: other.example")),
    BadInput("A Host that cannot be one", 400, _lines(_TEXT, b"Host: a b/c@")),
    BadInput("A Host with userinfo", 400, _lines(_TEXT, b"Host: user:password@" + AUTHORITY.encode())),
    BadInput("A target with userinfo", 400,
             _lines(f"GET http://user@{AUTHORITY}/def/text HTTP/1.1".encode(), _HOST)),
    BadInput("A negative Content-Length", 400, _lines(_ECHO, _HOST, b"Content-Length: -1")),
    BadInput("A Content-Length that is not a number", 400, _lines(_ECHO, _HOST, b"Content-Length: 1x", body=b"a")),
    BadInput("Two Content-Lengths", 400,
             _lines(_ECHO, _HOST, b"Content-Length: 1", b"Content-Length: 2", body=b"ab")),
    BadInput("Content-Length beside chunks", 400,
             _lines(_ECHO, _HOST, b"Content-Length: 0", _CHUNKED, body=b"5\r\nhello\r\n0\r\n\r\n")),
    BadInput("A chunk without a size", 400, _lines(_ECHO, _HOST, _CHUNKED, body=b"xyz\r\n\r\n")),
    BadInput("A body that ends early", 400, _lines(_ECHO, _HOST, b"Content-Length: 10", body=b"half"), ends=True),
    BadInput("Chunks that end early", 400, _lines(_ECHO, _HOST, _CHUNKED, body=b"a\r\nhalf"), ends=True),
    _post("A form of 100,000 fields", 413, "/def/form", FORM, b"&".join([b"a=1"] * 100_000)),
    _post("Malformed JSON", 400, "/def/json", "application/json", b"{"),
    _post("JSON that is not UTF-8", 400, "/def/json", "application/json", b'"\xff"'),
    BadInput("Something other than HTTP", 400, b"\x16\x03\x01 garbage\r\n\r\n"),
    BadInput("A request line without a version", 400, _lines(b"GET /def/text", _HOST)),
    BadInput("A version that does not exist", 400, _lines(b"GET /def/text HTTP/9.9", _HOST)),
)  # fmt: skip

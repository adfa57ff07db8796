"""Malformed requests, of the kinds that parsers of HTTP/1.1 are tested with, and how each is answered.

``HIDDEN`` is a request at a place where only a wrong reading finds it, ``X-Hidden`` such a field.
"""

from typing import NamedTuple

REFUSED = "refused"
"""The outcome of a request that is answered by an error, or by the end of the connection."""
UNDERSTOOD = "a body of 'hello'"
NEXT_TOO = "{}, then the next request"
"""The outcome of a body whose end is known, as it is chunked, but whose content has a second coding."""

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
CHUNK = b"5\r\nhello\r\n0\r\n\r\n"
_CLOSE = b"\r\nConnection: close\r\n\r\n"
_POST = b"POST /seen HTTP/1.1\r\nHost: a\r\n"


class Malformed(NamedTuple):
    """A request, and its outcome. ``cut`` is that where a server takes the chunks before a bad one for the body."""

    name: str
    sent: bytes
    outcome: str = REFUSED
    cut: str | None = None


def _head(name: str, fields: bytes) -> Malformed:
    return Malformed(name, b"GET /seen HTTP/1.1\r\nHost: a\r\n" + fields + _CLOSE)


def _line(name: str, line: bytes) -> Malformed:
    return Malformed(name, line + b"\r\nHost: a" + _CLOSE)


def _length(name: str, fields: bytes) -> Malformed:
    return Malformed(name, _POST + fields + b"\r\n\r\nhello" + HIDDEN)


def _coding(name: str, fields: bytes, outcome: str = REFUSED) -> Malformed:
    return Malformed(name, _POST + fields + b"\r\n\r\n" + CHUNK + HIDDEN, outcome)


def _chunks(name: str, chunks: bytes, cut: str = "") -> Malformed:
    sent = _POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + HIDDEN
    return Malformed(name, sent, cut=f"a body of {cut!r}")


LINES = [
    _line("a version of the future", b"GET /seen HTTP/5.6"),
    _line("a version with one number", b"GET /seen HTTP/1"),
    _line("another protocol", b"GET /seen ICE/1.0"),
    _line("a protocol whose name ends in HTTP", b"GET /seen IHTTP/1.0"),
    _line("a version in lower case", b"GET /seen http/1.1"),
    _line("no version", b"GET /seen"),
    _line("a space in the path", b"GET /seen /hidden HTTP/1.1"),
    _line("a NUL in the path", b"GET /seen\0 HTTP/1.1"),
    _line("a control character in the path", b"GET /seen\x01 HTTP/1.1"),
    _line("a path without a slash", b"GET seen HTTP/1.1"),
    _line("an empty path", b"GET  HTTP/1.1"),
    _line("a method that is no token", b"G(T /seen HTTP/1.1"),
    _line("a NUL in the method", b"GE\0T /seen HTTP/1.1"),
    _line("a space before the method", b" GET /seen HTTP/1.1"),
    _line("two spaces before the path", b"GET  /seen HTTP/1.1"),
    _line("a tab before the path", b"GET\t/seen HTTP/1.1"),
    _line("a CR in the line", b"GET /seen HTTP/1.1\rX-Hidden: 1"),
    _line("an authority where a path belongs", b"GET a:80 HTTP/1.1"),
    _line("a line of TLS", b"\x16\x03\x01\x02\x00\x01\x00"),
]
FIELDS = [
    _head("a space before the colon", b"X-Hidden : 1"),
    _head("a tab before the colon", b"X-Hidden\t: 1"),
    _head("a name with a space", b"X Hidden: 1"),
    _head("no name", b": 1"),
    _head("no colon", b"X-Hidden"),
    _head("an at sign in a name", b"X@Hidden: 1"),
    _head("a control character in a name", b"X\x01Hidden: 1"),
    _head("a NUL in a name", b"X\0Hidden: 1"),
    _head("a letter that is not ASCII in a name", b"X\xffHidden: 1"),
    _head("a CR in a name", b"X-Some\r\x33\x35eep-Alive: 1"),
    _head("a NUL in a value", b"X-Seen: a\0b"),
    _head("a control character in a value", b"X-Seen: a\x01b"),
    _head("a CR alone between two fields", b"X-Seen: 1\rX-Hidden: 2"),
    _head("a CR alone after an empty value", b"X-Seen:\rX-Hidden: 2"),
    _head("a value in two lines", b"X-Seen: 1\r\n X-Hidden: 2"),
    _head("a colon in a line of its own", b"X-Seen\r\n : 1"),
    Malformed("a space before the first field", b"GET /seen HTTP/1.1\r\n Host: a" + _CLOSE),
    Malformed("no Host", b"GET /seen HTTP/1.1\r\nX-Seen: 1" + _CLOSE),
    Malformed("two Hosts", b"GET /seen HTTP/1.1\r\nHost: a\r\nHost: b" + _CLOSE),
    Malformed("a Host with a user", b"GET /seen HTTP/1.1\r\nHost: a@b" + _CLOSE),
    Malformed("a Host with a space", b"GET /seen HTTP/1.1\r\nHost: a b" + _CLOSE),
    Malformed("a Host with a path", b"GET /seen HTTP/1.1\r\nHost: a/hidden" + _CLOSE),
]
LENGTHS = [
    _length("a length with a sign", b"Content-Length: +5"),
    _length("a negative length", b"Content-Length: -5"),
    _length("a hexadecimal length", b"Content-Length: 0x5"),
    _length("a length with an underscore", b"Content-Length: 0_5"),
    _length("a length with a space inside", b"Content-Length: 4 0"),
    _length("a length with a letter", b"Content-Length: 5a"),
    _length("an empty length", b"Content-Length:"),
    _length("a length beyond 64 bits", b"Content-Length: 18446744073709551621"),
    _length("two lengths", b"Content-Length: 5\r\nContent-Length: 38"),
    _length("two lengths in one line", b"Content-Length: 5, 38"),
    _length("a space before the colon of the length", b"Content-Length : 38"),
    _length("a length after a bare CR", b"X-Seen: 1\rContent-Length: 38"),
    _length("a length in a folded line", b"X-Seen: 1\r\n Content-Length: 38"),
]
CODINGS = [
    _coding("an unknown coding", b"Transfer-Encoding: pigeons"),
    _coding("the coding identity", b"Transfer-Encoding: identity"),
    _coding("the coding identity and a length", b"Transfer-Encoding: identity\r\nContent-Length: 5"),
    _coding("an empty coding and a length", b"Transfer-Encoding:\r\nContent-Length: 5"),
    _coding("a coding after chunked", b"Transfer-Encoding: chunked, identity"),
    _coding(
        "a coding after chunked in a line of its own", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"
    ),
    _coding("chunked twice", b"Transfer-Encoding: chunked, chunked", NEXT_TOO.format(400)),
    _coding("chunked twice as one word", b"Transfer-Encoding: chunkedchunked"),
    _coding("chunked with a vertical tab", b"Transfer-Encoding: \x0bchunked"),
    _coding("chunked with a space before the colon", b"Transfer-Encoding : chunked"),
    _coding("chunked in a folded line", b"Transfer-Encoding:\r\n chunked"),
    _coding("chunked and a length", b"Transfer-Encoding: chunked\r\nContent-Length: 5", UNDERSTOOD),
    _coding("a length and chunked", b"Content-Length: 15\r\nTransfer-Encoding: chunked", UNDERSTOOD),
    _coding("chunked after gzip", b"Transfer-Encoding: gzip, chunked", NEXT_TOO.format(501)),
    Malformed(
        "chunked in HTTP/1.0",
        b"POST /seen HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
        + CHUNK
        + HIDDEN,
    ),
]
CHUNKS = [
    _chunks("a size with a sign", b"+5\r\nhello\r\n0\r\n\r\n"),
    _chunks("a negative size", b"-5\r\nhello\r\n0\r\n\r\n"),
    _chunks("a size with 0x", b"0x5\r\nhello\r\n0\r\n\r\n"),
    _chunks("a size with an underscore", b"0_5\r\nhello\r\n0\r\n\r\n"),
    _chunks("a size that is not a number", b"five\r\nhello\r\n0\r\n\r\n"),
    _chunks("an empty size", b"\r\nhello\r\n0\r\n\r\n"),
    _chunks("a size beyond 64 bits", b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    _chunks("a space before a size", b" 5\r\nhello\r\n0\r\n\r\n"),
    _chunks("a word after a size", b"5 five\r\nhello\r\n0\r\n\r\n"),
    _chunks("a CR inside a size's line", b"5\r\r;\r\nhello\r\n0\r\n\r\n"),
    _chunks("an LF inside an extension", b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
    _chunks("a size's line that ends in LF", b"5\nhello\r\n0\r\n\r\n"),
    _chunks("a chunk without an end", b"5\r\nhello0\r\n\r\n", "hello"),
    _chunks("a chunk that ends in two other characters", b"5\r\nhelloXX0\r\n\r\n", "hello"),
    _chunks("a chunk that ends in LF", b"5\r\nhello\n0\r\n\r\n", "hello"),
    _chunks("a trailer without a colon", b"5\r\nhello\r\n0\r\nX-Hidden\r\n\r\n", "hello"),
    Malformed(
        "a trailer of framing",
        _POST
        + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nContent-Length: 99\r\n\r\n"
        + HIDDEN,
        UNDERSTOOD,
    ),
]
MALFORMED = [*LINES, *FIELDS, *LENGTHS, *CODINGS, *CHUNKS]

"""Framing (RFC 9112 §2 to §7): where requests begin and end. A request that is hidden in another is never answered."""

from tests.dialects.attacks.attack import CLOSED, REFUSED, Attack, get, request

HIDDEN = get(b"/smuggled")
BROKEN = {*REFUSED, CLOSED}
BROKEN_OR_READ = {200, *BROKEN}
READ_OR_MISSING = {200, 404, 405}
NO_RFC = {*BROKEN, 501, 505}
"""What is not HTTP/1.1, or not implemented."""


def read(*fields, body=HIDDEN, version=b"1.1"):
    """A POST to a page that reads bodies, whose length is only in the fields given."""
    return b"\r\n".join([b"POST /read HTTP/" + version, b"Host: localhost", *fields, b"", body])


def chunked(body, *fields):
    """A POST with chunks as they are given, and a hidden request behind."""
    return read(b"Transfer-Encoding: chunked", *fields, body=body + HIDDEN)


def hello(*lines, start=b"GET /hello HTTP/1.1", end=b"\r\n"):
    return end.join([start, b"Host: localhost", *lines, b"Connection: close", b"", b""])


LENGTHS = {
    "two lengths": (b"Content-Length: 0", b"Content-Length: %d" % len(HIDDEN)),
    "two lengths in a list": (b"Content-Length: 0, %d" % len(HIDDEN),),
    "a signed length": (b"Content-Length: +0",),
    "a negative length": (b"Content-Length: -1",),
    "a hexadecimal length": (b"Content-Length: 0x0",),
    "a length with a blank": (b"Content-Length: 0 0",),
    "a length with an underscore": (b"Content-Length: 0_0",),
    "a length of no digits": (b"Content-Length: zero",),
    "a length without a value": (b"Content-Length:",),
    "a length beyond 64 bits": (b"Content-Length: 18446744073709551616",),
    "a length with a fraction": (b"Content-Length: 0.0",),
    "a length in other digits": (b"Content-Length: \xd9\xa0",),
}
CODINGS = {
    "an unknown coding": (b"Transfer-Encoding: xchunked",),
    "chunked is not the last coding": (b"Transfer-Encoding: chunked, identity",),
    "chunked as a parameter": (b"Transfer-Encoding: identity;chunked",),
    "a coding with a vertical tab": (b"Transfer-Encoding: \x0bchunked",),
    "a blank before the colon": (b"Transfer-Encoding : chunked", b"Content-Length: 0"),
    "a coding on a folded line": (b"Transfer-Encoding:\r\n chunked", b"Content-Length: 0"),
    "a coding behind a bare line feed": (b"X: 1\nTransfer-Encoding: chunked", b"Content-Length: 0"),
    "a coding behind a bare carriage return": (b"X: 1\rTransfer-Encoding: chunked", b"Content-Length: 0"),
    "a coding behind NUL": (b"X: 1\0Transfer-Encoding: chunked", b"Content-Length: 0"),
}
CHUNKS = {
    "a negative size": b"-1\r\n\r\n", "a hexadecimal prefix": b"0x0\r\n\r\n", "a sign": b"+0\r\n\r\n",
    "an underscore": b"0_0\r\n\r\n",
    "a size beyond 64 bits": b"1" + b"0" * 16 + b"\r\n\r\n",
    "a size that wraps to none": b"1" + b"0" * 64 + b"\r\n\r\n",
    "no size": b"\r\n\r\n", "no digits": b"zero\r\n\r\n",
    "a chunk that is longer than its size": b"1\r\nabc\r\n0\r\n\r\n",
    "a chunk without its end": b"1\r\na0\r\n\r\n", "NUL in a size": b"0\0\r\n\r\n",
    "a blank before a size": b" 0\r\n\r\n",
}  # fmt: skip
NAMES = {
    "a blank before a colon": b"X-A : 1", "a blank in a name": b"X A: 1", "no colon": b"X-A", "no name": b": 1",
    "NUL in a name": b"X\0A: 1", "letters beyond ASCII in a name": b"X-\xc3\xa9: 1", "NUL in a value": b"X-A: a\0b",
    "a bare carriage return in a value": b"X-A: a\rX-B: b", "a control in a value": b"X-A: a\x01b",
    "a name in brackets": b"X(A): 1", "a folded line": b"X-A: 1\r\n folded",
}  # fmt: skip
LINES = {
    "no version": b"GET /hello", "a version of later": b"GET /hello HTTP/3.0",
    "a version of two digits": b"GET /hello HTTP/1.10", "another protocol": b"GET /hello SIP/2.0",
    "small letters in the version": b"GET /hello http/1.1", "NUL in a method": b"GE\0T /hello HTTP/1.1",
    "a method with a colon": b"GET: /hello HTTP/1.1", "no method": b" /hello HTTP/1.1", "no target": b"GET HTTP/1.1",
    "a blank in a target": b"GET /hel lo HTTP/1.1", "a control in a target": b"GET /hello\x01 HTTP/1.1",
    "NUL in a target": b"GET /hello\0 HTTP/1.1", "bytes before the line": b"\x16\x03\x01\x02\x00 /hello HTTP/1.1",
}  # fmt: skip


def closes(conversation):
    """An answer to what may be read in two ways ends the connection."""
    return None if len(conversation.answers) <= 1 else "the connection was kept"


ATTACKS = [
    *[Attack(name, read(*fields), BROKEN, methods=("POST",)) for name, fields in LENGTHS.items()],
    *[Attack(name, read(*fields), NO_RFC, methods=("POST",)) for name, fields in CODINGS.items()],
    *[Attack(f"chunks: {name}", chunked(body), BROKEN, methods=("POST",)) for name, body in CHUNKS.items()],
    *[Attack(f"a field: {name}", hello(line), BROKEN) for name, line in NAMES.items()],
    *[Attack(f"a line: {name}", hello(start=start), NO_RFC | {404}) for name, start in LINES.items()],
    Attack(
        "a length and chunks",
        read(b"Content-Length: %d" % (5 + len(HIDDEN)), b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN),
        BROKEN_OR_READ, methods=("POST",), check=closes,
    ),
    Attack(
        "chunks in HTTP/1.0",
        read(b"Transfer-Encoding: chunked", b"Connection: keep-alive", body=b"0\r\n\r\n" + HIDDEN, version=b"1.0"),
        BROKEN_OR_READ, methods=("POST",),
    ),
    Attack(
        "the body of a GET is no request",
        get(b"/hello", b"Content-Length: %d" % len(HIDDEN), ends=False) + HIDDEN + get(b"/hello"), {200}, most=2,
    ),
    Attack(
        "the body of a HEAD is no request", request(b"HEAD", b"/hello", body=HIDDEN, ends=False) + get(b"/hello"),
        READ_OR_MISSING, most=2, methods=("HEAD", "GET"),
    ),
    Attack(
        "the body that a page has not read is no request",
        request(b"PUT", b"/told", body=HIDDEN, ends=False) + get(b"/hello"), READ_OR_MISSING, most=2,
    ),
    Attack(
        "the body of a page that is not there is no request",
        request(b"POST", b"/missing", body=HIDDEN, ends=False) + get(b"/hello"), {404, 405}, most=2,
    ),
    Attack(
        "the body that was refused is no request",
        request(b"POST", b"/hello", b"Expect: 200-maybe", body=HIDDEN, ends=False) + get(b"/hello"), range(200, 500),
        most=2,
    ),
    Attack(
        "chunks that a page has not read are no request",
        b"PUT /told HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
        % (len(HIDDEN), HIDDEN)
        + get(b"/hello"),
        READ_OR_MISSING, most=2,
    ),
    Attack(
        "trailers are no fields",
        b"POST /told HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"0\r\nHost: evil.example\r\nCookie: evil=1\r\nContent-Length: 9\r\n\r\n",
        {200, 400, 404, 405}, methods=("POST",),
        check=lambda conversation: "trailers count" if b"evil" in conversation.first.body else None,
    ),
    Attack("bare line feeds", hello(end=b"\n"), BROKEN_OR_READ),
    Attack("an obsolete request without a version", b"GET /hello\r\n", NO_RFC, is_half_closed=True),
    Attack("an empty line before a request", b"\r\n" + get(b"/hello"), {200, 400}),
    Attack("nothing but line ends", b"\r\n" * 5000, BROKEN, is_half_closed=True),
    Attack("the beginning of a request", b"GET /hello HTTP/1.1\r\nHos", BROKEN, is_half_closed=True),
    Attack(
        "an upgrade of HTTP",
        get(b"/hello", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQ", b"Connection: upgrade, http2-settings"), {200},
        b"hello",
    ),
    Attack("two requests at once", get(b"/hello", ends=False) + get(b"/hello"), {200}, b"hello", most=2),
]  # fmt: skip

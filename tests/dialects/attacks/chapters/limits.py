"""Limits: what is large, many or repeated in a head is answered or refused, and costs no 500."""

import gzip
import zlib

from tests.dialects.attacks.attack import CLOSED, REFUSED, Attack, get, post, request

ANY = {*range(200, 400), *REFUSED, CLOSED}
LARGE = {
    "If-None-Match": b'"a", ' * 12_000, "If-Match": b"W/" * 30_000, "If-Modified-Since": b"Mon, " * 12_000,
    "If-Range": b'"' * 60_000, "Accept": b"a/b;q=0.1," * 6000, "Accept-Language": b"en-" * 20_000,
    "Accept-Encoding": b"gzip;q=0." * 6000, "Accept-Charset": b";q=" * 20_000, "Cookie": b"a=b; " * 12_000,
    "Authorization": b"Basic " + b"=" * 60_000, "Cache-Control": b'max-age="' * 6000,
    "Range": b"bytes=" + b"0-," * 20_000, "Referer": b"http://" + b"/" * 60_000,
    "User-Agent": b"Mozilla/5.0 (" * 4000, "Content-Type": b"a/b; " * 12_000, "Pragma": b"," * 60_000,
    "Origin": b"http://" * 8000, "Date": b" " * 30_000 + b"x", "X-Requested-With": b"\xff" * 60_000,
    "Forwarded": b"for=" * 15_000, "Via": b"1.1 a, " * 8000, "Traceparent": b"00-" * 20_000,
    "Expect": b"100-continue, " * 4000,
}  # fmt: skip
AUTHORIZATIONS = [
    b"Basic", b"Basic !!!",
    b"Basic " + b"/" * 999,
    b"Basic OjpA", b"Basic /w==", b"Digest", b'Digest username="', b"Bearer", b"Bearer \xff",
    b"Digest realm=" + b'"\\' * 500,
    b"NTLM TlRM", b":", b"<script>alert(1)</script>",
]  # fmt: skip
BOMB = gzip.compress(bytes(50 << 20), 6)
TWICE = gzip.compress(BOMB)
CODINGS = {
    "gzip": BOMB, "gzip, gzip": TWICE, "deflate": zlib.compress(bytes(20 << 20)), "br": b"\x8b\x02\x80",
    "zstd": b"\x28\xb5\x2f\xfd", "identity": b"x", "evil": b"x", ", ".join(["gzip"] * 1000): BOMB[:1000],
}  # fmt: skip
TARGETS = {
    "a path of 60 KiB": b"/" + b"a" * 60_000, "a path of 30,000 slashes": b"/" * 30_000,
    "a path of 10,000 dots": b"/.." * 10_000, "a query of 60 KiB": b"/told?" + b"a" * 60_000,
    "15,000 arguments": b"/told?" + b"a=1&" * 15_000, "a query of percent signs": b"/told?" + b"%" * 60_000,
    "a query that is not UTF-8": b"/told?a=%ff&%fe=1", "a query of NUL": b"/told?a=%00",
    "a query of a lone surrogate": b"/told?a=%ed%a0%80",
    "a query of brackets": b"/told?a" + b"[a]" * 10_000 + b"=1",
    "a query of question marks": b"/told?" + b"?" * 30_000,
    "raw bytes in a query": b"/told?\xff\xfe",
}  # fmt: skip
METHODS = [
    b"TRACE", b"TRACK", b"DEBUG", b"PROPFIND", b"PURGE", b"FOO", b"get",
    b"M" * 1000,
    b"CONNECT", b"OPTIONS", b"PATCH", b"GET-A",
]  # fmt: skip


def has_no_echo(conversation):
    """A request is not sent back (RFC 9110 §9.3.8), which shows scripts what they may not read."""
    return "the request came back" if conversation.first and b"secret-cookie" in conversation.first.body else None


def is_a_get(conversation):
    """A field does not change the method."""
    return None if b'"method": "GET"' in conversation.first.body.replace(b"'", b'"') else "the method was overridden"


ATTACKS = [
    *[Attack(f"60 KiB of {name}", get(b"/told", name.encode() + b": " + value), ANY) for name, value in LARGE.items()],
    *[
        Attack(f"60 KiB of {name} for a file", get(b"/static/page.txt", name.encode() + b": " + LARGE[name]), ANY)
        for name in ("If-None-Match", "If-Match", "If-Modified-Since", "If-Range", "Range", "Accept-Encoding")
    ],
    *[
        Attack(f"Authorization: {value[:20]!r}", get(b"/told", b"Authorization: " + value), ANY)
        for value in AUTHORIZATIONS
    ],
    *[Attack(name, get(target), ANY) for name, target in TARGETS.items()],
    *[
        Attack(
            f"a body of {name[:20]}",
            post(b"/read", b"text/plain", body, b"Content-Encoding: " + name.encode()),
            {200, *REFUSED},
            methods=("POST",),
        )
        for name, body in CODINGS.items()
    ],
    *[
        Attack(
            f"the method {method[:10].decode()}",
            request(method, b"/told", b"Cookie: a=secret-cookie"),
            {200, 204, *REFUSED, 501, CLOSED},
            check=has_no_echo,
        )
        for method in METHODS
    ],
    *[
        Attack(f"a method by {name}", get(b"/told" + query, *fields), {200}, check=is_a_get)
        for name, query, fields in [
            ("X-HTTP-Method-Override", b"", [b"X-HTTP-Method-Override: DELETE", b"X-HTTP-Method: DELETE"]),
            ("X-Method-Override", b"", [b"X-Method-Override: DELETE"]),
            ("_method", b"?_method=DELETE", []),
        ]
    ],
    Attack("1,000 fields", get(b"/told", *[b"X-%d: 1" % number for number in range(1000)]), ANY),
    Attack("50 fields of one name", get(b"/told", *[b"X-A: 1"] * 50), ANY),
    Attack("a field of 1 MiB", get(b"/told", b"X-A: " + b"a" * (1 << 20)), ANY),
    Attack("OPTIONS of everything", request(b"OPTIONS", b"*"), {200, 204, *REFUSED, CLOSED}, methods=("OPTIONS",)),
    Attack(
        "CONNECT to a host", request(b"CONNECT", b"evil.example:443"), {*REFUSED, 501, CLOSED}, methods=("CONNECT",)
    ),
    Attack("HEAD of an error", request(b"HEAD", b"/fail"), {500}, methods=("HEAD",)),
    Attack("an error tells nothing", get(b"/fail?%3Cscript%3Ealert(1)%3C/script%3E"), {500}),
    Attack("an error tells no client that asks for JSON", get(b"/fail", b"Accept: application/json"), {500}),
    Attack("an error tells no debugger", get(b"/fail?__debugger__=yes&cmd=resource&f=debugger.js"), {500}),
    Attack("a console is not there", get(b"/console?__debugger__=yes&cmd=printpin&s=a"), REFUSED),
    Attack("Expect of another kind", get(b"/told", b"Expect: 200-ok"), ANY),
    Attack(
        "a body behind Expect",
        post(b"/read", b"text/plain", b"12345", b"Expect: 100-continue"),
        {200},
        b"5",
        methods=("POST",),
    ),
]

"""Requests to a route, good and bad, from a random source."""

from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import NamedTuple

LARGE = bytes(150_000)
"""A body that is larger than applications here accept."""
MEDIUM = b"name=Ada&age=4&note=" + b"x" * 70_000
"""A body that is too large to be received before the hooks have let the request pass."""
TOKEN_PATH = "/token"
"""The path of the page with a CSRF token."""
TOKEN = "$TOKEN"
"""The value of a header that stands for the CSRF token that was seen last."""


class SentRequest(NamedTuple):
    """A request. A ``body`` of bytes has a Content-Length, a tuple is sent in chunks; ``is_cut`` leaves out its end."""

    method: str
    target: str
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes | tuple[bytes, ...] | None = None
    is_cut: bool = False
    """True for a body that breaks off before the length that was declared."""


def requests_to(random: Random, method: str, path: str, is_write: bool) -> Iterator[SentRequest]:
    """Yield some requests to a route."""
    for _ in range(random.choice([1, 2, 2, 3])):
        fields = dict(random.sample(FIELDS, random.choice([0, 0, 1, 2])))
        sent = random.choices(
            [method, "HEAD", "OPTIONS", "TRACE", "DELETE", "GET"], [12, 2 if method == "GET" else 0, 1, 0.3, 0.5, 1]
        )[0]
        target = (
            path
            + random.choices(
                ["", "?n=1&name=Ada", "?n=x&n=%FF", "?name=Ada&age=x", "/", "/%2e%2e/x"], [6, 2, 1, 1, 0.5, 0.3]
            )[0]
        )
        if not is_write or sent in ("HEAD", "OPTIONS", "GET"):
            yield SentRequest(sent, target, tuple(fields.items()))
            continue
        content_type, body = random.choice(BODIES)
        if content_type:
            fields["content-type"] = content_type
        fields |= random.choice([{}, {}, {"x-csrf-token": TOKEN}, {"x-csrf-token": TOKEN}])
        fields |= random.choice([{}, {}, {"idempotency-key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}])
        is_cut = random.random() < 0.12
        if not is_cut and random.random() < 0.25:
            yield SentRequest(sent, target, tuple(fields.items()), in_chunks(random, body))
        else:
            yield SentRequest(sent, target, tuple(fields.items()), body, is_cut and len(body) > 10)


def in_chunks(random: Random, body: bytes) -> tuple[bytes, ...]:
    """Return a body in a few pieces, none of which is empty."""
    cuts = sorted({0, len(body), *(random.randint(0, len(body)) for _ in range(random.randint(0, 3)))})
    return tuple([body[start:end] for start, end in pairwise(cuts)])


FIELDS = [
    ("accept", "text/html,*/*;q=0.8"), ("accept", "application/json"), ("accept-encoding", "gzip"),
    ("accept-language", "de,en;q=0.5"), ("if-none-match", '"abc"'), ("if-none-match", "*"), ("if-match", '"x"'),
    ("if-modified-since", "Wed, 21 Oct 2065 07:28:00 GMT"), ("range", "bytes=0-3"), ("range", "bytes=-2,1-1"),
    ("range", "bytes=9999-"), ("cookie", "theme=light; a=\"b"), ("origin", "https://shop.example"),
    ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-origin"),
    ("authorization", "Bearer k7Qz"), ("authorization", "Bearer no"), ("authorization", "Basic !"), ("x-stop", "1"),
    ("x-a", "caf\xe9"), ("cache-control", "no-cache"), ("cache-control", "only-if-cached"), ("te", "trailers"),
    ("cookie", "session=abc; theme=dark"), ("content-encoding", "gzip"), ("content-encoding", "rot13"),
    ("access-control-request-method", "PUT"), ("upgrade", "websocket"), ("prefer", "respond-async"),
]  # fmt: skip
"""A field that is chosen twice has its last value."""

MULTIPART = (
    b'--x\r\ncontent-disposition: form-data; name="name"\r\n\r\nAda\r\n'
    b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n'
    b"content-type: text/plain\r\n\r\nabc\r\n--x--\r\n"
)
URLENCODED, JSON, FORM_DATA = "application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x"
BODIES = [
    (URLENCODED, b"name=Ada&age=4"), (URLENCODED, b"name=%FF&age=x&name=B"), (URLENCODED, b"&&=&a"),
    (URLENCODED, MEDIUM), (URLENCODED, LARGE), (JSON, b'{"name": "Ada", "age": 4}'), (JSON, b'{"name": 1}'),
    (JSON, b"[]"), (JSON, b"null"), (JSON, b"{"), (JSON, b"NaN"), (JSON, b""), (JSON, b'"\\ud800"'),
    (FORM_DATA, MULTIPART), (FORM_DATA, MULTIPART[:-20]), (FORM_DATA, b"--x\r\n\r\n"),
    (FORM_DATA, MULTIPART.replace(b"abc", b"x" * 70_000)),
    ("multipart/form-data", MULTIPART), ("text/plain", b"text"), ("text/plain; charset=nope", b"\xff"), ("", b"bytes"),
    ('a/b; c="', b"x"),
]  # fmt: skip

"""The contract over HTTP/2, on the servers that have it."""

import socket
import struct
import time
from base64 import b64encode
from hashlib import sha256

import pytest

from antiphon import Request
from antiphon.features import sign
from tests.contract.exchanges import seen
from tests.contract.http2 import HTTP2Client, HTTP2Peer
from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.contract.suite import AdapterContract, contract_of
from tests.contract.wire import SentRequest
from tests.helpers.rows import rows
from tests.helpers.served.with_and_without_bodies import SECRET
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.once, pytest.mark.processes]


class HTTP2Contract(AdapterContract):
    """The contract on a server that takes HTTP/2 without TLS, by prior knowledge."""

    http_version = "2"

    @classmethod
    def serve(cls):
        return HTTP2Peer(cls.server.command)


TestGranianWSGI = contract_of("Granian, WSGI", HTTP2Contract)
TestGranianASGI = contract_of("Granian, ASGI", HTTP2Contract)
TestGranianRSGI = contract_of("Granian, RSGI", HTTP2Contract)
TestHypercorn = contract_of("Hypercorn", HTTP2Contract)


# What depends on a body, or on there being none

MOST = 64 << 20
"""Bytes that a stream may make for a client that reads nothing: system and server keep a few MB."""
SITE = "http://contract.example:8080"
PARTS = (
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\n' + bytes(100_000) + b"\r\n--b--\r\n"
)
IN_PARTS = (("Content-Type", "multipart/form-data; boundary=b"),)
URLENCODED = (("Content-Type", "application/x-www-form-urlencoded"),)
PLAIN = (("Content-Type", "text/plain"),)
DIGEST = (("Content-Digest", f"sha-256=:{b64encode(sha256(b'one two').digest()).decode()}:"),)
CACHED = "/cached/{style}/page"


def signed(method, target, body, sent):
    request = sign(Request.blank(SITE + target, method, PLAIN if body else (), body), SECRET, keyid="key")
    names = ("content-type", "content-digest", "signature", "signature-input")
    fields = tuple((name, value) for name, value in request.headers.items() if name in names)
    return SentRequest(method, target, fields, sent)


def requests(style, query):
    """Return requests with what their status has to be. The query keeps those of several connections apart."""
    for path in ("signed", "signed/lazy"):
        target = f"/{style}/{path}?{query}"
        for method in ("GET", "DELETE", "POST", "QUERY"):
            yield signed(method, target, b"", None), 200
            yield signed(method, target, b"", ()), 200
            yield signed(method, target, b"one two", (b"one ", b"two")), 200
            yield signed(method, target, b"", (b"one ", b"two")), 401
            yield SentRequest(method, target), 401
    for method in ("GET", "DELETE", "POST"):
        for body in (None, ()):
            yield SentRequest(method, f"/{style}/digest", (), body), 200
            yield SentRequest(method, f"/{style}/streamed", (), body), 200
        yield SentRequest(method, f"/{style}/streamed", (), (b"one ", b"two")), 200
        yield SentRequest(method, f"/{style}/digest", DIGEST, (b"one ", b"two")), 200
        yield SentRequest(method, f"/{style}/digest", (), (b"one ", b"two")), 400
    for _ in range(2):
        yield (
            SentRequest("POST", f"/{style}/once", (("Idempotency-Key", f'"{style} {query}"'),), (b"one ", b"two")),
            200,
        )
    yield SentRequest("POST", f"/{style}/once", (("Idempotency-Key", f'"{style} {query}"'),), (b"other",)), 422
    for path in ("/{style}/page", CACHED):
        target = path.format(style=style) + f"?{query}"
        for body in (None, (), None):
            yield SentRequest("GET", target, (), body), 200
        yield SentRequest("GET", target, (), (b"one",)), 200
        yield SentRequest("HEAD", target), 200
        yield SentRequest("GET", target, (("If-None-Match", '"page"'),)), 304
        yield SentRequest("GET", target, (("If-Match", '"other"'),)), 412
        for _ in range(2):
            yield SentRequest("QUERY", target, PLAIN, b"one"), 200
    for body in (b"a=1&b=2", (b"a=1&", b"b=2")):
        yield SentRequest("POST", "/form", URLENCODED, body), 200
    for body in (PARTS, (PARTS[:50], PARTS[50:])):
        yield SentRequest("POST", "/form", IN_PARTS, body), 200
    for wanted, status in (("bytes=0-9", 206), ("bytes=-5", 206), ("bytes=9999-", 416), ("lines=1", 200)):
        yield SentRequest("GET", "/file", (("Range", wanted),)), status


@pytest.fixture(scope="module", params=["Granian, WSGI", "Granian, ASGI", "Granian, RSGI", "Hypercorn"])
def peer(request):
    command = server(request.param).command
    with HTTP2Peer(command, "tests.helpers.served.with_and_without_bodies:app") as peer:
        yield peer


def test_no_response_depends_on_the_version(peer):
    for style in ("def", "async"):
        for (request, status), (other, _) in zip(requests(style, "v=1"), requests(style, "v=2"), strict=True):
            before, now = ServerProcess.respond(peer, request), peer.respond(other)
            what = f"{request.method} {request.target} {request.fields} {request.body and request.body[:9]}"
            assert (before.status, now.status) == (status, status), what
            assert told(now) == told(before), what


@rows("body", [(), (b"one ", b"two")])
def test_trailers_belong_to_no_body(peer, body):
    with HTTP2Client(peer.port) as client:
        response = client.exchange(SentRequest("POST", "/def/streamed", (), body), [(b"x-trailer", b"1")])
    assert (response.status, response.body) == (200, b"".join(body))


def test_the_client_reads_the_response_that_comes_after_a_farewell():
    ending = struct.pack(">II", (1 << 31) - 1, 0)
    frames = ((4, 0, 0, b""), (7, 0, 0, ending), (1, 4, 1, b"\x88"), (0, 1, 1, b"late"))  # SETTINGS, GOAWAY, ...
    said = [struct.pack(">I", len(data))[1:] + struct.pack(">BBI", *head) + data for *head, data in frames]
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        HTTP2Client(listening.getsockname()[1]) as client,
        listening.accept()[0] as server,
    ):
        server.sendall(b"".join(said))
        response = client.exchange(SentRequest("GET", "/"))
    assert (response.status, response.body, response.whole) == (200, b"late", True)


def test_a_stream_waits_for_a_client_that_reads_nothing_but_on_hypercorn(peer):
    def made():
        return int(peer.respond(SentRequest("GET", "/endless/made")).body)

    def look():
        before = made()
        time.sleep(0.2)
        after = made()
        return "goes on" if after > MOST else "waits" if before == after > 0 else None

    with HTTP2Client(peer.port) as client:
        client.get("/endless/async")
        outcome = eventually(look, "the stream neither waits nor goes on")
    assert outcome == ("goes on" if "hypercorn" in peer.command else "waits")


def told(response):
    """Return a response without what differs each time, and what a refusal cannot know of a body that may come."""
    found = seen(response)
    for name in ("age", "x-request-id", "accept-signature", "want-content-digest"):
        found.fields.pop(name, None)
    return sorted(found.fields) if found.status >= 400 else found

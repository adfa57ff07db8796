"""Probes of what servers do differently: each asks a server one question, and the answer is a word or two."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

from tests.contract.application.answers import HINT, LATIN1
from tests.contract.application.processes import LATE, STOPPED
from tests.contract.process import ServerProcess
from tests.contract.wire import AUTHORITY, Closed, Peer, ReceivedResponse, SentRequest
from tests.helpers.waiting import eventually

STREAMS = tuple((handler, iterator) for handler in ("def", "async") for iterator in ("sync", "async"))
"""Every kind of handler that streams, with every kind of iterator that it may return."""

Ask = Callable[[ServerProcess], str]


class Probe(NamedTuple):
    """A question to a server, and the possible answers, the best one first."""

    name: str
    answers: tuple[str, ...]
    ask: Ask

    @property
    def best(self) -> str:
        """The answer of a server without a gap here."""
        return self.answers[0]


def answered(server: ServerProcess, target: str, *fields: tuple[str, str]) -> Any:
    """Return the JSON that answers a GET request; None when the server refuses it."""
    response = server.respond(SentRequest("GET", target, fields))
    return json.loads(response.body) if response.status == 200 else None


def raw_path(server: ServerProcess) -> str:
    path = "/def/raw/%41~%C3%BC"
    return "known" if answered(server, path) == {"raw_path": path} else "hidden"


def encoded_slash(server: ServerProcess) -> str:
    status = server.respond(SentRequest("GET", "/def/path/a%2Fb")).status
    return "in its segment" if status == 200 else "a slash"


def leading_slashes(server: ServerProcess) -> str:
    return "kept" if server.respond(SentRequest("GET", "//def/text")).status == 404 else "made one"


def host_of_url(server: ServerProcess) -> str:
    """Ask which host counts where the target is a whole URL and names another one than Host (RFC 9112 §3.2.2)."""
    host = answered(server, "http://other.example/def/about")["host"]
    return "the target's" if host == "other.example" else "the header's"


def several_lines(server: ServerProcess) -> str:
    lines = answered(server, "/def/fields", ("X-Value", "a"), ("X-Value", "b"))
    return "apart" if lines == [["x-value", "a"], ["x-value", "b"]] else "joined"


def cookie_lines(server: ServerProcess) -> str:
    """Ask what becomes of two Cookie lines, which only HTTP/2 allows (RFC 9113 §8.2.3)."""
    cookies = answered(server, "/def/cookies", ("Cookie", "a=1"), ("Cookie", "b=2"))
    return "both read" if cookies == [["a", "1"], ["b", "2"]] else "run together"


def underscore(server: ServerProcess) -> str:
    lines = answered(server, "/def/fields", ("X-Value", "dash"), ("X_Value", "underscore"))
    if lines == [["x-value", "dash"], ["x_value", "underscore"]]:
        return "another name"
    return "dropped" if lines == [["x-value", "dash"]] else "the same name"


def request_latin1(server: ServerProcess) -> str:
    lines = answered(server, "/def/fields", ("X-Value", LATIN1))
    return {(): "dropped", ("",): "emptied", (LATIN1,): "kept"}[tuple(value for _, value in lines)]


def response_latin1(server: ServerProcess) -> str:
    sent = server.respond(SentRequest("GET", "/def/lines/latin1")).values("x-line")
    return {LATIN1: "kept", LATIN1.encode().decode("latin-1"): "sent as UTF-8"}[sent[0]]


def space_at_end(server: ServerProcess) -> str:
    return "trimmed" if answered(server, "/def/fields", ("X-Value", "a \t")) == [["x-value", "a"]] else "kept"


def client_port(server: ServerProcess) -> str:
    return {"int": "known", "NoneType": "hidden"}.get(answered(server, "/def/client/port")["type"], "not as a number")


def connection_kept(server: ServerProcess) -> str:
    with server.connect() as connection:
        connection.send(SentRequest("GET", "/def/text").encoded)
        connection.receive()
        return "kept" if connection.reusable else "closed"


def pipelined(server: ServerProcess) -> str:
    with server.connect() as connection:
        connection.send(SentRequest("GET", "/def/text").encoded + SentRequest("GET", "/async/dict").encoded)
        connection.receive()
        try:
            second = connection.receive()
        except Closed:
            return "one answered"
    return "answered" if second.body.startswith(b"{") else "confused"


def expectation(server: ServerProcess) -> str:
    """Ask when a client that expects it gets 100 Continue (RFC 9110 §10.1.1)."""
    asked = []
    for path in ("echo", "limited"):
        with server.connect() as connection:
            connection.send(SentRequest("POST", f"/def/{path}", (("Expect", "100-continue"),), bytes(2000)).head)
            asked.append(connection.status())
    return {(100, 413): "when the body is read", (100, 100): "always"}[asked[0], asked[1]]


def refused_upload(server: ServerProcess) -> str:
    """Ask when a client that has sent a part of its body gets a refusal."""
    sent = SentRequest("POST", "/def/nowhere", (), bytes(100_000))
    whole = server.respond(sent).status  # the first request may take long
    with server.connect(deadline=3.0) as connection:
        connection.send(sent.head + sent.content[:1000])
        try:
            return {404: "at once"}[connection.status()]
        except TimeoutError:
            return {404: "after its body"}[whole]


def early_hints(server: ServerProcess) -> str:
    """Ask whether links that a handler sends early come before the response (RFC 8297), to HTTP/1.1 alone."""
    found = set()
    for handler in ("def", "async"):
        hinted, plain = (_until_answered(server, f"/{handler}/hints", version) for version in ("1.1", "1.0"))
        assert b" 103 " not in plain
        found.add(hinted.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: %s\r\n\r\nHTTP/1.1 200 " % HINT.encode()))
        assert found <= {b" 103 " in hinted}, hinted
    return " or ".join(sorted("sent" if is_sent else "dropped" for is_sent in found))


def _until_answered(server: ServerProcess, path: str, version: str) -> bytes:
    with server.connect() as connection:
        connection.send(f"GET {path} HTTP/{version}\r\nHost: {AUTHORITY}\r\n\r\n".encode())
        return connection.wait_for(b"hinted\n")


def http_1_0(server: ServerProcess) -> str:
    with server.connect() as connection:
        connection.send(b"GET /def/stream/sync/few HTTP/1.0\r\n\r\n")
        response = connection.receive()
    assert response.body == "one\nzwölf\nthree\n".encode(), response
    return "in chunks" if response.values("transfer-encoding") else "until the connection ends"


def failed_stream(server: ServerProcess) -> str:
    return failure_of_stream(server, "fails-midway")


def failed_first_chunk(server: ServerProcess) -> str:
    return failure_of_stream(server, "fails-at-once")


def left_stream(server: ServerProcess) -> str:
    found = {where_closed(server, handler, "async") for handler in ("def", "async")}
    return f"closed {' or '.join(sorted(found))}"


def failure_of_stream(peer: Peer, name: str) -> str:
    """Return how a failing stream ends for the client, by every kind of handler and iterator."""
    found = {
        _seen(peer.respond(SentRequest("GET", f"/{handler}/stream/{iterator}/{name}"))) for handler, iterator in STREAMS
    }
    return " or ".join(sorted(found))


def _seen(response: ReceivedResponse) -> str:
    if response.status != 200:
        return str(response.status)
    ending = "ended" if response.whole else "cut"
    return ending if response.body else f"200, {ending}"


def where_closed(peer: Peer, handler: str, iterator: str, stream: str = "endless") -> str:
    """Leave a stream, and return where it stood when it was closed. Raises TimeoutError if it never was."""
    name = uuid4().hex
    peer.leave(SentRequest("GET", f"/{handler}/stream/{iterator}/{stream}?name={name}"), b"tick")

    def look() -> str | None:
        response = peer.respond(SentRequest("GET", f"/{handler}/stream/closed/{name}"))
        where: str | None = json.loads(response.body)["closed"]
        return where

    return eventually(look, "the stream goes on although the client has gone")


def end(server: ServerProcess) -> str:
    with ServerProcess(server.command) as mortal:
        pid = answered(mortal, "/def/startup")["pid"]
        mortal.terminate()
        times = mortal.stderr.count(f"{STOPPED} in {pid}")
    return {0: "not called", 1: "called"}.get(times, f"called {times} times")


def end_early(server: ServerProcess) -> str:
    with ServerProcess(server.command) as mortal:
        mortal.respond(SentRequest("GET", "/def/after/slow"))
        mortal.respond(SentRequest("GET", "/async/after/slow"))
        mortal.terminate()
        before_shutdown = mortal.stderr.partition(STOPPED)[0]
    return "run" if before_shutdown.count(LATE) == 4 else "are lost"


PROBES: tuple[Probe, ...] = (
    Probe("Raw path", ("known", "hidden"), raw_path),
    Probe("`%2F` in the path", ("in its segment", "a slash"), encoded_slash),
    Probe("Slashes before the path", ("kept", "made one"), leading_slashes),
    Probe("Host beside a whole URL", ("the target's", "the header's"), host_of_url),
    Probe("Header in several lines", ("apart", "joined"), several_lines),
    Probe("Cookie in two lines", ("both read", "run together"), cookie_lines),
    Probe("`X_Name` beside `X-Name`", ("another name", "dropped", "the same name"), underscore),
    Probe("Space after a header's value", ("trimmed", "kept"), space_at_end),
    Probe("Request header beyond ASCII", ("kept", "emptied", "dropped"), request_latin1),
    Probe("Response header beyond ASCII", ("kept", "sent as UTF-8"), response_latin1),
    Probe("Client's port", ("known", "hidden"), client_port),
    Probe("Connection", ("kept", "closed"), connection_kept),
    Probe("Pipelined requests", ("answered", "one answered"), pipelined),
    Probe("`100 Continue`", ("when the body is read", "always"), expectation),
    Probe("Refused upload", ("at once", "after its body"), refused_upload),
    Probe("Early Hints", ("sent", "dropped"), early_hints),
    Probe("Stream to HTTP/1.0", ("until the connection ends", "in chunks"), http_1_0),
    Probe("Stream that fails midway", ("cut", "ended"), failed_stream),
    Probe("Stream that fails at once", ("500", "200, cut", "200, ended"), failed_first_chunk),
    Probe("Async stream that is left", ("closed while it waits",), left_stream),
    Probe("Shutdown at SIGTERM", ("called", "not called"), end),
    Probe("Functions after a response, at SIGTERM", ("run", "are lost"), end_early),
)
